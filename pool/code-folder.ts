// What lies in the folder of the code store, and whether it is to be believed.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One archive, unpacked. */
export interface Entry {
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
  uses: number;
  touchedMs: number;
}

/** How an archive lies on disk, and by which rules it was unpacked; the next number when that changes. */
const form = 2;
const ownNames = /^(?:[a-z]+-[0-9a-f]{64}-\d+|\.old-[0-9a-f]{16})$/;
/** In an archive's folder: the code, and what says that all of it is on disk. */
export const codeName = "code";
const keptName = "kept";
const writableByOthers = 0o022;

/** What is being removed. */
export const freshOldName = (): string => `.old-${randomBytes(8).toString("hex")}`;

export function keyOf(family: string, digest: string): string {
  return `${family}-${digest}-${form}`;
}

/** The archives that a former life has left, the one used longest ago first; and what is to be removed: of all else of ours. */
export function readFolder(folder: string): {
  readonly entries: readonly Entry[];
  readonly leftovers: readonly string[];
} {
  const names = readdirSync(folder).filter((name) => ownNames.test(name));
  const entries = names.flatMap((name) => readEntry(join(folder, name), name) ?? []);
  const whole = new Set(entries.map(({ path }) => path));
  return {
    entries: entries.sort((one, other) => one.touchedMs - other.touchedMs),
    leftovers: names.map((name) => join(folder, name)).filter((path) => !whole.has(path)),
  };
}

/** All of it is on disk before anything says so; and nothing does of what is not there any more, in whose place another copy may be. */
export async function sealEntry({ path, bytes }: Entry, isThere: () => boolean): Promise<void> {
  await run("sync", ["--file-system", path]);
  if (!isThere()) return;
  const [fresh, kept] = [join(path, `.${keptName}`), join(path, keptName)];
  writeFileSync(fresh, JSON.stringify({ bytes }));
  renameSync(fresh, kept);
}

/** Nobody but its owner, who is this process's, and root may have put anything there: nor in a folder above, but under names of their own. */
export function requireOwn(folder: string): void {
  for (let path = folder; ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path);
    const isOwn = uid === process.geteuid?.() || (uid === 0 && path !== folder);
    const isSticky = (mode & 0o1000) !== 0 && path !== folder;
    if (!isOwn || ((mode & writableByOthers) !== 0 && !isSticky))
      throw new Error(`${folder} is not to be trusted: others can write to ${path}`);
    if (path === dirname(path)) return;
  }
}

/** As it was made: a folder of our own that nobody else can enter, and the code in it, which nobody else can write. */
export function isSound(path: string): boolean {
  const [outer, code] = [path, join(path, codeName)].map((one) => lstatSync(one, { throwIfNoEntry: false }));
  if (outer === undefined || code === undefined) return false;
  const own = process.geteuid?.();
  return (
    [outer, code].every(({ uid }) => uid === own) &&
    [outer, code].every((found) => found.isDirectory()) &&
    (outer.mode & 0o777) === 0o700 &&
    (code.mode & writableByOthers) === 0
  );
}

/** Undefined: it is a leftover, or of another form, or somebody has changed it. */
function readEntry(path: string, key: string): Entry | undefined {
  if (!key.endsWith(`-${form}`) || key.startsWith(".") || !isSound(path)) return undefined;
  try {
    const { bytes } = JSON.parse(readFileSync(join(path, keptName), "utf8")) as { readonly bytes?: unknown };
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes)) return undefined;
    return { key, path, bytes, uses: 0, touchedMs: lstatSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}
