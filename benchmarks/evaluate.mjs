// Repeats published work on this machine, which should have nothing else to do, and writes the tables of docs/EVALUATION.md.
//
//   npm run evaluate                     all benchmarks in turn: well over half an hour
//   npm run evaluate -- --only NAME      this one, or several where it is given again; other tables stay as they are
//   npm run evaluate -- --write-only     none: the page from the last figures, which are kept in build/evaluation
//
// Ends with 1 where a benchmark failed; the others are run and written all the same.

import { fileURLToPath } from "node:url";
import { setUp } from "../standalone/setup.mjs";
import { runTool } from "../test/command-line.mjs";

await runTool(fileURLToPath(import.meta.url), async () => {
  await setUp(console.log);
  const { main } = await import("../build/js/benchmarks/published/evaluate.js");
  return await main(process.argv.slice(2));
});
