// What must be done before the program can run: system packages, npm packages, compiling. Plain JavaScript that needs
// nothing but Node, because it is what brings the rest. Each step does nothing when its work is done already.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";

/** The folder of package.json. */
export const root = dirname(import.meta.dirname);

/** Sources, whose parts are brought and built here; else an installed package, which has all parts. */
export const isCheckout = existsSync(join(root, "tsconfig.json"));

/** The set-up cannot go on; `problems` has one line for each missing thing, with its remedy. */
export class SetupError extends Error {
  /** @param {readonly string[]} problems */
  constructor(problems) {
    super(problems.join("\n"));
    this.name = "SetupError";
    this.problems = problems;
  }
}

const oldestNode = [20, 19];
const outputLinesShown = 40;

/** What must be on the machine: how to see it, and the Debian package that brings it. */
const systemNeeds = [
  { what: "a C compiler (gcc)", debianPackage: "gcc", isThere: () => isCommand("gcc") },
  { what: "make", debianPackage: "make", isThere: () => isCommand("make") },
  {
    what: "the C library's headers",
    debianPackage: "libc6-dev",
    isThere: () => existsSync("/usr/include/stdio.h"),
  },
  {
    what: "the kernel's headers",
    debianPackage: "linux-libc-dev",
    isThere: () => existsSync("/usr/include/linux/prctl.h"),
  },
  { what: "Python 3", debianPackage: "python3", isThere: () => existsSync("/usr/bin/python3") },
];

/** All steps, in order. Throws SetupError. @param {(line: string) => void} [say] */
export async function setUp(say = () => {}) {
  checkPlatform();
  await ensureSystemPackages(say);
  await ensureDependencies(say);
  await compile(say);
  await buildNative(say);
}

/** Refuses machines on which nothing of this can work. */
export function checkPlatform() {
  const problems = [];
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    problems.push(
      `Node ${process.versions.node} is too old: install ${oldestNode.join(".")} or newer, see https://nodejs.org.`,
    );
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    problems.push(`This is ${process.platform} on ${process.arch}: rewhisk runs on Linux on x64 only.`);
  }
  if (problems.length > 0) {
    throw new SetupError(problems);
  }
}

/**
 * Installs what is missing of the system with apt-get, where that is possible; else says how.
 * @param {(line: string) => void} say
 * @param {readonly { what: string, debianPackage: string, isThere: () => boolean }[]} [needs]
 */
export async function ensureSystemPackages(say, needs = systemNeeds) {
  const missing = needs.filter((need) => !need.isThere());
  if (missing.length === 0) {
    return;
  }
  const packages = missing.map((need) => need.debianPackage);
  const isRoot = process.getuid?.() === 0;
  if (isRoot && isCommand("apt-get")) {
    const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await step(say, `Installing ${packages.join(", ")} with apt-get`, async () => {
      await run("apt-get", ["update", "-q"], { environment });
      await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], { environment });
    });
  }
  const still = missing.filter((need) => !need.isThere());
  if (still.length > 0) {
    throw new SetupError([
      ...still.map(({ what, debianPackage }) =>
        isCommand("apt-get")
          ? `Missing: ${what}. Remedy: sudo apt-get install -y ${debianPackage}`
          : `Missing: ${what}. Remedy: install it with this system's package manager (on Debian it is ${debianPackage})`,
      ),
      ...(isRoot
        ? []
        : [
            "Started as root, which running containers takes in any case, this installs what it can by itself.",
          ]),
    ]);
  }
}

/** Where npm packages are installed: rewhisk's own, and those that actions find in a nodejs container. */
const npmFolders = [root, join(root, "runtimes", "nodejs", "packages")];

