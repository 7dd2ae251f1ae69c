// Compares two OpenWhisk endpoints after the set-up that this takes: npm packages and compiling, and with --here all of rewhisk and Docker.
//
//   npm run compare -- --help

import {
  checkPlatform,
  compile,
  ensureDependencies,
  ensureSystemPackages,
  isCommand,
  SetupError,
  setUp,
} from "../../standalone/setup.mjs";

const needsOfDocker = [
  { what: "Docker's daemon", debianPackage: "docker.io", isThere: () => isCommand("dockerd") },
  { what: "ip", debianPackage: "iproute2", isThere: () => isCommand("ip") },
];

try {
  const argv = process.argv.slice(2);
  if (argv.includes("--here")) {
    await setUp(console.error);
    await ensureSystemPackages(console.error, needsOfDocker);
  } else {
    checkPlatform();
    await ensureDependencies(console.error);
    await compile(console.error);
  }
  const { main } = await import("../../build/js/benchmarks/compare/main.js");
  // npm runs this in the project's folder, whoever calls it elsewhere means files there.
  process.exitCode = await main(argv, process.env.INIT_CWD ?? process.cwd());
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  process.exitCode = error instanceof SetupError ? 2 : 1;
}
