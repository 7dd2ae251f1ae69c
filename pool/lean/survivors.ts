// Kills every process of a container but its runtime, against any that keep forking.

import { readFileSync, statSync } from "node:fs";
import { type ContainerCgroups, killIfThere } from "./cgroups.ts";
import { LeanError } from "./errors.ts";

/** From the first look to giving up: a killed process needs about a tenth of a millisecond to be gone. */
const rounds = 100;
const firstPauseMs = 0.1;
const pauseMs = 1;
/** A child whose making was under way at the first look is in the list at the second. */
const emptyRoundsWanted = 2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** A folder's link count is 2 and, for /proc/PID/task, the number of threads (fs/proc/base.c, proc_task_getattr). */
function threadsOf(pid: number): number {
  return statSync(`/proc/${pid}/task`).nlink - 2;
}

/** A zombie runs nothing and holds no memory; whether its parent collects it is not ours to see to. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return true;
  }
}

function survivors(cgroups: ContainerCgroups, runtimePid: number): readonly number[] {
  return cgroups.processes().filter((pid) => pid !== runtimePid && !isZombie(pid));
}

/**
 * Afterwards the runtime is the container's only living process. Usually it is already, and two numbers show it. Else
 * nobody may fork until the others are dead (the runtime, should it still run, neither). Blocks up to a tenth of a second.
 * Throws LeanError `survivor`.
 */
export function killOthers(cgroups: ContainerCgroups, runtimePid: number): void {
  if (cgroups.tasks() === threadsOf(runtimePid)) return;
  cgroups.setPidsMax(1);
  try {
    let emptyRounds = 0;
    for (let round = 0; round < rounds; round++) {
      const others = survivors(cgroups, runtimePid);
      emptyRounds = others.length === 0 ? emptyRounds + 1 : 0;
      if (emptyRounds === emptyRoundsWanted) return;
      others.forEach(killIfThere);
      Atomics.wait(sleeper, 0, 0, round === 0 ? firstPauseMs : pauseMs);
    }
  } finally {
    cgroups.setPidsMax();
  }
  throw new LeanError("survivor", `processes ${survivors(cgroups, runtimePid).join(", ")} do not die`);
}
