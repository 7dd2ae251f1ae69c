// The children of a process, whichever of its threads has made them.

import { readdirSync, readFileSync } from "node:fs";

export function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number),
  );
}

/** False: it has ended, whether or not anybody has collected it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}
