// Measures: what the machine has less of available memory (all processes, page tables, the kernel's own, the invoker) for each of many
//   idle containers, booted and started: as they were made, and after each has run a tiny action and been rewound.
// Does not measure: networks; actions that need memory of their own; the page cache.
// Varies: the language, how containers are made.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
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

async function pass(family: UsualFamily, way: keyof typeof many): Promise<{ unused: number; used: number }> {
  const count = many[way];
  const kind = kindOf[family];
  const settings = { boots: way === "booted" };
  const beforeMB = await settledMB();
  const pool = await Bench.start(kind, "always", {
    ...{ name: "idle", userMemoryMB: count * memoryMB, stemCell: { count, memoryMB }, settings },
  });
  const unusedMB = await settledMB();
  // All at the same time, so that each container is used.
  await Promise.all(Array.from({ length: count }, (_, i) => pool.call(tiny(family, i))));
  await pool.settled();
  const usedMB = await settledMB();
  await pool.stop();
  return { unused: (beforeMB - unusedMB) / count, used: (beforeMB - usedMB) / count };
}

export async function idle(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of usualFamilies) {
    const samples = { booted: { unused: [], used: [] }, started: { unused: [], used: [] } } as Record<
      keyof typeof many,
      Record<"unused" | "used", number[]>
    >;
    for (let round = 0; round < rounds; round++)
      for (const way of ["booted", "started"] as const) {
        const { unused, used } = await pass(family, way);
        samples[way].unused.push(unused);
        samples[way].used.push(used);
      }
    for (const way of ["booted", "started"] as const) {
      const figure = (of: string): string => `${family}, ${many[way]} ${way}, each ${of}`;
      const [unused, used] = way === "booted" ? [{ goal: "<= 0.25" }, { goal: "<= 2.5" }] : [{}, {}];
      figures.push(
        fromSamples({ bench, figure: figure("never used"), unit: "MB", ...unused }, samples[way].unused),
        fromSamples({ bench, figure: figure("used and rewound"), unit: "MB", ...used }, samples[way].used),
      );
    }
  }
  return figures;
}
