// Kills every process of a container but its runtime, and sees to it that none is born before the rewind is complete.

import { statSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type ContainerCgroups, killIfThere } from "./cgroups.ts";
import { LeanError } from "./errors.ts";

/**
 * A killed process needs about a tenth of a millisecond to be gone, a thousand on a busy machine a good part of a second. Only
 * pauses count: where all stand still, this process too, nobody has had the time to die.
 */
const patienceMs = 2000;
const roundsWithoutPause = 10;
const roundsWithShortPauses = 200;
const shortPauseMs = 1;
const longPauseMs = 20;
/** A child whose making was under way at the first look is in the list at the second. */
const emptyRoundsWanted = 2;

/** A folder's link count is 2 and, for /proc/PID/task, the number of threads (fs/proc/base.c, proc_task_getattr). Gone, it has none. */
function threadsOf(pid: number): number {
  const folder = statSync(`/proc/${pid}/task`, { throwIfNoEntry: false });
  return folder === undefined ? 0 : folder.nlink - 2;
}

/**
 * The kernel leaves zombies out of the list, but not a process whose first thread alone has ended: that one looks like a
 * zombie in /proc and goes on.
 */
function survivors(cgroups: ContainerCgroups, runtimePid: number): readonly number[] {
  return cgroups.processes().filter((pid) => pid !== runtimePid);
}

/**
 * Afterwards the runtime is the container's only living process, and neither processes nor threads are born until
 * `allowOthers`: else one that shares the runtime's memory could be born right before the freeze, write to what has been put
 * back, and be gone before anybody looks. Usually one number shows that the runtime is alone: the threads of its checkpoint,
 * which are all there or it is not rewound. Rejects with LeanError `survivor`.
 */
export async function killOthers(
  cgroups: ContainerCgroups,
  runtimePid: number,
  threads: number,
): Promise<void> {
  cgroups.forbidTasks();
  if (cgroups.tasks() === threads) return;
  let emptyRounds = 0;
  let pausedMs = 0;
  for (let round = 0; pausedMs < patienceMs; round++) {
    const others = survivors(cgroups, runtimePid);
    emptyRounds = others.length === 0 ? emptyRounds + 1 : 0;
    // No zombies either, and nobody in the making: what else there is are threads of the runtime.
    if (emptyRounds > 0 && cgroups.tasks() === threadsOf(runtimePid)) return;
    if (emptyRounds === emptyRoundsWanted) return;
    others.forEach(killIfThere);
    if (others.length > 0 && round < roundsWithoutPause) {
      await nextTurn();
      continue;
    }
    const pauseMs = round < roundsWithShortPauses ? shortPauseMs : longPauseMs;
    await sleep(pauseMs);
    pausedMs += pauseMs;
  }
  throw new LeanError("survivor", `processes ${survivors(cgroups, runtimePid).join(", ")} do not die`);
}

/** Zombies count as well. */
export function isAlone(cgroups: ContainerCgroups, runtimePid: number): boolean {
  return cgroups.tasks() === threadsOf(runtimePid);
}

/** After the rewind. Throws LeanError `survivor` unless the runtime is still the container's only living process. */
export function allowOthers(cgroups: ContainerCgroups, runtimePid: number, threads: number): void {
  if (cgroups.tasks() !== threads) {
    const others = survivors(cgroups, runtimePid);
    if (others.length > 0) throw new LeanError("survivor", `processes ${others.join(", ")} are left`);
  }
  cgroups.allowTasks();
}

/**
 * After the rewind, which has reaped the runtime's own children. A daemon is for pid 1 to reap, which has to get to it on a busy
 * machine: until then the next owner could read its name. Resolves when nothing is left. Rejects with LeanError `survivor`; with `process-gone` where the runtime
 * is ending.
 */
export async function awaitReaped(cgroups: ContainerCgroups, threads: number): Promise<void> {
  for (let pausedMs = 0; ; pausedMs += shortPauseMs) {
    const tasks = cgroups.tasks();
    if (tasks === threads) return;
    if (tasks < threads) throw new LeanError("process-gone", `${tasks} of ${threads} threads are left`);
    if (pausedMs > patienceMs) throw new LeanError("survivor", "a process that has ended is not reaped");
    await sleep(shortPauseMs);
  }
}
