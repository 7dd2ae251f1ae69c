// What a stored template must find again to be booted from: facts of this machine, of this build, and of the files that it has mapped.

import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, release, version } from "node:os";
import { basename, dirname, join } from "node:path";

/** By name, for whoever is told which of them differs. */
export type Facts = Readonly<Record<string, string>>;

/** Where a file lies in the container, and what tells it from any other, and from itself once it was changed. */
export type Files = Readonly<Record<string, string>>;

export function digestOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length} `).update(part);
  return hash.digest("hex");
}

/** The first in which they differ; undefined where they are the same. */
export function firstDifference(was: Facts, is: Facts): string | undefined {
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...names].find((name) => was[name] !== is[name]);
}

/** Of the processor, without what changes by itself: its frequency, and its microcode. */
const toldOfProcessor = /^(?:vendor_id|cpu family|model|model name|stepping|flags)\s*:.*$/gm;

/**
 * Of the machine, and of what boots there. `boot`: the kernel's clock begins anew with the machine, and a process that goes on would
 * believe that it is long before its own past.
 */
export function machineFacts(rung: string, programs: readonly string[]): Facts {
  const [processor = ""] = readFileSync("/proc/cpuinfo", "latin1").split("\n\n");
  return {
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
    kernel: `${release()} ${version()}`,
    processor: digestOf(...(processor.match(toldOfProcessor) ?? [])),
    processors: String(availableParallelism()),
    build: digestOf(...programs.map((path) => readFileSync(path))),
    rung,
  };
}

/** The file, or the folder without what lies in it: that is another one where something in it was replaced. */
export function ownDigest(path: string): string {
  return digestOf(path, describe(path));
}

/** Folders of thousands of files that no runtime loads before an action asks for one. */
const packages: ReadonlySet<string> = new Set(["node_modules", "dist-packages", "site-packages"]);

/** All files below a folder, but for what lies in folders of packages; or the file. */
export function treeDigest(path: string): string {
  return digestOf(...treeOf(path));
}

function treeOf(path: string): readonly string[] {
  const found = lstatSync(path, { bigint: true });
  const own = [path, tell(found)];
  if (!found.isDirectory() || packages.has(basename(path))) return own;
  const names = readdirSync(path).sort();
  return [...own, ...names.flatMap((name) => treeOf(join(path, name)))];
}

function describe(path: string): string {
  return tell(lstatSync(path, { bigint: true }));
}

function tell({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, mode, size, mtimeNs, ctimeNs].join(" ");
}

/** Start, end, protection, offset, device and inode; the last of a file. */
const mappedFile = /^[0-9a-f]+-[0-9a-f]+ \S+ [0-9a-f]+ \S+ [1-9]\d* +(\/.*)$/gm;
/** Our own, which each process has anew. */
const isOwn = (path: string): boolean => path.startsWith("/memfd:");

/** The files that a process has mapped, as it sees them. Throws where one of them has no name any more. */
export function mappedFiles(pid: number): Files {
  const text = readFileSync(`/proc/${pid}/maps`, "utf8");
  const paths = [...text.matchAll(mappedFile)].map(([, path = ""]) => path).filter((path) => !isOwn(path));
  return describeIn(`/proc/${pid}/root`, withFolders(`/proc/${pid}/root`, paths));
}

/** As they are below that root now. Throws where one is missing. */
export function describeIn(root: string, paths: Iterable<string>): Files {
  return Object.fromEntries(Array.from(paths, (path) => [path, describe(join(root, path))]));
}

/** And the folders above, as far as they lie on the same file system: those change where a file is put in another's place, also one that was only read. */
function withFolders(root: string, paths: readonly string[]): ReadonlySet<string> {
  const all = new Set(paths);
  for (const path of all) {
    const above = dirname(path);
    if (lstatSync(join(root, above)).dev === lstatSync(join(root, path)).dev) all.add(above);
  }
  return all;
}
