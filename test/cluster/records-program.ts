// Stores records without end, and prints the name of each that is kept: to be killed in the midst of it.
// Arguments: the database's port, the folder of the spool, a word to begin names with.

import { writeSync } from "node:fs";
import { openStores, recordOf } from "./couch.ts";

const [port, folder = "", word] = process.argv.slice(2);
const { activations } = await openStores(Number(port), folder, { recordMemoryBytes: 1 << 20 });

/** A few at a time, as an invoker has them. */
async function storeOn(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const record = recordOf(`${word}-${lane}-${i}`, { logs: ["x".repeat((37 * i) % 5000)] });
    await activations.store(record);
    writeSync(1, `${record._id}\n`);
  }
}

await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(storeOn));
