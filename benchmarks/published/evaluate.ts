// npm run evaluate: the benchmarks one after the other, each in a process of its own, and the page written. See evaluate.mjs.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectFolder } from "../../invoker/index.ts";
import type { Figure } from "../figures.ts";
import { machineText } from "../machine-text.ts";
import { watchStolen } from "../stolen.ts";
import { unfound } from "./claims.ts";
import { type Run, type Runs, resultsOf, sections, withSections } from "./document.ts";

/** Besides published work: what spares containers their starts, imports and inits. */
export const neverCold = [
  "boot",
  "restart",
  "create",
  "library",
  "second-call",
  "archives",
  "fresh",
  "burst",
  "idle",
  "distinct",
  "day",
  "parts",
] as const;
export const evaluated = [
  ...["rewind", "first-call", "isolation", "dirty-pages", "at-once", "imports"],
  ...neverCold,
] as const;

const project = projectFolder();
const page = join(project, "docs", "EVALUATION.md");
const folder = join(project, "build", "evaluation");
/** Several times what the longest takes. */
const patienceMs = 60 * 60_000;

const fileOf = (name: string): string => join(folder, `${name}.json`);

/** True: it has ended well, and its figures are in the folder. */
async function run(name: string): Promise<boolean> {
  const figuresFile = join(folder, `${name}.figures.json`);
  rmSync(figuresFile, { force: true });
  const argv = [join(project, "benchmarks", "run.mjs"), "--only", name, "--json", figuresFile];
  const [load = 0] = loadavg();
  const stolen = watchStolen();
  const child = spawn(process.execPath, ["--enable-source-maps", ...argv], {
    cwd: project,
    stdio: "inherit",
    timeout: patienceMs,
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0 || !existsSync(figuresFile)) return false;
  const figures = JSON.parse(readFileSync(figuresFile, "utf8")) as Figure[];
  const date = new Date().toISOString();
  const one: Run = { date, machine: machineText(), load, stolen: stolen(), figures };
  writeFileSync(fileOf(name), JSON.stringify(one));
  rmSync(figuresFile);
  return true;
}

function lastRuns(): Runs {
  return Object.fromEntries(
    evaluated.map((name) => [
      name,
      existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), "utf8")) as Run) : undefined,
    ]),
  );
}

/** Gives the exit code: 1 where a benchmark failed. Throws on unknown arguments. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { only: { type: "string", multiple: true }, "write-only": { type: "boolean", default: false } },
  });
  const wanted: readonly string[] = values["write-only"] ? [] : (values.only ?? evaluated);
  for (const name of wanted)
    if (!(evaluated as readonly string[]).includes(name))
      throw new Error(`--only ${name}: there are ${evaluated.join(", ")}`);
  mkdirSync(folder, { recursive: true });
  const failed: string[] = [];
  for (const name of wanted) if (!(await run(name))) failed.push(name);
  const runs = lastRuns();
  writeFileSync(page, withSections(readFileSync(page, "utf8"), sections(runs)));
  spawnSync("npx", ["biome", "format", "--write", page], { cwd: project });
  console.log(`${page} is written`);
  for (const name of failed) console.error(`${name} FAILED; its table is as it was`);
  const lacking = unfound(resultsOf(runs));
  for (const { from, here } of lacking) console.error(`${from.join(", ")}: no figure for "${here}"`);
  return failed.length === 0 && lacking.length === 0 ? 0 : 1;
}
