// Soak run: mixed small activations in one container of each runtime, and what invoker and containers use meanwhile.

import { readdirSync, readFileSync } from "node:fs";
import type { Sandbox } from "../../pool/index.ts";
import { type Family, families } from "../corpus.ts";
import { RealInvoker } from "../system/real-invoker.ts";
import { kindOf } from "./ground.ts";
import { type Mix, mixes } from "./soak-mix.ts";
import { type Column, median, type SoakReport } from "./soak-verdict.ts";

const containerMB = 256;
const samplesInAll = 50;
const kB = 1024;
const activationsPerTurn = 100;

/** Nothing is retired: one container of each runtime from the first rewind to the last. */
const endless = {
  usesBeforeRetirement: Number.MAX_SAFE_INTEGER,
  ageBeforeRetirementMs: Number.MAX_SAFE_INTEGER,
} as const;

export interface SoakOptions {
  /** How long: until this function gives 1. It is given the rewinds made so far. */
  readonly progress: (rewinds: number) => number;
  /** One rewind of so many is verified. */
  readonly verifyOneIn: number;
  /** Told of each sample. */
  readonly tell?: (progress: number, rewinds: number) => void;
}

/** Collects garbage first, where Node was started with --expose-gc. */
function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / kB;
}

function numberIn(text: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN);
}

/** What a process uses, by what the kernel says of it. */
function usage(pid: number): Readonly<Record<string, number>> {
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, "latin1");
  const status = read("status");
  const rollup = read("smaps_rollup");
  return {
    "RSS kB": numberIn(status, "VmRSS"),
    "private kB": numberIn(rollup, "Private_Dirty"),
    "size kB": numberIn(status, "VmSize"),
    "page tables kB": numberIn(status, "VmPTE"),
    mappings: read("maps").split("\n").length - 1,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: numberIn(status, "Threads"),
  };
}

/** One container and the activations that run in it, one after the other. */
class Runner {
  readonly #real: RealInvoker;
  readonly #family: Family;
  readonly #sandbox: Sandbox;
  #answeredMs: number[] = [];

  constructor(real: RealInvoker, family: Family, sandbox: Sandbox) {
    this.#real = real;
    this.#family = family;
    this.#sandbox = sandbox;
    for (const [name, code] of Object.entries(mixes[family].actions))
      real.put(`${family}-${name}`, { kind: kindOf[family], code });
  }

  async turn(): Promise<void> {
    const { order }: Mix = mixes[this.#family];
    for (let i = 0; i < activationsPerTurn; i++) {
      const name = order[i % order.length];
      const { record, answeredMs } = await this.#real.run(`${this.#family}-${name}`, {});
      if (record.response.statusCode !== 0)
        throw new Error(`${this.#family}-${name}: ${JSON.stringify(record.response)}`);
      this.#answeredMs.push(answeredMs);
    }
  }

  /** Of the container, which is at its checkpoint. */
  sample(): Readonly<Record<string, number>> {
    const answeredMs = median(this.#answeredMs);
    this.#answeredMs = [];
    return {
      ...usage(this.#sandbox.runtimePid),
      "cgroup kB": this.#sandbox.memoryUsedBytes() / kB,
      "answer ms": answeredMs,
    };
  }
}

/** Samples by column. */
class Samples {
  readonly #columns = new Map<string, number[]>();

  note(of: string, values: Readonly<Record<string, number>>): void {
    for (const [what, value] of Object.entries(values)) {
      const name = `${of}: ${what}`;
      const column = this.#columns.get(name);
      if (column === undefined) this.#columns.set(name, [value]);
      else column.push(value);
    }
  }

  columns(): readonly Column[] {
    return [...this.#columns].map(([name, values]) => ({ name, values }));
  }
}

/** Runs both containers at once until `progress` says that it is enough, or one had to be replaced. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const sandboxes: Sandbox[] = [];
  const stemCells = families.map((family) => ({ kind: kindOf[family], count: 1, memoryMB: containerMB }));
  const pool = { userMemoryMB: containerMB * families.length, stemCells, ...endless };
  const verified = { verifyFirst: 0, verifyOneIn: options.verifyOneIn };
  const real = await RealInvoker.start({ ...pool, ...verified }, "soak", (one) => sandboxes.push(one));
  try {
    const runners = families.map((family) => {
      const sandbox = sandboxes.find(({ kind }) => kind === kindOf[family]);
      if (sandbox === undefined) throw new Error(`no container for ${family}`);
      return [family, new Runner(real, family, sandbox)] as const;
    });
    return await runAll(real, new Map(runners), options);
  } finally {
    await real.stop();
  }
}

async function runAll(
  real: RealInvoker,
  runners: ReadonlyMap<Family, Runner>,
  { progress, tell }: SoakOptions,
): Promise<SoakReport> {
  const samples = new Samples();
  const sample = (): void => {
    samples.note("invoker", { ...usage(process.pid), "heap kB": heapUsed() });
    for (const [family, runner] of runners) samples.note(family, runner.sample());
  };
  const startMs = performance.now();
  let rewinds = 0;
  sample();
  for (let reached = 0, taken = 0; reached < 1 && real.taints().length === 0; ) {
    // Both at once, and both at their checkpoints when a sample is taken.
    await Promise.all([...runners.values()].map((runner) => runner.turn()));
    rewinds += activationsPerTurn * runners.size;
    reached = progress(rewinds);
    if (reached < (taken + 1) / samplesInAll || real.taints().length > 0) continue;
    taken = Math.floor(reached * samplesInAll);
    sample();
    tell?.(reached, rewinds);
  }
  return {
    ...{ rewinds, tookMs: performance.now() - startMs },
    ...{ taints: real.taints(), columns: samples.columns() },
  };
}
