// One process of a machine at a time is the invoker of a name: it removes, as it starts, whatever containers bear that name.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Hold } from "../pool/index.ts";

/** A file for each name, locked by its invoker; the machine's next boot removes them. */
const usualFolder = "/run/rewhisk/invokers";
/** Whoever has just been killed may still have the lock. */
const usualPatienceMs = 5_000;
const pauseMs = 100;

export interface SoleOptions {
  readonly folder?: string;
  readonly patienceMs?: number;
}

/** Until this process ends, in whatever way. Undefined where another process is the invoker of this name. Throws where nothing can be written. */
export async function becomeSole(
  name: string,
  { folder = usualFolder, patienceMs = usualPatienceMs }: SoleOptions = {},
): Promise<Hold | undefined> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  writeFileSync(file, "", { flag: "a", mode: 0o600 });
  const sinceMs = performance.now();
  for (;;) {
    const hold = await Hold.take(file, "alone");
    if (hold !== undefined || performance.now() - sinceMs >= patienceMs) return hold;
    await sleep(pauseMs);
  }
}

/** Whether a process is the invoker of this name now. Leaves everything as it is. */
export async function isRunning(name: string, folder: string = usualFolder): Promise<boolean> {
  const file = join(folder, name);
  const hold = await Hold.take(file, "alone");
  await hold?.release();
  return hold === undefined && existsSync(file);
}
