// Measures: activations per second of a tiny action, by several callers of whom each begins the next when the last has been answered and
//   its container released: where every activation has a container that nobody has used, and where containers are rewound; all of them
//   in turn. Then from the death of fifty containers at once to fifty clean ones, in turn with all ways of making them. Then from 64 calls
//   at once to the last answer, each by a container that is new: of those that were made ahead, and with nothing made ahead.
// Does not measure: the invoker; what callers wait who come seldom, for whom there is a container made ahead (first-call.ts).
// Varies: how containers are made.

import { Bench } from "./bench.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { kindOf, tiny } from "./programs.ts";
import { observeLiving, replaceAll } from "./replacement.ts";

const kind = kindOf.nodejs;
const memoryMB = 128;
const stemCells = 4;
const callers = 4;
const room = 16;
const callsOfPass = 40;
const passes = 7;
const many = 50;
const manyRounds = 5;

const atOnce = 64;
const bursts = 5;
/** Between two bursts with nothing ahead. */
const singles = 8;
/** As the setting has it by default. */
const usualAhead = 4;

const ways = { booted: true, started: false } as const;
type Way = keyof typeof ways;

/** Activations per second. */
async function pass(bench: Bench, code: string): Promise<number> {
  let left = callsOfPass;
  const sinceMs = performance.now();
  const call = async (): Promise<void> => {
    while (left-- > 0) await bench.call(code);
  };
  await Promise.all(Array.from({ length: callers }, call));
  const perSecond = (callsOfPass / (performance.now() - sinceMs)) * 1000;
  await bench.settled();
  return perSecond;
}

async function throughput(): Promise<readonly Figure[]> {
  const stemCell = { count: stemCells, memoryMB };
  const start = (name: string, rewind: "always" | "fresh", boots: boolean): Promise<Bench> =>
    Bench.start(kind, rewind, {
      ...{ name, stemCell, userMemoryMB: room * memoryMB, settings: { boots } },
      factory: { containersAhead: usualAhead },
    });
  const benches = {
    always: await start("always", "always", false),
    booted: await start("fresh-booted", "fresh", ways.booted),
    started: await start("fresh-started", "fresh", ways.started),
  };
  const code = tiny("nodejs", 0);
  const samples = { always: [] as number[], booted: [] as number[], started: [] as number[] };
  for (let i = 0; i < passes; i++)
    for (const name of Object.keys(benches) as (keyof typeof benches)[])
      samples[name].push(await pass(benches[name], code));
  for (const bench of Object.values(benches)) await bench.stop();
  const named = (figure: string) => ({ bench: "fresh", figure: `nodejs tiny, ${figure}` });
  return [
    fromSamples({ ...named("rewound"), unit: "1/s" }, samples.always),
    ...(Object.keys(ways) as Way[]).flatMap((way) => [
      fromSamples({ ...named(`fresh, ${way}`), unit: "1/s" }, samples[way]),
      ratio(
        { ...named(`fresh, ${way} / rewound`), ...(way === "booted" && { goal: ">= 0.4" }) },
        samples[way],
        samples.always,
      ),
    ]),
  ];
}

async function replacements(): Promise<readonly Figure[]> {
  const start = async (
    way: Way,
    containersAhead: number,
  ): Promise<{ replace: () => Promise<number>; stop: () => Promise<void> }> => {
    const { living, change } = observeLiving();
    const bench = await Bench.start(kind, "always", {
      ...{
        name: `replaced-${way}-${containersAhead}`,
        change,
        userMemoryMB: many * memoryMB,
        stemCell: { count: many, memoryMB },
      },
      settings: { boots: ways[way] },
      factory: { containersAhead },
    });
    const replace = async (): Promise<number> => {
      // All at the same time, so that each container is used: what is lost unused is replaced after a while only.
      await Promise.all(Array.from({ length: many }, () => bench.call(tiny("nodejs", 0))));
      await bench.madeAhead(containersAhead);
      const tookMs = await replaceAll(bench, living);
      await bench.settled();
      return tookMs;
    };
    return { replace, stop: () => bench.stop() };
  };
  const benches = {
    booted: await start("booted", 0),
    ahead: await start("booted", many),
    started: await start("started", 0),
  };
  const samples = { booted: [] as number[], ahead: [] as number[], started: [] as number[] };
  for (let i = 0; i < manyRounds; i++)
    for (const way of Object.keys(benches) as (keyof typeof benches)[])
      samples[way].push(await benches[way].replace());
  for (const { stop } of Object.values(benches)) await stop();
  const named = (figure: string) => ({ bench: "fresh", figure: `nodejs, ${many} replaced, ${figure}` });
  return [
    fromSamples({ ...named("booted, nothing ahead"), unit: "ms", goal: "<= 250" }, samples.booted),
    fromSamples({ ...named("booted ahead"), unit: "ms", goal: "<= 250" }, samples.ahead),
    fromSamples({ ...named("started"), unit: "ms" }, samples.started),
    ratio(named("booted / started"), samples.booted, samples.started),
  ];
}

async function burst(how: string, made: { containersAhead: number; networksAhead: number }) {
  const { containersAhead } = made;
  const bench = await Bench.start(kind, "fresh", {
    ...{ name: "burst", stemCell: { count: 1, memoryMB }, userMemoryMB: (atOnce + stemCells) * memoryMB },
    settings: { boots: true },
    factory: made,
  });
  const code = tiny("nodejs", 0);
  const lastMs: number[] = [];
  const aloneMs: number[] = [];
  const atRest = async (): Promise<void> => {
    await bench.settled();
    await bench.madeAhead(containersAhead);
  };
  // The first are not yet booted ahead.
  for (let i = 0; i <= bursts; i++) {
    await atRest();
    const calls = await Promise.all(Array.from({ length: atOnce }, () => bench.call(code)));
    if (i > 0) lastMs.push(Math.max(...calls.map(({ answeredMs }) => answeredMs)));
    await atRest();
    // With some ahead as long as none is made in their place; after that they are.
    for (let k = 0; containersAhead > 0 ? bench.readyAhead > atOnce / 2 : k < singles; k++) {
      aloneMs.push((await bench.call(code)).answeredMs);
      if (containersAhead === 0) await bench.settled();
    }
  }
  await bench.stop();
  const named = (figure: string) => ({
    bench: "fresh",
    figure: `nodejs tiny, ${atOnce} at once, ${how}${figure}`,
  });
  return [
    fromSamples({ ...named(", last answer"), unit: "ms", goal: "<= 250" }, lastMs),
    ratio(
      { ...named(` / ${atOnce} times one alone`), goal: "<= 1" },
      lastMs,
      aloneMs.map((ms) => atOnce * ms),
    ),
  ];
}

export async function fresh(): Promise<readonly Figure[]> {
  return [
    ...(await throughput()),
    ...(await burst("booted ahead", { containersAhead: atOnce, networksAhead: atOnce })),
    ...(await burst("booted, nothing ahead", { containersAhead: 0, networksAhead: 0 })),
    ...(await replacements()),
  ];
}
