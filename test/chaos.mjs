// Injects faults into a cluster under load, and accounts for every activation. Exit code 1: something is not accounted for.
//
//   npm run chaos -- [--minutes N] [--seed N] [--logs FOLDER]     0 minutes: every kind of fault once
//
// It runs in a network namespace of its own: what it cuts is nobody else's.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../standalone/setup.mjs";
import { runTool } from "./command-line.mjs";
import { prepareTests } from "./set-up.mjs";

const program = join(root, "build/js/test/chaos/main.js");

await runTool(fileURLToPath(import.meta.url), async () => {
  await prepareTests();
  const node = [process.execPath, "--enable-source-maps", program, ...process.argv.slice(2)];
  const child = spawn("unshare", ["--net", "--", ...node], { cwd: root, stdio: "inherit" });
  // The terminal signals both; a signal to this process alone is for the run.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return await new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
});
