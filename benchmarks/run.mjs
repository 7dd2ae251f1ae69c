// Runs the benchmarks after the same set-up as `npm start`, and for those that take more, with that.
//
//   npm run bench -- [--only NAME] [--json FILE]

import { parseArgs } from "node:util";
import { prepareCluster } from "../standalone/cluster/setup.mjs";
import { ensureSystemPackages, isCommand, SetupError, setUp } from "../standalone/setup.mjs";
import { preparePublished } from "./published/prepare.mjs";

const containerNeeds = [
  { what: "Docker's daemon", debianPackage: "docker.io", isThere: () => isCommand("dockerd") },
  { what: "nft", debianPackage: "nftables", isThere: () => isCommand("nft") },
  { what: "ip", debianPackage: "iproute2", isThere: () => isCommand("ip") },
];

try {
  const argv = process.argv.slice(2);
  const { only = "cluster" } = parseArgs({
    args: argv,
    options: { only: { type: "string" } },
    strict: false,
  }).values;
  await setUp(console.log);
  if (["cluster", "stock-path", "at-once", "imports", "boot", "create", "parts"].includes(only))
    await ensureSystemPackages(console.log, containerNeeds);
  if (only === "cluster") await prepareCluster(console.log);
  if (["cluster", "isolation", "imports", "library"].includes(only)) await preparePublished(console.log);
  const { main } = await import("../build/js/benchmarks/main.js");
  await main(argv);
  // A consumer of bare kafkajs that finds the broker gone goes on looking for it, although it was disconnected meanwhile.
  process.exit();
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  // What the failed one has left open is no reason to stay.
  process.exit(error instanceof SetupError ? 2 : 1);
}
