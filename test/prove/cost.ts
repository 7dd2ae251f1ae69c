// What each step of a rewind costs where it has nothing to put back: with it and without it in turn, on an idle container.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Checkpoint } from "../../pool/index.ts";
import type { Family } from "../corpus.ts";
import { Ground } from "./ground.ts";
import { leaveOutNative, nativeStepNames, testLibrary } from "./steps.ts";

const pairs = 300;

/** Of memory and registers alone. Without one of these an idle process would not go on. */
const core = [
  ...["hold-signals", "injected-code", "layout", "written-pages", "pages"],
  ...["general-registers", "vector-registers", "signal-masks", "cpu-number", "clear-table"],
];

export interface Costs {
  /** Microseconds, median, of an idle container's rewind. */
  readonly wholeUs: number;
  /** With nothing but memory and registers put back. */
  readonly coreUs: number;
  /** By the step's name: the median difference that leaving it out makes. Steps that cannot be left out are absent. */
  readonly stepsUs: ReadonlyMap<string, number>;
  /** Of each median. */
  readonly n: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

async function timed(checkpoint: Checkpoint): Promise<number> {
  return (await checkpoint.rewind({ verify: false })).totalUs;
}

/** Needs the test build of the library. */
export async function measureCosts(family: Family): Promise<Costs> {
  let checkpoint: Checkpoint | undefined;
  const ground = await Ground.start({
    family,
    name: `cost-${family}`,
    verify: false,
    change: (machine) => ({
      ...machine,
      takeCheckpoint: async (pids) => {
        checkpoint = await machine.takeCheckpoint?.(pids);
        if (checkpoint === undefined) throw new Error("no rung is proven on this machine");
        return checkpoint;
      },
    }),
  });
  if (checkpoint === undefined) throw new Error("no container was started");
  const idle = checkpoint;
  const differenceUs = async (
    names: readonly string[],
  ): Promise<{ differenceUs: number; wholeUs: number }> => {
    const differences: number[] = [];
    const whole: number[] = [];
    for (let i = 0; i < pairs; i++) {
      leaveOutNative([]);
      const withUs = await timed(idle);
      leaveOutNative(names);
      differences.push(withUs - (await timed(idle)));
      whole.push(withUs);
    }
    leaveOutNative([]);
    return { differenceUs: median(differences), wholeUs: median(whole) };
  };
  const beside = nativeStepNames().filter((name) => !core.includes(name));
  const all = await differenceUs(beside);
  const stepsUs = new Map<string, number>();
  for (const name of beside) stepsUs.set(name, (await differenceUs([name])).differenceUs);
  await ground.stop();
  return { wholeUs: all.wholeUs, coreUs: all.wholeUs - all.differenceUs, stepsUs, n: pairs };
}

/** As measureCosts, from a process that need not have the test build. */
export async function costsOf(family: Family): Promise<Costs> {
  const program = fileURLToPath(new URL("cost-program.js", import.meta.url));
  const env = { ...process.env, REWHISK_NATIVE_LIBRARY: testLibrary };
  const { stdout } = await promisify(execFile)(process.execPath, [program, family], { env });
  const { stepsUs, ...whole } = JSON.parse(stdout) as Omit<Costs, "stepsUs"> & {
    stepsUs: [string, number][];
  };
  return { ...whole, stepsUs: new Map(stepsUs) };
}
