// The system call filter as a file that launchers read: compiled once, without a name of its own.

import { randomBytes } from "node:crypto";
import { openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syscallNumber } from "../../restorer/index.ts";
import { compileProfile, type Profile } from "./seccomp.ts";

/** By which a file is found that a life left which was killed between making and unlinking it. */
const prefixOf = (instance: string): string => `rewhisk-filter-${instance}.`;

/** Throws LeanError `profile`. */
export function compileFilter(repository: string): Buffer {
  const file = join(repository, "pool/lean/seccomp.json");
  return compileProfile(JSON.parse(readFileSync(file, "utf8")) as Profile, syscallNumber);
}

/** Launchers read it by way of /proc, and nothing is left of it when we are gone. */
export function openFilter(program: Buffer, instance: string): number {
  const path = join(tmpdir(), prefixOf(instance) + randomBytes(8).toString("hex"));
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  writeSync(fd, program);
  return fd;
}

export function removeFilters(instance: string): void {
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith(prefixOf(instance))) rmSync(join(tmpdir(), name), { force: true });
}
