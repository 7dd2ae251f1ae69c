// Measures: init and run of a small action that nobody has seen, and the rewind after it, in containers 1, 10 and 60 seconds
//   old, in turn. Timers of the checkpoint might have fallen due meanwhile, and would fire after every rewind: the action has
//   the event loop turn. For comparison, a container whose checkpoint was taken when its runtime had been idle for 12 seconds.
// Does not measure: the first rewinds of a container, which are verified; anything of the invoker.
// Varies: the language; age; when the checkpoint was taken.

import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../pool/index.ts";
import { Bench } from "./bench.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { kindOf, tiny, type UsualFamily, usualFamilies } from "./programs.ts";

const oldestS = 60;
const settleMs = 12_000;
const firstRounds = 20;
const rounds = 400;
/** One language is measured after the other: time enough for all its rounds. */
const turnMs = 15_000;

/** By name: when it is started, in seconds before the measurement. */
const ages = { "1 s": 1, "10 s": 10, "60 s": 60, settled: 60 } as const;
type Name = keyof typeof ages;

function program(family: UsualFamily, serial: number): string {
  return family === "python"
    ? tiny(family, serial)
    : `async function main() { for (let i = 0; i < 3; i++) await new Promise((next) => setImmediate(next)); return { serial: ${serial} }; }`;
}

/** Takes checkpoints late. */
function settled(machine: Machine): Machine {
  const { takeCheckpoint } = machine;
  if (takeCheckpoint === undefined) throw new Error("no rung proved itself: there is nothing to measure");
  return { ...machine, takeCheckpoint: (pids) => sleep(settleMs).then(() => takeCheckpoint(pids)) };
}

async function startAt(startMs: number, family: UsualFamily, name: Name): Promise<Bench> {
  await sleep(Math.max(0, startMs - performance.now()));
  const change = name === "settled" ? { change: settled } : {};
  const bench = await Bench.start(kindOf[family], "always", {
    name: `age-${family}-${name.replace(" ", "")}`,
    ...change,
  });
  for (let i = 0; i < firstRounds; i++) await bench.runNew(program(family, i));
  bench.rewinds.length = 0;
  return bench;
}

async function measure(family: UsualFamily, measureMs: number): Promise<readonly Figure[]> {
  const names = Object.keys(ages) as Name[];
  const benches = await Promise.all(
    names.map((name) => startAt(measureMs - ages[name] * 1000, family, name)),
  );
  await sleep(Math.max(0, measureMs - performance.now()));
  const init = names.map((): number[] => []);
  const run = names.map((): number[] => []);
  for (let i = 0; i < rounds; i++)
    for (const [which, bench] of benches.entries()) {
      const { initMs, runMs } = await bench.runNew(program(family, i));
      init[which]?.push(initMs);
      run[which]?.push(runMs);
    }
  const rewind = benches.map(({ rewinds }) =>
    rewinds.filter(({ verified }) => !verified).map(({ totalUs }) => totalUs / 1000),
  );
  for (const bench of benches) await bench.stop();
  return Object.entries({ init, run, rewind }).flatMap(([what, samples]) =>
    names.flatMap((name, which) => {
      const of = { bench: "age", figure: `${family} ${what}, ${name}` };
      const [mine = [], youngest = []] = [samples[which], samples[0]];
      const row = fromSamples({ ...of, unit: "ms" }, mine);
      return which === 0 ? [row] : [row, ratio({ ...of, figure: `${of.figure} / 1 s` }, mine, youngest)];
    }),
  );
}

export async function age(): Promise<readonly Figure[]> {
  const firstMs = performance.now() + oldestS * 1000;
  const figures = usualFamilies.map((family, which) => measure(family, firstMs + which * turnMs));
  return (await Promise.all(figures)).flat();
}
