// Runs all tests after their own set-up, under this Node and under the current line; the last line is the sum.
//
//   npm test -- [--grep TEXT] [--only FOLDER] [--node own|current]     FOLDER: one below test/, such as unit or native

import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { root, SetupError } from "../standalone/setup.mjs";
import { currentNodeBinary, prepareTests } from "./set-up.mjs";

const { values } = parseArgs({
  options: { grep: { type: "string" }, only: { type: "string" }, node: { type: "string" } },
});
const nodes = { own: process.execPath, current: currentNodeBinary };

/** Runs the suite under one Node, showing what it prints. @returns its counts; undefined where it printed none */
function runUnder(binary) {
  const filters = ["grep", "only"].flatMap((name) => (values[name] ? [`--${name}`, values[name]] : []));
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ["--enable-source-maps", "test/mocha.mjs", ...filters], {
      cwd: root,
      stdio: ["inherit", "pipe", "inherit"],
    });
    let end = "";
    child.stdout.on("data", (chunk) => {
      process.stdout.write(chunk);
      end = (end + chunk).slice(-200);
    });
    child.on("error", reject);
    child.on("close", () => {
      const counted = /(\d+) passed, (\d+) failed, (\d+) skipped\n$/.exec(end);
      resolve(counted?.slice(1).map(Number));
    });
  });
}

async function main() {
  await prepareTests();
  const sum = [0, 0, 0];
  for (const [name, binary] of Object.entries(nodes)) {
    if (values.node !== undefined && values.node !== name) continue;
    console.log(`\nUnder ${binary}:`);
    const counts = (await runUnder(binary)) ?? [0, 1, 0];
    counts.forEach((count, i) => {
      sum[i] += count;
    });
  }
  console.log(`\n${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`);
  return sum[1] === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 2;
}
