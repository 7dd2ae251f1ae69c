// Measures: what each part that spares starts and inits contributes: all of them, all but one, and none. Of single calls, all ways in turn: from
//   the lease to the answer. Then of calls at once, each in a container that nobody has used, to the last answer. Then what the machine has
//   less of available memory for each idle container that was used.
// Does not measure: the invoker, the bus; many of one kind of call after the other, of which the other benchmarks have more.
// Varies: which part is switched off by its setting; containers of Node with a network.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CodeStore, type PoolSettings } from "../pool/index.ts";
import { files, zip } from "../test/runtimes/archives.ts";
import { Bench } from "./bench.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { allowForwarding } from "./forwarding.ts";
import { settledMB } from "./idle.ts";
import { kindOf, tiny } from "./programs.ts";

const bench = "parts";
const kind = kindOf.nodejs;
const memoryMB = 128;
const module = "express";
const rounds = 30;
/** The first rewinds of a container are verified. */
const unmeasured = 12;
const atOnce = 16;
const bursts = 5;
const idleCount = 30;
const idleRounds = 3;
const archiveBytes = 1_000_000;
const storeBytes = 1 << 30;
const startTimeoutMs = 60_000;

/** Each with what its setting is called. */
const parts = ["boots", "action-checkpoints", "libraries", "code-store", "ahead"] as const;
type Part = (typeof parts)[number];

const ways: ReadonlyMap<string, ReadonlySet<Part>> = new Map([
  ["all parts", new Set(parts)],
  ...parts.map((left): [string, ReadonlySet<Part>] => [
    `without ${left}`,
    new Set(parts.filter((part) => part !== left)),
  ]),
  ["no part", new Set<Part>()],
]);

/** Busy for 50 ms when it is loaded. */
const slow = (serial: number): string =>
  `const end = process.hrtime.bigint() + 50000000n; while (process.hrtime.bigint() < end); function main() { return { serial: ${serial} }; }`;
const importing = (serial: number): string =>
  `const library = require("${module}"); function main() { return { serial: ${serial}, used: typeof library.Router() }; }`;
const archive = (): Buffer =>
  zip([
    ...files({ "index.js": "exports.main = () => ({});" }),
    { path: "data.bin", content: randomBytes(archiveBytes) },
  ]);

interface Way {
  readonly has: ReadonlySet<Part>;
  readonly codes: CodeStore | undefined;
}

/** The pool of one way: `ahead` as by default in a cluster's invoker, or so many. */
function start(
  { has, codes }: Way,
  name: string,
  rewind: "always" | "fresh",
  how: {
    readonly cells: number;
    readonly room: number;
    readonly ahead?: number;
    readonly settings?: Partial<PoolSettings>;
  },
): Promise<Bench> {
  const { cells, room, ahead = 4, settings } = how;
  return Bench.start(kind, rewind, {
    ...{ name, stemCell: { count: cells, memoryMB }, userMemoryMB: room * memoryMB },
    change: (machine) => ({ ...machine, ...(codes && { codes }) }),
    settings: {
      boots: has.has("boots"),
      levelMemoryMB: has.has("action-checkpoints") ? 256 : 0,
      startTimeoutMs,
      ...settings,
    },
    factory: {
      network: "nat",
      startTimeoutMs,
      networksAhead: has.has("ahead") ? Math.max(16, ahead) : 0,
      containersAhead: has.has("ahead") ? ahead : 0,
    },
  });
}

type Samples = Map<string, number[]>;

async function singleCalls(
  all: ReadonlyMap<string, Way>,
  note: (row: string, way: string, ms: number) => void,
) {
  const libraries = [{ kind, count: 1, memoryMB, modules: [module] }];
  const pools = new Map<string, Bench>();
  for (const [name, way] of all) {
    const settings = way.has.has("libraries") ? { libraries } : {};
    pools.set(name, await start(way, `parts-${pools.size}`, "always", { cells: 1, room: 4, settings }));
  }
  const kept = { slow: slow(0), archive: archive() };
  for (let round = -unmeasured; round < rounds; round++)
    for (const [name, pool] of pools) {
      const call = async (row: string, ...[code, modules]: [string | Buffer, string[]?]): Promise<void> => {
        const { answeredMs } = await pool.call(code, {}, modules);
        if (round >= 0) note(row, name, answeredMs);
      };
      const serial = round + unmeasured;
      await call("never seen, tiny", tiny("nodejs", serial));
      await call("never seen, imports a library", importing(serial), [module]);
      await pool.call(kept.slow);
      await call("seen right before, its init takes 50 ms", kept.slow);
      await pool.call(kept.archive);
      await call("seen right before, an archive of 1 MB", kept.archive);
    }
  for (const pool of pools.values()) await pool.stop();
}

async function newContainers(
  all: ReadonlyMap<string, Way>,
  note: (row: string, way: string, ms: number) => void,
) {
  const pools = new Map<string, Bench>();
  for (const [name, way] of all) {
    const room = atOnce + 1;
    // More are made when half of them are gone.
    const ahead = 2 * atOnce;
    pools.set(name, await start(way, `parts-new-${pools.size}`, "fresh", { cells: 1, room, ahead }));
  }
  // The first ones are made before there is anything to boot from.
  for (let round = -1; round < bursts; round++)
    for (const [name, pool] of pools) {
      await pool.settled();
      if (all.get(name)?.has.has("ahead")) await pool.madeAhead(atOnce);
      const calls = Array.from({ length: atOnce }, (_, i) => pool.call(tiny("nodejs", i)));
      const lastMs = Math.max(...(await Promise.all(calls)).map(({ answeredMs }) => answeredMs));
      if (round >= 0) note(`${atOnce} at once, each in a new container: the last`, name, lastMs);
    }
  for (const pool of pools.values()) await pool.stop();
}

async function idleMemory(way: Way): Promise<number> {
  const beforeMB = await settledMB();
  const pool = await start(way, "parts-idle", "always", { cells: idleCount, room: idleCount, ahead: 0 });
  await Promise.all(Array.from({ length: idleCount }, (_, i) => pool.call(tiny("nodejs", i))));
  await pool.settled();
  const usedMB = await settledMB();
  await pool.stop();
  return (beforeMB - usedMB) / idleCount;
}

export async function partByPart(): Promise<readonly Figure[]> {
  const putBack = allowForwarding();
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-bench-parts-"));
  const all = new Map(
    [...ways].map(([name, has], i): [string, Way] => {
      const codes = has.has("code-store")
        ? new CodeStore({ folder: join(folder, `${i}`), maxBytes: storeBytes })
        : undefined;
      return [name, { has, codes }];
    }),
  );
  const rows = new Map<string, Samples>();
  const note = (row: string, way: string, value: number): void => {
    const samples = rows.get(row) ?? new Map<string, number[]>();
    samples.set(way, [...(samples.get(way) ?? []), value]);
    rows.set(row, samples);
  };
  try {
    await singleCalls(all, (row, way, ms) => note(`${row} (ms)`, way, ms));
    await newContainers(all, (row, way, ms) => note(`${row} (ms)`, way, ms));
    for (let round = 0; round < idleRounds; round++)
      for (const [name, way] of all) note("memory of an idle container (MB)", name, await idleMemory(way));
  } finally {
    for (const { codes } of all.values()) await codes?.close();
    rmSync(folder, { recursive: true });
    putBack();
  }
  return [...rows].flatMap(([row, samples]) =>
    Array.from(samples, ([way, values]) =>
      fromSamples({ bench, figure: `${row} | ${way}`, unit: row.endsWith("(MB)") ? "MB" : "ms" }, values),
    ),
  );
}
