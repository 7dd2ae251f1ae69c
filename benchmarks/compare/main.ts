// The program of a comparison: reads the options, compares, writes the report, and says in short what came of it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import { compare, type Places } from "./compare.ts";
import { callsAsCsv, figuresAsJson } from "./export.ts";
import { startHere } from "./here.ts";
import { OptionsError, readOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { reportPage } from "./report.ts";
import { alertsOf, type Comparing, isSound } from "./summary.ts";
import { shortTable } from "./tables.ts";

const sourceFolder = join(projectFolder(), "benchmarks", "compare");
/** npm passes on the signal that the terminal has sent us as well. */
const sameWishMs = 1000;

/** Gives the exit code. `folder` is what file names are seen from. */
export async function main(argv: readonly string[], folder: string): Promise<number> {
  const progress = new Progress({
    write: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
  });
  const { signal, ignore } = wishToEnd(progress);
  try {
    const options = readOptions(argv, folder);
    if (options === undefined) {
      process.stdout.write(readFileSync(join(sourceFolder, "usage.txt"), "utf8"));
      return 0;
    }
    const own = options.places === undefined ? await startHere(progress) : undefined;
    try {
      const places = (options.places ?? own?.places) as Places;
      const report = (comparing: Comparing): void => write(comparing, options.reportFile);
      const comparing = await compare(options, places, { progress, signal, report });
      // Again, with what was left.
      report(comparing);
      tell(comparing, options.reportFile);
      return isSound(comparing) ? 0 : 1;
    } finally {
      await own?.stop();
    }
  } catch (error) {
    if (signal.aborted && (error instanceof OptionsError || error === signal.reason)) {
      console.error("It was interrupted before anything was measured: there is no report.");
      return 1;
    }
    if (!(error instanceof OptionsError)) throw error;
    console.error([...error.problems, "Try npm run compare -- --help"].join("\n"));
    return 2;
  } finally {
    ignore();
  }
}

/** The files beside the report. */
function companionsOf(file: string): readonly [csv: string, json: string] {
  const stem = file.slice(0, file.length - extname(file).length);
  return [`${stem}.csv`, `${stem}.json`];
}

function write(comparing: Comparing, file: string): void {
  const companions = companionsOf(file);
  const [csv, json] = companions;
  mkdirSync(dirname(file), { recursive: true });
  const style = readFileSync(join(sourceFolder, "report.css"), "utf8");
  writeFileSync(
    file,
    reportPage(
      comparing,
      style,
      companions.map((path) => basename(path)),
    ),
  );
  writeFileSync(csv, callsAsCsv(comparing.ledger));
  writeFileSync(json, figuresAsJson(comparing));
}

function tell(comparing: Comparing, file: string): void {
  for (const { text } of alertsOf(comparing)) console.log(text);
  console.log(shortTable(comparing.rows));
  const beside = companionsOf(file).map((path) => basename(path));
  console.log(`The report is ${file}, with ${beside.join(" and ")} beside it.`);
}

/** The first wish ends the measuring, the second everything. */
function wishToEnd(progress: Progress): { readonly signal: AbortSignal; readonly ignore: () => void } {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const hear = (name: NodeJS.Signals): void => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      progress.say(`${name}: ending with a report of what there is (again: at once, and nothing is removed)`);
      controller.abort(new Error(name));
    } else if (performance.now() - firstMs > sameWishMs) {
      process.exit(1);
    }
  };
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) process.on(name, hear);
  return {
    signal: controller.signal,
    ignore: () => {
      for (const name of names) process.off(name, hear);
    },
  };
}
