// Runs the fault injection of the native library and makes a table of it: every call of the system, every fault, what came of it.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { nativeFolder } from "../../restorer/index.ts";
import { victimProgram } from "./victim.ts";

const program = `${nativeFolder}faults`;

/** The light ones first: the short form does not repeat with one what it has seen with another. */
const victims = [
  ...["objects-changed", "descriptors-surplus", "signals-changed", "children-left", "mapping-removed"],
  ...["locks-left", "socket-shut", "threads-many", "threads-born", "memory-written"],
  "level-shared",
];

/** What is booted, in every way. */
const bootVictims = ["boot-objects", "boot-threads"];

/** The columns, as test/native/faults-kinds.c names them. */
const faults = [
  ...["fails", "is interrupted", "is short", "victim killed", "victim dying", "victim stopped"],
  ...["victim continued", "victim signalled", "tracer killed"],
];

/**
 * What came of one run. *untouched*: an error, and the process is what it was; *done*: the call did its work all the same;
 * *tainted*: the process is dead and its parent's to reap. Everything else is WRONG.
 */
export type FaultOutcome = "untouched" | "done" | "tainted" | "unreached" | "WRONG";

/** One cell's part: `n` runs with the same outcome, or the reason why there is none. */
export interface FaultCount {
  readonly phase: string;
  /** Of a rewind; "" before the first, behind the last, and in every other phase. */
  readonly step: string;
  readonly call: string;
  readonly fault: string;
  readonly outcome: FaultOutcome | "none";
  readonly n: number;
  readonly why?: string;
}

export interface FaultTable {
  readonly counts: readonly FaultCount[];
  readonly runs: number;
  /** None: no outcome is wrong, and no cell is empty. */
  readonly complaints: readonly string[];
}

/** The functions and lines behind return addresses. */
function wayOf(addresses: string): string {
  const text = execFileSync("addr2line", ["-f", "-s", "-e", program, ...addresses.trim().split(" ")], {
    encoding: "utf8",
  });
  return text
    .trimEnd()
    .replaceAll(/\n(?=\S+:)/g, " ")
    .replaceAll("\n", " < ");
}

class Collector {
  readonly #rows = new Set<string>();
  readonly #cells = new Map<string, Map<FaultOutcome, number>>();
  readonly #none = new Map<string, string>();
  readonly #wrong: string[] = [];
  #runs = 0;

  add(line: string): void {
    const [sort, ...fields] = line.split("\t");
    if (sort === "none") this.#none.set(`${fields[0]}\t${fields[1]}`, fields[2] ?? "");
    if (sort === "call") this.#rows.add(fields.join("\t"));
    if (sort === "case") this.#addCase(fields);
  }

  #addCase(fields: readonly string[]): void {
    const [victim, rung, phase, step, call, site, occurrence, fault, number, outcome, detail, way] = fields;
    const key = [phase, step, call, fault].join("\t");
    const cell = this.#cells.get(key) ?? new Map<FaultOutcome, number>();
    this.#cells.set(key, cell);
    cell.set(outcome as FaultOutcome, (cell.get(outcome as FaultOutcome) ?? 0) + 1);
    this.#runs++;
    if (outcome !== "WRONG") return;
    const again = `--case build/native/victims/${victim} ${rung} "${phase}" ${site} ${occurrence} "${fault}" ${number}`;
    this.#wrong.push(
      `${phase}: ${call} ${fault} (${number}): ${detail}\n    ${again}\n    ${wayOf(way ?? "")}`,
    );
  }

  table(failure: string | undefined): FaultTable {
    const counts: FaultCount[] = [];
    const complaints = [...this.#wrong, ...(failure === undefined ? [] : [failure])];
    for (const row of this.#rows) {
      const [phase = "", step = "", call = ""] = row.split("\t");
      for (const fault of faults) {
        const cell = this.#cells.get(`${row}\t${fault}`);
        const why = this.#none.get(`${call}\t${fault}`) ?? this.#none.get(`${phase}\t${fault}`);
        for (const [outcome, n] of cell ?? []) counts.push({ phase, step, call, fault, outcome, n });
        if (why !== undefined) counts.push({ phase, step, call, fault, outcome: "none", n: 0, why });
        const isEmpty = [...(cell?.keys() ?? [])].every((outcome) => outcome === "unreached");
        if (isEmpty && why === undefined) complaints.push(`empty cell: ${phase} ${step} ${call} ${fault}`);
      }
    }
    return { counts, runs: this.#runs, complaints };
  }
}

/** With `all`, every victim under every rung and every error; without, two minutes' worth. Needs `make -C native test-build`. */
export async function injectFaults({ all }: { readonly all: boolean }): Promise<FaultTable> {
  const boots = ["--boots", ...bootVictims.map(victimProgram)];
  const run = spawn(program, [...(all ? ["--all"] : []), ...victims.map(victimProgram), ...boots], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const collector = new Collector();
  let complaint = "";
  run.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const closed = once(run, "close");
  for await (const line of createInterface({ input: run.stdout })) collector.add(line);
  const [status] = await closed;
  const isComplete = status === 0 && complaint === "";
  return collector.table(isComplete ? undefined : `the fault injection ended with ${status}: ${complaint}`);
}

/** Reasons of empty cells, by the letter that stands for them. */
function reasonsOf(counts: readonly FaultCount[]): Map<string, string> {
  const reasons = new Set(counts.flatMap(({ why }) => why ?? []));
  return new Map([...reasons].map((why, i) => [why, String.fromCharCode(97 + i)]));
}

/** The table as lines of text: a row for each call of each phase and step, a column for each fault. */
export function faultLines({ counts, runs }: FaultTable): string[] {
  const reasons = reasonsOf(counts);
  const rows = new Map<string, Map<string, string>>();
  for (const { phase, step, call, fault, outcome, n, why } of counts) {
    const key = `${phase.padEnd(17)}${step.padEnd(20)}${call.padEnd(29)}`;
    const row = rows.get(key) ?? new Map<string, string>();
    rows.set(key, row);
    const text =
      why === undefined
        ? `${outcome.slice(0, outcome === "unreached" ? 3 : 1)}${n}`
        : `(${reasons.get(why)})`;
    row.set(fault, `${row.get(fault) ?? ""} ${text}`.trimStart());
  }
  const head = `${"phase".padEnd(17)}${"step".padEnd(20)}${"call".padEnd(29)}`;
  return [
    head + faults.map((fault) => fault.padEnd(17)).join(""),
    ...[...rows].map(([key, row]) => key + faults.map((fault) => (row.get(fault) ?? "").padEnd(17)).join("")),
    `${runs} runs. u: untouched, d: done, t: tainted, unr: not reached; no fault of that sort because`,
    ...[...reasons].map(([why, letter]) => `  (${letter}) ${why}`),
  ].map((line) => line.trimEnd());
}
