// Measures: from the message on the bus to the result ack, in turn: an action never seen before, the same action again
//   (rewound in between, so it is loaded again), an action kept warm and not loaded again, and now and then one whose
//   container is made for the call.
// Does not measure: HTTP, a real Kafka, a real CouchDB.
// Varies: the language.

import { setTimeout as sleep } from "node:timers/promises";
import { findInterpreters } from "../pool/index.ts";
import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { invoke } from "./invoke.ts";
import { type Family, familiesOf, kindOf, tiny } from "./programs.ts";

const rounds = 500;
const roundsPerCold = 50;
const goals: Readonly<Partial<Record<Family, string>>> = { nodejs: "<= 1.5", python: "<= 1.3" };

/** Its container serves one call; while it is being removed, it takes time from whatever else runs. */
async function untilEmpty(real: RealInvoker): Promise<void> {
  while (real.invoker.status().pool.containers.length > 0) await sleep(1);
}

export async function firstCall(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const kinds = (await findInterpreters()).map(({ kind }) => kind);
  for (const family of familiesOf(kinds)) {
    const kind = kindOf[family];
    const one = { userMemoryMB: 256, stemCells: [{ kind, count: 1, memoryMB: 256 }] };
    const none = { userMemoryMB: 256, stemCells: [], usesBeforeRetirement: 1 };
    const rewinding = await RealInvoker.start(one, "rewinding");
    const keeping = await RealInvoker.start({ ...one, rewind: "on-change" }, "keeping");
    const making = await RealInvoker.start(none, "making");
    keeping.put("warm", { kind, code: tiny(family, 0) });
    making.put("cold", { kind, code: tiny(family, 0) });
    await invoke(keeping, "warm");

    const never: number[] = [];
    const again: number[] = [];
    const warm: number[] = [];
    const cold: number[] = [];
    for (let i = 0; i < rounds; i++) {
      rewinding.put(`new${i}`, { kind, code: tiny(family, i) });
      never.push((await invoke(rewinding, `new${i}`)).answeredMs);
      again.push((await invoke(rewinding, "new0")).answeredMs);
      warm.push((await invoke(keeping, "warm")).answeredMs);
      if (i % roundsPerCold !== 0) continue;
      cold.push((await invoke(making, "cold")).answeredMs);
      await untilEmpty(making);
    }
    for (const real of [rewinding, keeping, making]) await real.stop();

    const bench = "first-call";
    const goal = goals[family];
    figures.push(
      fromSamples({ bench, figure: `${family} never seen`, unit: "ms" }, never),
      fromSamples({ bench, figure: `${family} same again, rewound`, unit: "ms" }, again),
      fromSamples({ bench, figure: `${family} kept warm`, unit: "ms" }, warm),
      fromSamples({ bench, figure: `${family} cold`, unit: "ms" }, cold),
      ratio({ bench, figure: `${family} never seen / same again`, ...(goal && { goal }) }, never, again),
      ratio({ bench, figure: `${family} never seen / kept warm` }, never, warm),
      ratio({ bench, figure: `${family} cold / never seen`, goal: ">= 100" }, cold, never),
    );
  }
  return figures;
}
