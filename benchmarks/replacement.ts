// Measures: from the sudden death of a runtime (SIGKILL) to a clean container in its place: idle, and in the middle of an
//   activation; where there is memory for the new one at once, and where the old one has to be gone first. Then from the death
//   of fifty at once to fifty clean ones.
// Does not measure: the invoker; containers booted from an image (boot.ts, fresh.ts).
// Varies: the language; memory; how many.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine, Sandbox } from "../pool/index.ts";
import { Bench } from "./bench.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { kindOf, type UsualFamily, usualFamilies } from "./programs.ts";

const rounds = 30;
const memoryMB = 128;
const many = 50;
const manyRounds = 5;
/** Long enough for an action to have been loaded. */
const loadMs = 20;

const endless = {
  nodejs: "function main() { for (;;); }",
  python: "def main(args):\n  while True: pass\n",
} as const satisfies Record<UsualFamily, string>;

/** Those of a machine that are alive, once `change` has been made to it. */
export function observeLiving(): {
  readonly living: ReadonlySet<Sandbox>;
  readonly change: (machine: Machine) => Machine;
} {
  const living = new Set<Sandbox>();
  const change = (machine: Machine): Machine => {
    const create = machine.factory.create.bind(machine.factory);
    machine.factory.create = async (...wanted) => {
      const sandbox = await create(...wanted);
      living.add(sandbox);
      void sandbox.exited.then(() => living.delete(sandbox));
      return sandbox;
    };
    return machine;
  };
  return { living, change };
}

/** Milliseconds from the killing of all living containers until as many are clean. */
export async function replaceAll({ events }: Bench, living: ReadonlySet<Sandbox>): Promise<number> {
  const sinceMs = performance.now();
  for (const { runtimePid } of living) process.kill(runtimePid, "SIGKILL");
  for (let missing = living.size; missing > 0; missing--) await once(events, "started");
  return performance.now() - sinceMs;
}

/** Kills `count` containers at a time in a pool with room for `room`, idle or running. */
async function measure(
  family: UsualFamily,
  { count, room, isRunning = false }: { count: number; room: number; isRunning?: boolean },
): Promise<readonly number[]> {
  const kind = kindOf[family];
  const { living, change } = observeLiving();
  const bench = await Bench.start(kind, "always", {
    ...{ name: "replacement", change, userMemoryMB: room * memoryMB, stemCell: { count, memoryMB } },
  });
  const samples: number[] = [];
  for (let i = 0; i < (count === 1 ? rounds : manyRounds); i++) {
    const failing = isRunning ? bench.runNew(endless[family]).catch(() => undefined) : undefined;
    if (isRunning) await sleep(loadMs);
    samples.push(await replaceAll(bench, living));
    await failing;
    await bench.settled();
  }
  await bench.stop();
  return samples;
}

export async function replacement(): Promise<readonly Figure[]> {
  const bench = "replacement";
  const figures: Figure[] = [];
  for (const family of usualFamilies) {
    const one = { bench, unit: "ms", goal: "<= 100" };
    const idle = await measure(family, { count: 1, room: 2 });
    figures.push(fromSamples({ ...one, figure: `${family}, idle` }, idle));
    const cramped = await measure(family, { count: 1, room: 1 });
    figures.push(fromSamples({ ...one, figure: `${family}, idle, no room for two` }, cramped));
    const running = await measure(family, { count: 1, room: 2, isRunning: true });
    figures.push(fromSamples({ ...one, figure: `${family}, running` }, running));
    const all = await measure(family, { count: many, room: many });
    figures.push(
      fromSamples({ bench, unit: "ms", goal: "<= 2000", figure: `${family}, ${many} at once` }, all),
    );
  }
  return figures;
}
