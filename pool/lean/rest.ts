// Whether all threads of a process wait for others, and have done so since it was last asked.

import { readdirSync, readFileSync } from "node:fs";

/** System calls that may wait without a limit of time, and which argument (from 0) says that they do, by which values. */
const endless: { readonly [call: string]: readonly [place: number, values: RegExp] } = {
  // read, pause
  0: [0, /./],
  34: [0, /./],
  // futex
  202: [3, /^0x0$/],
  // epoll_wait, epoll_pwait
  232: [3, /^0x(f{8}){1,2}$/],
  281: [3, /^0x(f{8}){1,2}$/],
  // poll, ppoll
  7: [2, /^0x(f{8}){1,2}$/],
  271: [2, /^0x0$/],
};

/** A line of `/proc/PID/task/TID/syscall`. */
function isEndless(line: string): boolean {
  const [call = "", ...values] = line.trim().split(" ");
  const [place, expected] = endless[call] ?? [];
  return place !== undefined && expected?.test(values[place] ?? "") === true;
}

/**
 * What all threads wait for, and how often each has run so far; undefined where one does not wait, or not without a limit of time.
 * Where two texts in a row are the same, there was a moment in between at which all waited: as nobody else wakes them, they do so since.
 * (Its checkpoint is taken then; whether nobody else can is looked at by a level that is taken over it.)
 */
export function restOf(pid: number): string | undefined {
  try {
    return waitsOf(`/proc/${pid}/task`);
  } catch {
    // One has ended meanwhile.
    return undefined;
  }
}

function waitsOf(tasks: string): string | undefined {
  const texts: string[] = [];
  for (const task of readdirSync(tasks)) {
    const call = readFileSync(`${tasks}/${task}/syscall`, "latin1");
    if (!isEndless(call)) return undefined;
    const switches = readFileSync(`${tasks}/${task}/status`, "latin1").match(/^\w+_ctxt_switches:.*$/gm);
    texts.push(`${task} ${call.trim()} ${switches?.join(" ")}`);
  }
  return texts.join("\n");
}
