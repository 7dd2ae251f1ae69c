// Measures: how long calls wait that all come at the same moment, each of them to an action that nobody has seen: where each has a
//   container made for it (lean ones; lean ones with a network of their own, which is made with them; Docker's), all at the same time;
//   and where they take turns in as many rewound containers as there are processors, which is rewhisk's own way.
// Does not measure: the invoker, a bus, HTTP; containers booted from an image, or made ahead in part or but for their program (create.ts).
// Varies: the way; how many at once.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Bench } from "../bench.ts";
import { PoolOfDocker, startDockerWithImage } from "../docker-path.ts";
import { type Figure, fromSamples, quantile } from "../figures.ts";
import { allowForwarding } from "../forwarding.ts";
import { type Family, kindOf, tiny } from "../programs.ts";

const bench = "at-once";
const counts = [1, 2, 4, 8, 16, 32, 64];
const dockerCounts = [1, 2, 4, 8, 16];
const memoryMB = 128;
/** Sixty-four interpreters that start at once take their time where processors are few. */
const startTimeoutMs = 300_000;

/** Milliseconds to the answer of each call of a round. */
type Burst = (count: number) => Promise<readonly number[]>;

interface Way {
  readonly name: string;
  readonly counts: readonly number[];
  readonly burst: Burst;
  readonly stop: () => Promise<void>;
}

let serial = 0;

/** Throws after the last has ended, if one fails. */
async function all(calls: readonly Promise<number>[]): Promise<readonly number[]> {
  await Promise.allSettled(calls);
  return await Promise.all(calls);
}

async function lean(family: Family, most: number, network?: "nat"): Promise<Way> {
  const name = `${family}, made for the call${network ? ", with a network" : ""}`;
  const putBack = network ? allowForwarding() : () => {};
  const own = await Bench.start(kindOf[family], "always", {
    name: `at-once-${family}${network ?? ""}`,
    stemCell: { memoryMB },
    userMemoryMB: most * memoryMB,
    settings: { stemCells: [], usesBeforeRetirement: 1, parallelStarts: most, startTimeoutMs },
    factory: { startTimeoutMs, networksAhead: 0, ...(network ? { network } : {}) },
  }).catch((error: unknown) => {
    putBack();
    throw error;
  });
  return {
    ...{ name, counts: counts.filter((count) => count <= most) },
    async burst(count) {
      const calls = Array.from({ length: count }, () => own.runNew(tiny(family, serial++)));
      const taken = await all(calls.map((call) => call.then(({ answeredMs }) => answeredMs)));
      await own.settled();
      return taken;
    },
    async stop() {
      await own.stop();
      putBack();
    },
  };
}

async function rewound(family: Family, most: number): Promise<Way> {
  const containers = availableParallelism();
  const own = await Bench.start(kindOf[family], "always", {
    name: `at-once-${family}-rewound`,
    stemCell: { memoryMB, count: containers },
    settings: { verifyFirst: 1, patienceMs: 60_000 },
  });
  return {
    name: `${family}, in rewound containers (${containers})`,
    counts: counts.filter((count) => count <= most),
    async burst(count) {
      const calls = Array.from({ length: count }, () => own.runNew(tiny(family, serial++)));
      return await all(calls.map((call) => call.then(({ answeredMs }) => answeredMs)));
    },
    stop: () => own.stop(),
  };
}

async function docker(most: number): Promise<Way> {
  const daemon = await startDockerWithImage();
  const parallel = { parallelRuns: most, parallelStarts: most, userMemoryMB: most * 256 };
  const pool = await PoolOfDocker.start(daemon, "wskatonce", [], parallel).catch(async (error: unknown) => {
    await daemon.stop();
    throw error;
  });
  return {
    ...{ name: "python, made by Docker", counts: dockerCounts.filter((count) => count <= most) },
    async burst(count) {
      const called = await Promise.allSettled(
        Array.from({ length: count }, () => pool.call(tiny("python", serial++))),
      );
      await Promise.all(
        called.map((one) => (one.status === "fulfilled" ? pool.remove(one.value.lease) : undefined)),
      );
      return await all(
        called.map((one) =>
          one.status === "fulfilled" ? Promise.resolve(one.value.tookMs) : Promise.reject(one.reason),
        ),
      );
    },
    async stop() {
      await pool.close();
      await daemon.stop();
    },
  };
}

const roundsFor = (count: number): number => (count === 1 ? 8 : count <= 8 ? 4 : count <= 16 ? 3 : 2);
/** So that the ends of one burst's containers are no part of the next. */
const restMs = 200;

/** All ways in turn, round by round; the bursts of each way by how many there are in one. */
async function measure(
  ways: readonly Way[],
  rounds: (count: number) => number,
): Promise<ReadonlyMap<Way, ReadonlyMap<number, readonly (readonly number[])[]>>> {
  const taken = new Map(ways.map((way) => [way, new Map<number, (readonly number[])[]>()]));
  for (const count of counts)
    for (let round = 0; round < rounds(count); round++)
      for (const [way, bursts] of taken) {
        if (!way.counts.includes(count)) continue;
        bursts.set(count, [...(bursts.get(count) ?? []), await way.burst(count)]);
        await sleep(restMs);
      }
  return taken;
}

function figuresOf(
  { name }: Way,
  taken: ReadonlyMap<number, readonly (readonly number[])[]>,
): readonly Figure[] {
  return [...taken].flatMap(([count, bursts]) => {
    const named = (what: string) => ({ bench, figure: `${name}: ${count} at once | ${what}`, unit: "ms" });
    const last = bursts.map((one) => quantile(one, 1));
    return [fromSamples(named("each"), bursts.flat()), fromSamples(named("the last"), last)];
  });
}

/** What this machine cannot do is said, and left out. */
async function ifPossible(what: string, start: () => Promise<Way>): Promise<readonly Way[]> {
  try {
    return [await start()];
  } catch (error) {
    console.log(`${what} is left out: ${error}`);
    return [];
  }
}

export async function atOnce({
  most = 64,
  withDocker = true,
  rounds = roundsFor,
} = {}): Promise<readonly Figure[]> {
  const ways: Way[] = [];
  try {
    ways.push(await lean("python", most));
    ways.push(...(await ifPossible("with a network", () => lean("python", most, "nat"))));
    if (withDocker) ways.push(...(await ifPossible("Docker", () => docker(Math.min(most, 16)))));
    ways.push(await rewound("python", most));
    ways.push(await lean("nodejs", most));
    ways.push(await rewound("nodejs", most));
    return [...(await measure(ways, rounds))].flatMap(([way, taken]) => figuresOf(way, taken));
  } finally {
    for (const way of ways) await way.stop();
  }
}
