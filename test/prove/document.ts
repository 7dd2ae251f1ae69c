// docs/PROMISES.md, made from the rows; what each costs is measured by `npm run prove`.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Family } from "../corpus.ts";
import type { Costs } from "./cost.ts";
import type { PromiseGroup, PromiseRow, Proof } from "./promises.ts";

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const file = `${repository}docs/PROMISES.md`;
/** From here on the document is written by hand. */
const tail = "\n## Not protected\n";
const columns: readonly Family[] = ["python", "nodejs"];
const costColumn = 4;
/** Microseconds; less than this is below what the measurement can tell. */
const leastUs = 0.5;

/** The sum of its steps; undefined where one of them cannot be left out, and so has no price of its own. */
function costUs({ steps }: PromiseRow, { stepsUs }: Costs): number | undefined {
  const prices = steps.map((step) => stepsUs.get(step));
  return prices.length > 0 && prices.every((price) => price !== undefined)
    ? prices.reduce((sum, price) => sum + price, 0)
    : undefined;
}

/** Python / Node, in microseconds. */
export function costText(row: PromiseRow, costs: ReadonlyMap<Family, Costs>): string {
  if (row.decision === "denied") return "none";
  return columns
    .map((family) => {
      const measured = costs.get(family);
      const price = measured && costUs(row, measured);
      if (price === undefined) return "in the whole";
      return price < leastUs ? `<${leastUs}` : price.toFixed(1);
    })
    .join(" / ");
}

function proofText(proof: Proof): string {
  if ("victim" in proof) {
    const under = proof.rungs === undefined ? "" : ` under ${proof.rungs.join(" and ")}`;
    return `victim \`${proof.victim}\`${under}`;
  }
  if ("message" in proof) return `message \`${proof.message}\``;
  if ("draws" in proof) return `draws \`${proof.draws}\``;
  if ("check" in proof) return `check \`${proof.check}\``;
  return `“${proof.test}”`;
}

function rowText(row: PromiseRow, costs: ReadonlyMap<Family, Costs>): string {
  const { state, decision, reason, how, steps, proofs } = row;
  const decided = reason === undefined ? decision : `${decision} (\`${reason}\`)`;
  const by =
    steps.map((step) => `\`${step}\``).join(", ") || (decision === "denied" ? "seccomp or modes" : "–");
  const proved = proofs.map(proofText).join(", ");
  return `| ${[state, decided, how, by, costText(row, costs), proved].join(" | ")} |`;
}

function groupText({ group, rows }: PromiseGroup, costs: ReadonlyMap<Family, Costs>): string {
  const head = "| state | decision | how | by | cost | proved by |\n|---|---|---|---|---|---|";
  return `## ${group}\n\n${head}\n${rows.map((row) => rowText(row, costs)).join("\n")}\n`;
}

function headText(costs: ReadonlyMap<Family, Costs>): string {
  const whole = columns.map((family) => {
    const { wholeUs = 0, coreUs = 0, n = 0 } = costs.get(family) ?? {};
    return `| ${family} | ${wholeUs.toFixed(0)} | ${coreUs.toFixed(0)} | ${(wholeUs - coreUs).toFixed(0)} | ${n} |`;
  });
  return `# Promises

Every kind of state that could outlive an activation, what is done about it, and what proves it. _Denied_: no action can change it.
_Put back_: it equals the checkpoint again. _Replaced_: it is noticed and the container is replaced, for a reason out of a closed list.

Made from \`test/prove/promises\` by \`npm run prove -- --write\`, which runs every proof; \`npm test\` fails where a row has none, or
one that does not pass. _Victims_ are programs of \`test/native/victims\` that are rewound under every rung that the kernel has; _messages_ are
pairs of programs of \`test/prove/messages\`: one tries to leave a message for the next activation, one to read it, in real containers, with the
rewind and without. \`npm run prove -- --without STEP\` leaves a step out and names the row that notices.

_Cost_ is what the row's steps add to an idle container's rewind, where there is nothing to put back: Python / Node, microseconds, the median
difference of rewinds with the step and without it in turn.

| runtime | an idle rewind, us | memory and registers alone | all else | pairs |
|---|---|---|---|---|
${whole.join("\n")}
`;
}

/** Writes the document; the part by hand stays. */
export function writeDocument(groups: readonly PromiseGroup[], costs: ReadonlyMap<Family, Costs>): void {
  const before = readFileSync(file, "utf8");
  const byHand = before.slice(before.indexOf(tail));
  const parts = [headText(costs), ...groups.map((group) => groupText(group, costs))];
  writeFileSync(file, `${parts.join("\n")}${byHand}`);
  spawnSync("npx", ["biome", "format", "--write", file], { cwd: repository });
}

/** The cells of all tables of six columns, but for the cost. */
function comparableRows(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\||\|$/g, "").trim()))
    .filter((cells) => cells.length === 6 && !/^-+$/.test(cells[0] ?? ""))
    .map((cells) => cells.toSpliced(costColumn, 1).join(" | "));
}

/** The first row in which the document and the data differ; undefined where there is none. */
export function documentDifference(groups: readonly PromiseGroup[]): string | undefined {
  const written = comparableRows(readFileSync(file, "utf8"));
  const wanted = comparableRows(groups.map((group) => groupText(group, new Map())).join("\n"));
  const place = Array.from({ length: Math.max(written.length, wanted.length) }).findIndex(
    (_, i) => written[i] !== wanted[i],
  );
  return place < 0 ? undefined : (wanted[place] ?? `surplus: ${written[place]}`);
}
