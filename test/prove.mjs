// Shows that what docs/PROMISES.md says is true, after the set-up that this takes.
//
//   npm run prove                       every row with its result and cost; its messages at action checkpoints and in booted
//                                       containers; the canary search, fault injection, the fuzzer; a fourth of marks and
//                                       fuzzed activations for each of those places too
//                 [-- --only rows|places|canary|faults|fuzz] [--marks N] [--activations N] [--seed S]
//   npm run prove -- --only faults --all    every error at every call in every victim, on every rung: half an hour
//   npm run prove -- --write            the same, and writes docs/PROMISES.md
//   npm run prove -- --steps            the steps of a rewind, one a line
//   npm run prove -- --without STEP     must fail, naming the row that noticed
//   npm run prove -- --without-each     the same for every step, in a table; fails where nothing notices

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../standalone/setup.mjs";
import { runTool } from "./command-line.mjs";
import { prepareProofs } from "./set-up.mjs";

await runTool(fileURLToPath(import.meta.url), async () => {
  const args = process.argv.slice(2);
  await prepareProofs();
  // Only this build can leave steps out; promises are proved with the one that runs in production.
  if (args.some((arg) => /^--(steps|without)/.test(arg)))
    process.env.REWHISK_NATIVE_LIBRARY = join(root, "build/native/librewind-test.so");
  const { main } = await import("../build/js/test/prove/main.js");
  return await main(args);
});