/** Makes each node_modules what its package-lock.json says. @param {(line: string) => void} say */
export async function ensureDependencies(say) {
  const stale = npmFolders.filter((folder) => !areDependenciesInstalled(folder));
  if (stale.length > 0 && !isCommand("npm")) {
    throw new SetupError([
      "Missing: npm. Remedy: install it; it comes with Node from https://nodejs.org (on Debian: apt-get install -y npm)",
    ]);
  }
  for (const folder of stale) {
    const of = folder === root ? "" : ` of ${relative(root, folder)}`;
    await step(say, `Installing npm packages${of} (npm ci)`, () =>
      run("npm", [
        "ci",
        "--prefix",
        folder,
        "--include=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
      ]),
    );
  }
}

/** Does npm's own note of what it installed name every package of package-lock.json in its version? @param {string} folder */
function areDependenciesInstalled(folder) {
  const installed = readJson(join(folder, "node_modules", ".package-lock.json"))?.packages;
  const wanted = readJson(join(folder, "package-lock.json"))?.packages ?? {};
  return (
    installed !== undefined &&
    Object.entries(wanted).every(
      ([path, entry]) => path === "" || entry.optional === true || installed[path]?.version === entry.version,
    )
  );
}

/** Compiles TypeScript into build/js when a source has changed since. @param {(line: string) => void} say */
export async function compile(say) {
  const stampFile = join(root, "build", "js", "sources.json");
  const sources = sourceFiles();
  const stamp = JSON.stringify(sources);
  const before = readJson(stampFile);
  if (JSON.stringify(before) === stamp) {
    return;
  }
  if (before !== undefined && Object.keys(before).some((path) => sources[path] === undefined)) {
    rmSync(join(root, "build", "js"), { recursive: true, force: true });
  }
  await step(say, "Compiling (tsc)", () =>
    run(process.execPath, [
      join(root, "node_modules", "typescript", "bin", "tsc"),
      "-p",
      join(root, "tsconfig.json"),
    ]),
  );
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Every source with a digest of its size and time, by path. @returns {Record<string, string>} */
function sourceFiles() {
  const { include, exclude = [] } = readJson(join(root, "tsconfig.json"));
  /** @type {Record<string, string>} */
  const found = {};
  /** @param {string} path */
  const visit = (path) => {
    const absolute = join(root, path);
    if (exclude.includes(path) || !existsSync(absolute)) {
      return;
    }
    const status = statSync(absolute);
    if (status.isDirectory()) {
      for (const entry of readdirSync(absolute).sort()) {
        visit(join(path, entry));
      }
    } else if (path.endsWith(".ts") || path === "tsconfig.json" || path === "package-lock.json") {
      found[path] = createHash("sha256")
        .update(`${status.size} ${status.mtimeMs}`)
        .digest("hex")
        .slice(0, 16);
    }
  };
  for (const path of ["tsconfig.json", "package-lock.json", ...include]) {
    visit(path);
  }
  return found;
}

/** Builds the native library, the launcher and what the runtimes need; make knows what is up to date. @param {(line: string) => void} say */
export async function buildNative(say) {
  for (const folder of ["native", "runtimes"]) {
    const isUpToDate = await run("make", ["-q", "-C", join(root, folder)]).then(
      () => true,
      () => false,
    );
    if (!isUpToDate) {
      await step(say, `Building ${folder} (make)`, () => run("make", ["-C", join(root, folder)]));
    }
  }
}

/** @param {(line: string) => void} say @param {string} what @param {() => Promise<void>} work */
export async function step(say, what, work) {
  say(`${what} ...`);
  const start = performance.now();
  await work();
  say(`${what}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/**
 * Runs a command in the project's folder, silently unless it fails.
 * @param {string} command @param {readonly string[]} args @param {{environment?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<void>}
 */
export function run(command, args, { environment = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => reject(new SetupError([`${command} cannot be run: ${error.message}`])));
    child.on("close", (code, signal) => {
      if (code === 0) {
        resolve();
        return;
      }
      const shown = output.trimEnd().split("\n").slice(-outputLinesShown).join("\n");
      const how = signal === null ? `exit code ${code}` : signal;
      reject(new SetupError([`"${[command, ...args].join(" ")}" failed (${how}):\n${shown}`]));
    });
  });
}

/** Is there a program of this name in PATH? @param {string} name */
export function isCommand(name) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
