// Runs all tests after their own set-up, under this Node and under the current line, some parts at a time; the last line is the sum.
//
//   npm test -- [--grep TEXT] [--only FOLDER] [--node own|current] [--slowest COUNT]
//
// FOLDER: one below test/, such as unit or native. COUNT: so many tests and hooks of each part are listed with their times.

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root, SetupError } from "../standalone/setup.mjs";
import { buildActions, currentNodeBinary, prepareTests } from "./set-up.mjs";

const { values } = parseArgs({
  options: {
    grep: { type: "string" },
    only: { type: "string" },
    node: { type: "string" },
    slowest: { type: "string" },
  },
});
const nodes = { own: process.execPath, current: currentNodeBinary };

/** So much of what a run prints last is kept, to say at the very end what failed in it. */
const keptCharacters = 100_000;

/**
 * The longest first; the folders that are not named are a part of their own. `shares`: so many parts, each with its share of
 * the files. What is in one part shares names of invokers, and never runs at the same time, under one Node or the other.
 */
const partsOfTests = [
  { folders: ["system"], shares: 5, needsActions: true },
  { folders: ["prove"], shares: 3, needsActions: true },
  { folders: ["ansible"], needsActions: true },
  { folders: ["native", "runtimes"] },
  { folders: ["cluster"], shares: 2 },
  { folders: ["unit"], needsActions: true },
  { folders: ["chaos", "compat", "docker"] },
];

/** A third of the time is waiting, for servers that start and limits that are reached: three keep two processors busy. */
const partsAtATime = 3;
/** While the actions are built, which takes about as much as two parts. */
const partsBesideBuild = 2;

/** The parts of the tests, with their arguments: with a filter there is one. */
function parts() {
  if (values.grep || values.only)
    return [{ args: ["grep", "only"].flatMap((name) => filterOf(name, values[name])), needsActions: true }];
  const isFolder = (/** @type {import("node:fs").Dirent} */ entry) => entry.isDirectory();
  const all = readdirSync(join(root, "build/js/test"), { withFileTypes: true }).filter(isFolder);
  const named = partsOfTests.flatMap(({ folders }) => folders);
  const others = all.map(({ name }) => name).filter((name) => !named.includes(name));
  const unnamed = others.length > 0 ? [{ folders: others, needsActions: true }] : [];
  return [...partsOfTests, ...unnamed].flatMap(({ folders, shares = 1, needsActions = false }) =>
    Array.from({ length: shares }, (_, i) => {
      const only = folders.flatMap((name) => filterOf("only", name));
      return { args: [...only, ...(shares > 1 ? ["--share", `${i + 1}/${shares}`] : [])], needsActions };
    }),
  );
}

function filterOf(name, value) {
  return value === undefined ? [] : [`--${name}`, value];
}

/** One process of mocha; `take` gets what it prints. @returns its counts, and what it says of its failures */
function runMocha(binary, options, take) {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ["--enable-source-maps", "test/mocha.mjs", ...options], {
      cwd: root,
      // Whatever ours are, such as a file that others write to: the tests and all that they start have always the same.
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr.pipe(process.stderr, { end: false });
    let end = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      take(text);
      end = (end + text).slice(-keptCharacters);
    });
    child.on("error", reject);
    child.on("close", () => {
      const counted = /(\d+) passed, (\d+) failed, (\d+) skipped\n$/.exec(end);
      const failures = /\n {2}\d+ failing\n[\s\S]*?(?=\nSlowest:|\n\d+ passed)/.exec(end)?.[0] ?? "";
      const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
      resolve({ counts: counted?.slice(1).map(Number) ?? [0, 1, 0], failures, minutes });
    });
  });
}

/** Shows what several print at the same time, one after the other; the one whose turn it is, at once. */
class Turns {
  #kept = [];
  #turn = 0;

  /** The next place. @returns for what is printed there, and for its end */
  place() {
    const place = this.#kept.push({ text: "", isOver: false }) - 1;
    const own = this.#kept[place];
    return {
      print: (/** @type {string} */ text) => {
        if (place === this.#turn) process.stdout.write(text);
        else own.text += text;
      },
      end: () => {
        own.isOver = true;
        while (this.#kept[this.#turn]?.isOver) {
          this.#turn++;
          process.stdout.write(this.#kept[this.#turn]?.text ?? "");
        }
      },
    };
  }
}

/** Runs all parts under the chosen Nodes; those that need the actions when they are built. @returns what became of each */
async function runAll() {
  const chosen = Object.entries(nodes).filter(([name]) => values.node === undefined || values.node === name);
  const turns = new Turns();
  const waiting = chosen.flatMap(([, binary], i) =>
    parts().map((part) => ({ binary, ...part, isAgain: i > 0, ...turns.place() })),
  );
  const results = [];
  const running = new Map();
  const run = async ({ binary, args, isAgain, print, end }) => {
    const title = ["Under", binary, ...args].join(" ");
    print(`\n${title}:\n`);
    const options = [...(isAgain ? ["--again"] : []), ...filterOf("slowest", values.slowest), ...args];
    results.push({ title, ...(await runMocha(binary, options, print)) });
    end();
  };
  let areActionsBuilt = false;
  const building = buildActions().then(() => {
    areActionsBuilt = true;
  });
  const isFree = ({ args, needsActions }) => !running.has(String(args)) && (areActionsBuilt || !needsActions);
  while (waiting.length > 0 || running.size > 0) {
    const most = areActionsBuilt ? partsAtATime : partsBesideBuild;
    const next = running.size < most ? waiting.findIndex(isFree) : -1;
    if (next < 0) {
      await Promise.race([...running.values(), ...(areActionsBuilt ? [] : [building])]);
      continue;
    }
    const [part] = waiting.splice(next, 1);
    const name = String(part.args);
    running.set(
      name,
      run(part).then(() => running.delete(name)),
    );
  }
  return results;
}

async function main() {
  await prepareTests();
  const results = await runAll();
  for (const { title, minutes } of results) console.log(`${minutes} minutes: ${title}`);
  for (const { title, failures } of results)
    if (failures !== "") console.log(`\n${title}, as above:${failures}`);
  const sum = [0, 1, 2].map((i) => results.reduce((total, { counts }) => total + counts[i], 0));
  console.log(`\n${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`);
  return sum[1] === 0 ? 0 : 1;
}

// What is built is read in containers by other users.
process.umask(0o022);
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? error.problems.join("\n") : error);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 2;
}
