// Runs the compiled tests in this process; the last line is `N passed, N failed, N skipped`. See run.mjs.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Mocha from "mocha";

const compiled = fileURLToPath(new URL("../build/js/test/", import.meta.url));
const { values } = parseArgs({
  options: { grep: { type: "string", default: "" }, only: { type: "string", default: "." } },
});

/** A suite that has ended but keeps the process alive has leaked something: that is a failure too. */
const patienceAfterTheEndMs = 20_000;

/** For one test; those that start containers or run long say so with a limit of their own. */
const testLimitMs = 30_000;

const counts = { passed: 0, failed: 0, skipped: 0 };

function findTests(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .sort()
    .map((name) => join(folder, name));
}

function complainOfLeaks() {
  setTimeout(() => {
    console.error(`Still running ${patienceAfterTheEndMs / 1000} s after the last test:`);
    console.error(process.getActiveResourcesInfo().join(" "));
    counts.failed++;
    process.exit(1);
  }, patienceAfterTheEndMs).unref();
}

const mocha = new Mocha({ timeout: testLimitMs, reporter: "spec", grep: values.grep });
for (const file of findTests(join(compiled, values.only))) mocha.addFile(file);
await mocha.loadFilesAsync();
process.on("exit", (code) => {
  // No test at all is no success.
  if (counts.passed === 0) counts.failed++;
  process.exitCode = counts.failed > 0 ? 1 : code;
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
});
mocha
  .run(complainOfLeaks)
  .on("pass", () => counts.passed++)
  .on("fail", () => counts.failed++)
  .on("pending", () => counts.skipped++);
