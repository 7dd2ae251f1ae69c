// Measures: from the message on the bus to the result ack, in turn: an action never seen before, and the same action again
//   (rewound in between, so it is loaded again); before them, containers made for the call; after them, an action kept warm
//   and not loaded again.
// Does not measure: HTTP, a real Kafka, a real CouchDB.
// Varies: the language.

import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { families, kindOf, tiny } from "./programs.ts";

const rounds = 500;
const colds = 10;
const goals = { nodejs: "<= 1.5", python: "<= 1.3" } as const;

export async function firstCall(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of families) {
    const kind = kindOf[family];
    const stemCells = [{ kind, count: 1, memoryMB: 256 }];
    const cold: number[] = [];
    for (let i = 0; i < colds; i++) {
      const none = await RealInvoker.start({ userMemoryMB: 256, stemCells: [] });
      none.put("cold", { kind, code: tiny(family, i) });
      cold.push((await none.run("cold")).answeredMs);
      await none.stop();
    }
    const rewound = await RealInvoker.start({ userMemoryMB: 256, stemCells });
    const never: number[] = [];
    const again: number[] = [];
    for (let i = 0; i < rounds; i++) {
      rewound.put(`new${i}`, { kind, code: tiny(family, i) });
      never.push((await rewound.run(`new${i}`)).answeredMs);
      again.push((await rewound.run("new0")).answeredMs);
    }
    await rewound.stop();
    const keeping = await RealInvoker.start({ userMemoryMB: 256, stemCells, rewind: "on-change" });
    keeping.put("warm", { kind, code: tiny(family, 0) });
    const warm: number[] = [];
    for (let i = 0; i < rounds; i++) warm.push((await keeping.run("warm")).answeredMs);
    await keeping.stop();

    const bench = "first-call";
    figures.push(
      fromSamples({ bench, figure: `${family} never seen`, unit: "ms" }, never),
      fromSamples({ bench, figure: `${family} same again, rewound`, unit: "ms" }, again),
      fromSamples({ bench, figure: `${family} kept warm`, unit: "ms" }, warm),
      fromSamples({ bench, figure: `${family} cold`, unit: "ms" }, cold),
      ratio({ bench, figure: `${family} never seen / same again`, goal: goals[family] }, never, again),
      ratio({ bench, figure: `${family} never seen / kept warm` }, never, warm),
      ratio({ bench, figure: `${family} cold / never seen`, goal: ">= 100" }, cold, never),
    );
  }
  return figures;
}
