// Booting: a waiting process becomes another one of a checkpointed process, and is bound to the same image.

import { fromNative } from "./errors.ts";
import { type NativeError, type NativeSummary, type ProcessHandle, rwBoot } from "./native.ts";

/** A process that has one thread, and executes the template's program as soon as it can read a byte. */
export interface Waiting {
  /** In the host's pid namespace. */
  readonly pid: number;
  /** The host's descriptor of what it reads from. */
  readonly goFd: number;
}

/** Throws RestorerError; then the process has been killed, where it could be stopped at all. */
export async function bootProcess(
  template: ProcessHandle,
  waiting: Waiting,
  verify: boolean,
): Promise<{ handle: ProcessHandle; summary: NativeSummary }> {
  const error = {} as NativeError;
  const summary = {} as NativeSummary;
  const booted: [ProcessHandle | null] = [null];
  const { pid, goFd } = waiting;
  const failed = await rwBoot(template, pid, goFd, verify ? 1 : 0, booted, summary, error);
  if (failed === 0 && booted[0]) return { handle: booted[0], summary };
  throw fromNative(`boot of process ${pid}`, error);
}
