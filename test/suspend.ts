// Stops a process as a whole: what it was about to do is not done after that.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const lookEveryMs = 5;

/** Resolves when each of its threads has stopped: the signal alone lets others run on until one has taken it. SIGCONT ends it. */
export async function suspend(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const tasks = `/proc/${pid}/task`;
  while (readdirSync(tasks).some((tid) => !isStopped(`${tasks}/${tid}/stat`))) await sleep(lookEveryMs);
}

/** A thread that is gone has stopped too. */
function isStopped(statFile: string): boolean {
  try {
    return /\) [TtZX] /.test(readFileSync(statFile, "latin1"));
  } catch {
    return true;
  }
}
