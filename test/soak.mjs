// Rewinds one container of each runtime for a long time and says whether anything grows. Exit code 1: something did, or
// a signal (Ctrl-C) ended it early, with the figures so far.
//
//   npm run soak -- [--rewinds N | --minutes N] [--verify-one-in N] [--json FILE]

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SetupError } from "../standalone/setup.mjs";
import { prepareTests } from "./set-up.mjs";

const { values } = parseArgs({
  options: {
    rewinds: { type: "string", default: "20000" },
    minutes: { type: "string" },
    "verify-one-in": { type: "string", default: "256" },
    json: { type: "string" },
  },
});

let endedBy;
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    endedBy = signal;
  });

/** By time where minutes are given, else by the number of rewinds. */
function progressOf({ rewinds, minutes }) {
  if (minutes === undefined) return (made) => made / Number(rewinds);
  const startMs = performance.now();
  return () => (performance.now() - startMs) / (Number(minutes) * 60_000);
}

async function main() {
  await prepareTests();
  const { soak } = await import("../build/js/test/prove/soak.js");
  const { complaints, table } = await import("../build/js/test/prove/soak-verdict.js");
  const progress = progressOf(values);
  const report = await soak({
    progress: (rewinds) => (endedBy === undefined ? progress(rewinds) : 1),
    verifyOneIn: Number(values["verify-one-in"]),
    tell: (progress, rewinds) => console.error(`${(100 * progress).toFixed(0)} %: ${rewinds} rewinds`),
  });
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report, undefined, 1));
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
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  process.exitCode = 2;
}
