// Runs the compiled tests in this process; the last line is `N passed, N failed, N skipped`. See run.mjs.
// --again: a second time, under another Node, without those that take long and depend little on the Node that runs the invoker
// (*.once.test.ts). --share N/COUNT: every so manyth file, beginning with that one. --slowest COUNT: a line at the end for each
// of so many tests and hooks.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Mocha from "mocha";

const compiled = fileURLToPath(new URL("../build/js/test/", import.meta.url));
const { values } = parseArgs({
  options: {
    grep: { type: "string", default: "" },
    only: { type: "string", multiple: true, default: ["."] },
    again: { type: "boolean", default: false },
    share: { type: "string", default: "1/1" },
    slowest: { type: "string", default: "0" },
  },
});

/** A suite that has ended but keeps the process alive has leaked something: that is a failure too. */
const patienceAfterTheEndMs = 20_000;

/** For one test, on a machine that has much else to do; those that run long say so with a limit of their own. */
const testLimitMs = 120_000;

const counts = { passed: 0, failed: 0, skipped: 0 };

/** By file and title: what it took, how much of that was work of one processor, and how often it ran. */
const times = new Map();
let workedBefore = 0;

/** By this process and by those of its descendants that have ended (proc_pid_stat(5), fields 14 to 17). */
function workedSeconds() {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15);
  return ticks.reduce((sum, count) => sum + Number(count), 0) / 100;
}

function addTime(/** @type {Mocha.Runnable} */ one) {
  const key = [relative(compiled, one.file ?? ""), ...one.titlePath()].join(" > ");
  const sum = times.get(key) ?? { seconds: 0, worked: 0, runs: 0 };
  const now = workedSeconds();
  times.set(key, {
    seconds: sum.seconds + (one.duration ?? 0) / 1000,
    worked: sum.worked + now - workedBefore,
    runs: sum.runs + 1,
  });
  workedBefore = now;
}

function showSlowest() {
  const sorted = [...times].sort(([, a], [, b]) => b.seconds - a.seconds).slice(0, Number(values.slowest));
  if (sorted.length > 0) console.log("Slowest: seconds, of them at work, runs");
  for (const [key, { seconds, worked, runs }] of sorted)
    console.log(
      `${seconds.toFixed(1).padStart(7)} ${worked.toFixed(1).padStart(7)} ${`${runs}`.padStart(4)}  ${key}`,
    );
}

function findTests(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".test.js") && !(values.again && name.endsWith(".once.test.js")))
    .sort()
    .map((name) => join(folder, name));
}

const [share, shares] = values.share.split("/").map(Number);
// Those of other shares, and of other folders' shares, run at the same time: see test/system/instance.ts.
if (shares > 1) process.env.REWHISK_TEST_SHARE = `${values.only.map(([letter]) => letter).join("")}${share}`;

function complainOfLeaks() {
  setTimeout(() => {
    console.error(`Still running ${patienceAfterTheEndMs / 1000} s after the last test:`);
    console.error(process.getActiveResourcesInfo().join(" "));
    counts.failed++;
    process.exit(1);
  }, patienceAfterTheEndMs).unref();
}

// What tests make for containers is read there by other users, whatever the umask of who runs the tests.
process.umask(0o022);

// As mocha's own command does: else nobody hears of them.
process.on("unhandledRejection", (reason) => {
  throw reason;
});

const mocha = new Mocha({ timeout: testLimitMs, reporter: "spec", grep: values.grep });
const files = values.only.flatMap((folder) => findTests(join(compiled, folder)));
const own = files.filter((_, i) => i % shares === share - 1);
for (const file of own) mocha.addFile(file);
await mocha.loadFilesAsync();
workedBefore = workedSeconds();
process.on("exit", (code) => {
  // No test at all is no success, but for a share of fewer files than there are shares.
  if (counts.passed === 0 && (own.length > 0 || files.length === 0)) counts.failed++;
  process.exitCode = counts.failed > 0 ? 1 : code;
  showSlowest();
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
});
mocha
  .run(complainOfLeaks)
  .on("pass", () => counts.passed++)
  .on("fail", () => counts.failed++)
  .on("pending", () => counts.skipped++)
  .on("test end", addTime)
  .on("hook end", addTime);
