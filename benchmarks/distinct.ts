// Measures: activations per second at the invoker over 1,000 distinct tiny actions and over one, in turn, four in flight.
// Does not measure: HTTP, a real Kafka, a real CouchDB.
// Varies: the language.

import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { invoke } from "./invoke.ts";
import { kindOf, tiny, usualFamilies } from "./programs.ts";

const actions = 1000;
const passes = 3;
const inFlight = 4;

async function perSecond(real: RealInvoker, nameOf: (i: number) => string): Promise<number> {
  let next = 0;
  const start = performance.now();
  const worker = async () => {
    while (next < actions) await invoke(real, nameOf(next++));
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (actions * 1000) / (performance.now() - start);
}

export async function distinct(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of usualFamilies) {
    const kind = kindOf[family];
    const pool = { userMemoryMB: 1024, stemCells: [{ kind, count: inFlight, memoryMB: 256 }] };
    const real = await RealInvoker.start(pool, "distinct");
    for (let i = 0; i < actions; i++) real.put(`a${i}`, { kind, code: tiny(family, i) });
    const many: number[] = [];
    const one: number[] = [];
    for (let pass = 0; pass < passes; pass++) {
      many.push(await perSecond(real, (i) => `a${i}`));
      one.push(await perSecond(real, () => "a0"));
    }
    await real.stop();
    const bench = "distinct";
    figures.push(
      fromSamples({ bench, figure: `${family}, 1,000 actions`, unit: "1/s" }, many),
      fromSamples({ bench, figure: `${family}, 1 action`, unit: "1/s" }, one),
      ratio({ bench, figure: `${family}, 1,000 actions / 1 action`, goal: ">= 0.9" }, many, one),
    );
  }
  return figures;
}
