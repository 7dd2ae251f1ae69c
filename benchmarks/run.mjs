// Runs the benchmarks after the same set-up as `npm start`.
//
//   npm run bench -- [--only NAME] [--json FILE]

import { SetupError, setUp } from "../standalone/setup.mjs";

try {
  await setUp(console.log);
  const { main } = await import("../build/js/benchmarks/main.js");
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  process.exitCode = error instanceof SetupError ? 2 : 1;
}
