// Numbers of processes and threads that have ended, given to others.

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const triesMax = 1000;

/** The kernel gives numbers in turn: the next one is this, unless somebody else is quicker. */
export function makeNext(pid: number): void {
  writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
}

export function startWithNumber(pid: number): ChildProcess {
  for (let i = 0; i < triesMax; i++) {
    makeNext(pid);
    const child = spawn("/usr/bin/sleep", ["infinity"], { stdio: "ignore" });
    if (child.pid === pid) return child;
    child.kill("SIGKILL");
  }
  throw new Error(`no process got the number ${pid}`);
}
