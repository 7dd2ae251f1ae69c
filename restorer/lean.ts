// Lean containers as far as they are native: starting one, collecting it, its pipes, its scratch space.

import { fromNative, RestorerError } from "./errors.ts";
import {
  leanEmptyScratch,
  leanPending,
  leanReap,
  leanStart,
  leanSyscallNumber,
  type NativeError,
  type NativeStarted,
} from "./native.ts";

/** Where the launcher holds the root of the scratch space: LEAN_FD_SCRATCH in native/lean.h. */
const scratchFdInLauncher = 5;

/** A started launcher, and the host's ends of what lies between: non-blocking, close-on-exec, the caller's to close. */
export interface LeanStart {
  /** Belongs to this container until `reapLean` has reported its end. */
  readonly initPid: number;
  readonly channelFd: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  /** Lines from the launcher: `started`, `exit N`, `signal N`, `failed STEP: REASON` (native/launcher.c). */
  readonly statusFd: number;
}

/**
 * Starts `launcher` as pid 1 of new namespaces; `argv` does not hold its name. Blocks for about a millisecond. Throws
 * RestorerError. To be called on the main thread: the container dies with the thread that made it.
 */
export function startLean(launcher: string, argv: readonly string[]): LeanStart {
  const strings = Buffer.from(argv.map((argument) => `${argument}\0`).join(""));
  if (argv.some((argument) => argument.includes("\0")))
    throw new RestorerError("system", "an argument of the launcher contains a NUL", true);
  const error = {} as NativeError;
  const started = {} as NativeStarted;
  if (leanStart(launcher, strings, strings.length, started, error) !== 0)
    throw fromNative("start a container", error);
  return {
    initPid: started.init_pid,
    channelFd: started.channel,
    stdoutFd: started.out,
    stderrFd: started.err,
    statusFd: started.status,
  };
}

/** How a launcher ended: once, as soon as it and all processes of its container are gone; undefined before that. */
export function reapLean(
  initPid: number,
): { readonly cause: "exit" | "signal"; readonly status: number } | undefined {
  const error = {} as NativeError;
  const ended: [number] = [0];
  const status: [number] = [0];
  if (leanReap(initPid, ended, status, error) !== 0) throw fromNative("collect a container", error);
  if (ended[0] === 0) return undefined;
  const signal = status[0] & 0x7f;
  return signal === 0
    ? { cause: "exit", status: (status[0] >> 8) & 0xff }
    : { cause: "signal", status: signal };
}

/** Bytes that can be read from a pipe or socket, and bytes sent that the other side has not read. */
export function pendingBytes(fd: number): { unread: number; unsent: number } {
  const error = {} as NativeError;
  const unread: [number] = [0];
  const unsent: [number] = [0];
  if (leanPending(fd, unread, unsent, error) !== 0) throw fromNative("pending bytes", error);
  return { unread: Number(unread[0]), unsent: Number(unsent[0]) };
}

/** The path by which the host reaches a container's scratch space; open it while the container lives. */
export function scratchPath(initPid: number): string {
  return `/proc/${initPid}/fd/${scratchFdInLauncher}`;
}

/**
 * Removes whatever an action left in the scratch space and verifies that nothing is left. True: there was nothing. Throws
 * RestorerError with code `scratch`: the container must be replaced.
 */
export function emptyScratch(scratchFd: number): boolean {
  const error = {} as NativeError;
  const wasEmpty: [number] = [0];
  if (leanEmptyScratch(scratchFd, wasEmpty, error) !== 0)
    throw new RestorerError("scratch", `empty the scratch space: ${error.what}`, false);
  return wasEmpty[0] === 1;
}

/** The number of a system call on this machine; undefined where its name is not known. */
export function syscallNumber(name: string): number | undefined {
  const number = leanSyscallNumber(name);
  return number < 0 ? undefined : number;
}
