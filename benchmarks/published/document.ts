// The tables of docs/EVALUATION.md: from figures to text, put between the markers that the page has for them.

import { type Figure, meets } from "../figures.ts";
import { stolenText } from "../stolen.ts";
import { type Claim, claims, places, type Results } from "./claims.ts";

/** One run of one benchmark. */
export interface Run {
  /** ISO date. */
  readonly date: string;
  readonly machine: string;
  /** Of the machine in the minute before it: how many ran or wanted to. */
  readonly load: number;
  /** Of the processors' time during it, what the host gave to others: from 0 to 1. */
  readonly stolen: number;
  readonly figures: readonly Figure[];
}

export type Runs = Readonly<Record<string, Run | undefined>>;

/** Three significant digits at least. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = columns.map(() => "---");
  return [columns, line, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cell(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  if (figure.unit === "ratio") return numberText(figure.value);
  return [figure.p50, figure.p95, figure.p99].map(numberText).join(" / ");
}

/** `row | column` names a figure; each row with its columns, both in the order in which they first come. */
export function pivot(head: string, figures: readonly Figure[]): string {
  const parts = figures.map((figure) => figure.figure.split(" | ") as [string, string]);
  const columns = [...new Set(parts.map(([, column]) => column))];
  const rows = [...new Set(parts.map(([row]) => row))].map((row) => {
    const found = columns.map((column) => figures[parts.findIndex(([a, b]) => a === row && b === column)]);
    const counts = found.flatMap((figure) => (figure ? [figure.n] : []));
    return [row, ...found.map(cell), [...new Set([Math.max(...counts), Math.min(...counts)])].join(", ")];
  });
  return table([head, ...columns, "n"], rows);
}

/** Figures without columns: a line each, with what they were to reach. */
function goals(figures: readonly Figure[]): string {
  const verdictOf = (figure: Figure): string => {
    const met = meets(figure);
    return met === undefined ? "" : `${figure.goal}: ${met ? "met" : "**missed**"}`;
  };
  return table(
    ["figure", "unit", "p50 / p95 / p99", "n", "goal"],
    figures.map((figure) => [figure.figure, figure.unit, cell(figure), String(figure.n), verdictOf(figure)]),
  );
}

const isPhase = ({ unit }: Figure): boolean => unit === "us";

function body(name: string, figures: readonly Figure[]): string {
  switch (name) {
    case "rewind":
      return goals(figures.filter((figure) => !isPhase(figure)));
    case "isolation": {
      const isSummary = ({ figure }: Figure): boolean => /, (geometric mean|over programs) \|/.test(figure);
      return [
        pivot(
          "program",
          figures.filter((figure) => !isSummary(figure)),
        ),
        pivot("programs", figures.filter(isSummary)),
      ].join("\n\n");
    }
    case "dirty-pages":
    case "at-once":
    case "parts":
      return pivot("", figures);
    case "imports":
      return pivot("package", figures);
    default:
      return goals(figures);
  }
}

/** When and where it was measured, how to do so again, and the table. */
export function sectionText(name: string, run: Run): string {
  const where = `Measured ${run.date.slice(0, 10)} on ${run.machine}, by \`npm run bench -- --only ${name}\``;
  const disturbed = `load before it: ${run.load.toFixed(1)}; ${stolenText(run.stolen)}`;
  return `${where}; ${disturbed}.\n\n${body(name, run.figures)}`;
}

/** Says which is better, and by how much; percentages are compared by their difference. */
export function verdict({ theirs, unit, notYet }: Claim, ours: number | undefined): string {
  const built = notYet ? "not yet; " : "";
  if (ours === undefined) return notYet ? "not yet" : "not measured";
  if (theirs === undefined) return notYet ? "not yet" : "–";
  const isBetter = theirs.better === "less" ? ours <= theirs.value : ours >= theirs.value;
  const word = isBetter ? "better" : "**worse**";
  if (unit === "%") return `${built}${word} by ${numberText(Math.abs(ours - theirs.value))} points`;
  const factor = Math.max(ours / theirs.value, theirs.value / ours);
  return `${built}${word}, ${numberText(factor)} times`;
}

function oursText({ unit }: Claim, ours: number | undefined): string {
  if (ours === undefined) return "–";
  return unit === "ratio" ? `${numberText(ours)} times` : `${numberText(ours)} ${unit}`;
}

export function claimsTable(results: Results): string {
  return table(
    ["system", "published", "where", "ours", "what that is", "it is", "command: `npm run bench -- --only …`"],
    claims.map((claim) => {
      const ours = claim.ours(results);
      const commands = claim.from.map((name) => `\`${name}\``).join(", ") || "–";
      const said = [claim.system, claim.published, places[claim.place]];
      return [...said, oursText(claim, ours), claim.here, verdict(claim, ours), commands];
    }),
  );
}

/** The machines and days of the runs, each once. */
function origins(runs: Runs): string {
  const lines = Object.values(runs).flatMap((run) =>
    run ? [`${run.machine}, ${run.date.slice(0, 10)}`] : [],
  );
  return `Measured on: ${[...new Set(lines)].join("; ")}.`;
}

/** What the benchmarks gave when they ran last. */
export function resultsOf(runs: Runs): Results {
  return Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, run?.figures]));
}

/** What belongs between the markers: `summary`, and each benchmark that has run. */
export function sections(runs: Runs): ReadonlyMap<string, string> {
  return new Map([
    ["summary", `${origins(runs)}\n\n${claimsTable(resultsOf(runs))}`],
    ...Object.entries(runs).flatMap(([name, run]): [string, string][] =>
      run ? [[name, sectionText(name, run)]] : [],
    ),
  ]);
}

const marker = (name: string): readonly [string, string] => [
  `<!-- figures: ${name} -->`,
  `<!-- end: ${name} -->`,
];

/** The page with these sections in it; all else stays. Throws where a section has no place. */
export function withSections(page: string, texts: ReadonlyMap<string, string>): string {
  let result = page;
  for (const [name, text] of texts) {
    const [begin, end] = marker(name);
    const [from, to] = [result.indexOf(begin), result.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`no place for ${name}: ${begin} … ${end}`);
    result = `${result.slice(0, from + begin.length)}\n\n${text}\n\n${result.slice(to)}`;
  }
  return result;
}
