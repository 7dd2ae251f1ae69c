// Injects faults into a cluster under load, and accounts for every activation. Exit code 1: something is not accounted for.
//
//   npm run chaos -- [--minutes N] [--seed N] [--logs FOLDER]     0 minutes: every kind of fault once
//
// It runs in a network namespace of its own: what it cuts is nobody else's.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, SetupError } from "../standalone/setup.mjs";
import { prepareTests } from "./set-up.mjs";

const program = join(root, "build/js/test/chaos/main.js");

async function main() {
  await prepareTests();
  const node = [process.execPath, "--enable-source-maps", program, ...process.argv.slice(2)];
  const child = spawn("unshare", ["--net", "--", ...node], { cwd: root, stdio: "inherit" });
  // The terminal signals both; a signal to this process alone is for the run.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return await new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  process.exitCode = 2;
}
