// What the kernel tells of processes.

import { readdirSync, readFileSync } from "node:fs";

/** Whichever of its threads has made them. */
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

/** Nothing where it has ended meanwhile: the test says elsewhere whether it may. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** True: so is each of its threads, and no signal waits to be taken. */
export function isStopped(pid: number): boolean {
  const statusOf = (tid: string): string => readFileSync(`/proc/${pid}/task/${tid}/status`, "latin1");
  return readdirSync(`/proc/${pid}/task`)
    .map(statusOf)
    .every((status) => /^State:\tT/m.test(status));
}
