// Measures: for each of many idle containers, booted and started, as they were made, and after each has run a tiny action and been
//   rewound: the memory of its processes, and its share of what they have in common (PSS; all that is beside the containers,
//   such as what others are forked from, is divided among them); what the machine has less of available memory (page tables, the
//   kernel's own and the invoker's too); and how many of that there could be in 2 GiB.
// Does not measure: networks; actions that need memory of their own; the page cache.
// Varies: the language, how containers are made.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "../test/processes.ts";
import { Bench } from "./bench.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { kindOf, tiny, type UsualFamily, usualFamilies } from "./programs.ts";

const bench = "idle";
const memoryMB = 128;
/** As many booted Node containers as the goal has in 2 GiB, where so many files may be open: each takes about 46 of the invoker's descriptors. */
const many = { booted: Math.min(1000, Math.floor((openFilesMax() - 1000) / 48)), started: 50 } as const;
const rounds = 3;
/** Until the kernel has taken back what it frees later. */
const settleMs = 2000;

function openFilesMax(): number {
  return Number(/^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]);
}

function availableMB(): number {
  return Number(/^MemAvailable: +(\d+)/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1]) / 1024;
}

/** Of available memory, when the kernel has taken back what it frees later. */
export async function settledMB(): Promise<number> {
  await sleep(settleMs);
  return availableMB();
}

/** Megabytes: of all processes that have come of this one. */
function sharesMB(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + shareMB(child) + sharesMB(child), 0);
}

function shareMB(pid: number): number {
  return Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1]) / 1024;
}

/** For each container. */
interface Memory {
  readonly shareMB: number;
  readonly availableMB: number;
}

type State = "never used" | "used and rewound";

async function pass(family: UsualFamily, way: keyof typeof many): Promise<Record<State, Memory>> {
  const count = many[way];
  const kind = kindOf[family];
  const settings = { boots: way === "booted" };
  const beforeMB = await settledMB();
  const look = async (): Promise<Memory> => ({
    availableMB: (beforeMB - (await settledMB())) / count,
    shareMB: sharesMB(process.pid) / count,
  });
  const pool = await Bench.start(kind, "always", {
    ...{ name: "idle", userMemoryMB: count * memoryMB, stemCell: { count, memoryMB }, settings },
  });
  const unused = await look();
  // All at the same time, so that each container is used.
  await Promise.all(Array.from({ length: count }, (_, i) => pool.call(tiny(family, i))));
  await pool.settled();
  const used = await look();
  await pool.stop();
  return { "never used": unused, "used and rewound": used };
}

/** Of booted ones. */
const goals: Readonly<Record<State, string>> = { "never used": "<= 0.25", "used and rewound": "<= 2.5" };

function figuresOf(
  family: UsualFamily,
  way: keyof typeof many,
  passes: readonly Record<State, Memory>[],
): Figure[] {
  const ofBooted = (goal: string) => (way === "booted" ? { goal } : {});
  return (Object.keys(goals) as readonly State[]).flatMap((state) => {
    const figure = `${family}, ${many[way]} ${way}, ${state}`;
    const available = passes.map((one) => one[state].availableMB);
    const shares = passes.map((one) => one[state].shareMB);
    return [
      fromSamples({ bench, figure: `${figure}: PSS of each`, unit: "MB", ...ofBooted(goals[state]) }, shares),
      fromSamples({ bench, figure: `${figure}: available memory for each`, unit: "MB" }, available),
      fromSamples(
        {
          bench,
          figure: `${figure}: would go into 2 GiB`,
          unit: "",
          ...(family === "nodejs" && ofBooted(">= 1000")),
        },
        available.map((mb) => 2048 / mb),
      ),
    ];
  });
}

export async function idle(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of usualFamilies) {
    const passes = { booted: [] as Record<State, Memory>[], started: [] as Record<State, Memory>[] };
    for (let round = 0; round < rounds; round++)
      for (const way of ["booted", "started"] as const) passes[way].push(await pass(family, way));
    for (const way of ["booted", "started"] as const) figures.push(...figuresOf(family, way, passes[way]));
  }
  return figures;
}
