// Measures: from 1,000 messages that come at once, each for a tiny action that nobody has seen, to the last record; the invoker was idle,
//   with a container for each of its cells. None may fail.
// Does not measure: HTTP, a real Kafka, a real CouchDB.
// Varies: the language; how further containers are made, in turn.

import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { invoke } from "./invoke.ts";
import { kindOf, tiny, usualFamilies } from "./programs.ts";

const bench = "burst";
const actions = 1000;
const rounds = 5;
const memoryMB = 256;
const room = 8;
const cells = 2;

export async function burst(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of usualFamilies) {
    const kind = kindOf[family];
    const samples = { booted: [] as number[], started: [] as number[] };
    for (let round = 0; round < rounds; round++)
      for (const way of ["booted", "started"] as const) {
        const real = await RealInvoker.start(
          {
            ...{ userMemoryMB: room * memoryMB, boots: way === "booted" },
            stemCells: [{ kind, count: cells, memoryMB }],
          },
          "burst",
        );
        for (let i = 0; i < actions; i++) real.put(`a${i}`, { kind, code: tiny(family, i) });
        const sinceMs = performance.now();
        await Promise.all(Array.from({ length: actions }, (_, i) => invoke(real, `a${i}`)));
        samples[way].push((performance.now() - sinceMs) / 1000);
        await real.stop();
      }
    for (const way of ["booted", "started"] as const)
      figures.push(
        fromSamples(
          { bench, figure: `${family}, ${actions} at once, ${way}`, unit: "s", goal: "<= 3" },
          samples[way],
        ),
      );
  }
  return figures;
}
