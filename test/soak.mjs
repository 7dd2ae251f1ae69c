// Rewinds one container of each runtime for a long time and says whether anything grows. Exit code 1: something did, or
// a signal (Ctrl-C) ended it early, with the figures so far.
//
//   npm run soak -- [--rewinds N | --minutes N] [--verify-one-in N] [--json FILE]

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { numbersOf, runTool } from "./command-line.mjs";
import { prepareProofs } from "./set-up.mjs";

let endedBy;
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    endedBy = signal;
  });

/** By time where minutes are given, else by the number of rewinds. */
function progressOf({ rewinds, minutes }) {
  if (minutes === undefined) return (made) => made / rewinds;
  const startMs = performance.now();
  return () => (performance.now() - startMs) / (minutes * 60_000);
}

await runTool(fileURLToPath(import.meta.url), async () => {
  const { json, ...texts } = parseArgs({
    options: {
      rewinds: { type: "string", default: "20000" },
      minutes: { type: "string" },
      "verify-one-in": { type: "string", default: "256" },
      json: { type: "string" },
    },
  }).values;
  const numbers = numbersOf(texts);
  await prepareProofs();
  const { soak } = await import("../build/js/test/prove/soak.js");
  const { complaints, table } = await import("../build/js/test/prove/soak-verdict.js");
  const progress = progressOf(numbers);
  const report = await soak({
    progress: (rewinds) => (endedBy === undefined ? progress(rewinds) : 1),
    verifyOneIn: numbers["verify-one-in"],
    tell: (progress, rewinds) => console.error(`${(100 * progress).toFixed(0)} %: ${rewinds} rewinds`),
  });
  if (json !== undefined) writeFileSync(json, JSON.stringify(report, undefined, 1));
  console.log(table(report));
  const perSecond = report.rewinds / (report.tookMs / 1000);
  console.log(
    `\n${report.rewinds} rewinds in ${(report.tookMs / 1000).toFixed(0)} s, ${perSecond.toFixed(0)} a second`,
  );
  if (endedBy !== undefined) {
    console.log(`ended early by ${endedBy}: no verdict`);
    return 1;
  }
  const wrong = complaints(report);
  console.log(wrong.length === 0 ? "flat" : wrong.join("\n"));
  return wrong.length === 0 ? 0 : 1;
});
