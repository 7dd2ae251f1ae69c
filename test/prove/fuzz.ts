// The fuzzer of activations: programs drawn from a seed run in turn in one container; each must leave no trace.

import type { TaintReason } from "../../pool/index.ts";
import type { Family } from "../corpus.ts";
import type { FuzzProgram } from "./fuzz-program.ts";
import { type FuzzGround, FuzzRun, type Judged } from "./fuzz-run.ts";
import { shrink } from "./fuzz-shrink.ts";

/** Programs that run in turn in a fresh container, and what was different after the last of them. */
export interface FuzzCase {
  readonly family: Family;
  readonly found: string;
  readonly programs: readonly FuzzProgram[];
}

export interface FuzzDifference extends FuzzCase {
  readonly seed: number;
  /** The program after which it was found. */
  readonly index: number;
  /** False: it did not show again; `programs` is then the one after which it did. */
  readonly isRepeatable: boolean;
}

export interface FuzzReport {
  readonly family: Family;
  readonly seed: number;
  readonly activations: number;
  readonly differences: readonly FuzzDifference[];
  /** Containers replaced, as the steps declare, by reason. */
  readonly replaced: Readonly<Partial<Record<TaintReason, number>>>;
  /** Programs that ended or hung without an answer by what they do together, which no step says. */
  readonly unanswered: number;
}

/** In one line. */
export function summaryOf({
  family,
  seed,
  activations,
  differences,
  replaced,
  unanswered,
}: FuzzReport): string {
  const reasons = Object.entries(replaced).map(([reason, count]) => `${reason} ${count}`);
  const found = `fuzzer, ${family}, seed ${seed}: ${activations} activations, ${differences.length} differences`;
  return `${found}; containers replaced as declared: ${reasons.join(", ") || "none"}; undeclared ends of their own: ${unanswered}`;
}

export interface FuzzOptions {
  readonly family: Family;
  readonly seed: number;
  readonly activations: number;
  /** The number of the first program. */
  readonly from?: number;
  /** It ends after so many differences. */
  readonly mostDifferences?: number;
  readonly ground?: FuzzGround;
  /** Tells its containers from others of the same family that live at the same time. */
  readonly name?: string;
  readonly onProgress?: (done: number) => void;
  readonly onDifference?: (difference: FuzzDifference) => void;
}

/** How many programs before the one that failed are tried with it, where it alone shows nothing. */
const historiesTried = [1, 4, 16, 64];
/** A race may need more than one try. */
const triesOfEach = 2;
/** A program that ends itself in a race may not do so every time. */
const triesAlone = 10;

/** What is first different in a fresh container after these programs; undefined where nothing is. */
export async function runCase(
  family: Family,
  programs: readonly FuzzProgram[],
  { name = `case-${family}`, ground = {} }: Pick<FuzzOptions, "name" | "ground"> = {},
): Promise<string | undefined> {
  const run = await FuzzRun.start(family, name, ground);
  try {
    for (const program of programs) {
      const { difference, unanswered } = await run.judge(program);
      const found = difference ?? unanswered;
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    await run.stop();
  }
}

/** The shortest list of steps that shows the same, and what it shows; undefined where it does not show again. */
async function explain(
  history: readonly FuzzProgram[],
  { family, name, ground }: FuzzOptions,
): Promise<FuzzCase | undefined> {
  const options = { ...(name && { name: `${name}-again` }), ...(ground && { ground }) };
  let found: string | undefined;
  const shows = async (programs: readonly FuzzProgram[]): Promise<boolean> => {
    for (let attempt = 0; attempt < triesOfEach; attempt++) {
      const difference = await runCase(family, programs, options);
      found = difference ?? found;
      if (difference !== undefined) return true;
    }
    return false;
  };
  for (const length of historiesTried) {
    const programs = history.slice(-length);
    if (await shows(programs)) {
      const shortest = await shrink(programs, shows);
      return { family, found: found ?? "", programs: shortest };
    }
    if (programs.length === history.length) break;
  }
  return undefined;
}

/** Whether a program comes to no answer in fresh containers as well: then no other program is to blame for it. */
async function endsAlone(program: FuzzProgram, { family, name, ground }: FuzzOptions): Promise<boolean> {
  for (let attempt = 0; attempt < triesAlone; attempt++) {
    const run = await FuzzRun.start(family, `${name}-alone`, ground);
    try {
      const { difference, unanswered } = await run.judge(program);
      if (difference !== undefined) return false;
      if (unanswered !== undefined) return true;
    } finally {
      await run.stop();
    }
  }
  return false;
}

/** Runs so many programs, each followed by the reference action; what is different is shrunk, and a new container begun. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { family, seed, activations, from = 0, mostDifferences = 5, ground, onProgress } = options;
  const name = options.name ?? `fuzz-${family}`;
  const differences: FuzzDifference[] = [];
  const replaced: Partial<Record<TaintReason, number>> = {};
  let unanswered = 0;
  const start = (): Promise<FuzzRun> => FuzzRun.start(family, name, ground);
  let run = await start();
  let history: FuzzProgram[] = [];
  try {
    for (let index = from; index < from + activations && differences.length < mostDifferences; index++) {
      const program = run.repertoire.draw(seed, index);
      history.push(program);
      const judged: Judged = await run.judge(program);
      const isOwnEnd = judged.unanswered !== undefined && (await endsAlone(program, { ...options, name }));
      if (isOwnEnd) unanswered++;
      const found = judged.difference ?? (isOwnEnd ? undefined : judged.unanswered);
      if (found !== undefined) {
        await run.stop();
        const explained = await explain(history, { ...options, name });
        const unexplained = { family, found, programs: [program] };
        const isRepeatable = explained !== undefined;
        const difference = { ...(explained ?? unexplained), seed, index, isRepeatable };
        differences.push(difference);
        options.onDifference?.(difference);
        run = await start();
      }
      if (judged.replaced !== undefined) replaced[judged.replaced] = (replaced[judged.replaced] ?? 0) + 1;
      if (found !== undefined || judged.replaced !== undefined) history = [];
      onProgress?.(index + 1 - from);
    }
  } finally {
    await run.stop();
  }
  return { family, seed, activations, differences, replaced, unanswered };
}
