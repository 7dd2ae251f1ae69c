// Lean containers as far as they are native: starting one, collecting it, its pipes, its scratch space, the code shown in it.

import { closeSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { fromNative, RestorerError } from "./errors.ts";
import {
  ErrorRoom,
  leanDescribeNetwork,
  leanEmptyScratch,
  leanEndConnections,
  leanForgetFlows,
  leanHideCode,
  leanKeepCode,
  leanMakeNetwork,
  leanOpen,
  leanOpenNetwork,
  leanPending,
  leanReap,
  leanRemove,
  leanShowCode,
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
 * Starts `launcher` as pid 1 of new namespaces; `argv` does not hold its name. `inOurPids`: without a new pid namespace, for an
 * embryo. The container dies with this process. Rejects with RestorerError.
 */
export async function startLean(
  launcher: string,
  argv: readonly string[],
  { inOurPids = false }: { readonly inOurPids?: boolean } = {},
): Promise<LeanStart> {
  const strings = Buffer.from(argv.map((argument) => `${argument}\0`).join(""));
  if (argv.some((argument) => argument.includes("\0")))
    throw new RestorerError("system", "an argument of the launcher contains a NUL", true);
  const error = {} as NativeError;
  const started = {} as NativeStarted;
  if ((await leanStart(launcher, strings, strings.length, inOurPids ? 1 : 0, started, error)) !== 0)
    throw fromNative("start a container", error);
  return {
    initPid: started.init_pid,
    channelFd: started.channel,
    stdoutFd: started.out,
    stderrFd: started.err,
    statusFd: started.status,
  };
}

/**
 * The launcher itself, by a descriptor that is the caller's to close. Only where it is known, with nothing awaited since, that `reapLean`
 * has not reported its end. Throws RestorerError.
 */
export function openLauncher(initPid: number): number {
  const error = {} as NativeError;
  const pidfd: [number] = [-1];
  if (leanOpen(initPid, pidfd, error) !== 0) throw fromNative("find a container", error);
  return pidfd[0];
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

const errorRoom = new ErrorRoom();
const unread = new BigUint64Array(1);
const unsent = new BigUint64Array(1);

/** Bytes that can be read from a pipe or socket, and bytes sent that the other side has not read. */
export function pendingBytes(fd: number): { unread: number; unsent: number } {
  if (leanPending(fd, unread, unsent, errorRoom.bytes) !== 0)
    throw fromNative("pending bytes", errorRoom.read());
  return { unread: Number(unread[0]), unsent: Number(unsent[0]) };
}

/** The path by which the host reaches a container's scratch space; open it while the container lives. */
export function scratchPath(initPid: number): string {
  return `/proc/${initPid}/fd/${scratchFdInLauncher}`;
}

/** So many files are removed before others have their turn: about a millisecond. */
const filesAtOnce = 256;
/** The kernel gives space back late where a file lay in a closed socket's queue: much later where others keep all processors busy. */
const lateMs = 1000;
const shortestPauseMs = 1;
const longestPauseMs = 20;
const removed = new Uint32Array(1);
const empty = new Uint32Array(1);

/**
 * Removes whatever an action left in the scratch space and verifies that nothing is left; others have their turn meanwhile. `hasCode`: but
 * for the place of the code that is shown. Rejects with RestorerError `scratch`: the container must be replaced.
 */
export async function emptyScratch(scratchFd: number, hasCode: boolean): Promise<void> {
  const fail = (what: string): never => {
    throw new RestorerError("scratch", `empty the scratch space: ${what}`, false);
  };
  let pauseMs = shortestPauseMs;
  for (let pausedMs = 0; ; ) {
    if (leanEmptyScratch(scratchFd, Number(hasCode), filesAtOnce, removed, empty, errorRoom.bytes) !== 0)
      fail(errorRoom.read().what);
    if (empty[0] === 1) return;
    if (removed[0] !== 0) {
      await nextTurn();
      continue;
    }
    if (pausedMs > lateMs) fail("something is left in it although all files are removed");
    await sleep(pauseMs);
    pausedMs += pauseMs;
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

/** Whether there is anything in the scratch space by the kernel's count, which is left as it is. `hasCode` as above. Throws RestorerError. */
export function hasFiles(scratchFd: number, hasCode: boolean): boolean {
  if (leanEmptyScratch(scratchFd, Number(hasCode), 0, removed, empty, errorRoom.bytes) === 0)
    return empty[0] !== 1;
  throw new RestorerError("scratch", `look into the scratch space: ${errorRoom.read().what}`, true);
}

/** In the scratch space, as the host reaches it: where a runtime unpacks code to. */
export const codeInScratch = "home/code";

/** Shows a folder of this machine in a container, on a folder of the container's, which can then not be removed there. Rejects with RestorerError. */
export async function showCode(initPid: number, source: string, target: string): Promise<void> {
  const error = {} as NativeError;
  if ((await leanShowCode(initPid, source, target, error)) !== 0) throw fromNative("show code", error);
}

/** False: something in the container still uses it, and it is shown as before. Rejects with RestorerError. */
export async function hideCode(initPid: number, target: string): Promise<boolean> {
  const error = {} as NativeError;
  const busy: [number] = [0];
  if ((await leanHideCode(initPid, target, busy, error)) !== 0) throw fromNative("hide code", error);
  return busy[0] === 0;
}

/**
 * Copies what a runtime has unpacked to a new folder of this machine, and gives the bytes that it takes there. Rejects with
 * RestorerError, also where that would be more than `atMost`; something may lie in the folder then.
 */
export async function keepCode(scratchFd: number, into: string, atMost: number): Promise<number> {
  const error = {} as NativeError;
  const bytes: [number] = [0];
  if ((await leanKeepCode(scratchFd, codeInScratch, into, atMost, bytes, error)) !== 0)
    throw fromNative("keep code", error);
  return Number(bytes[0]);
}

/** Removes what is there with all below it, if anything is, while others have their turn. Rejects with RestorerError; some is left then. */
export async function remove(path: string): Promise<void> {
  const error = {} as NativeError;
  if ((await leanRemove(path, error)) !== 0) throw fromNative("remove", error);
}

/** A new network namespace, with the loopback interface alone. The descriptor is the caller's. Rejects with RestorerError `system`. */
export async function makeNetwork(): Promise<number> {
  const error = {} as NativeError;
  const namespace: [number] = [-1];
  if ((await leanMakeNetwork(namespace, error)) !== 0) throw fromNative("make a network", error);
  return namespace[0];
}

/** A container's namespace has thirty thousand. */
const describedBytes = 1 << 18;

/**
 * All that the kernel tells of a network namespace, as text in sections `== NAME`: see lean_describe_network in native/lean.h.
 * Rejects with RestorerError `system`.
 */
export async function describeNetwork(namespaceFd: number): Promise<string> {
  const error = {} as NativeError;
  const text = Buffer.allocUnsafe(describedBytes);
  const length: [number] = [0];
  if ((await leanDescribeNetwork(namespaceFd, text, text.length, length, error)) !== 0)
    throw fromNative("describe a network", error);
  return text.toString("latin1", 0, length[0]);
}

/** The connections of a container's network namespace, whoever holds them. Each method throws RestorerError `system`. */
export class Connections {
  /** So many sockets of the namespace are our own. */
  readonly sockets = 2;
  readonly #socketsFd: number;
  readonly #flowsFd: number;

  /** `namespaceFd`: an open /proc/PID/ns/net; it need not stay open. */
  constructor(namespaceFd: number) {
    const error = {} as NativeError;
    const sockets: [number] = [-1];
    const flows: [number] = [-1];
    if (leanOpenNetwork(namespaceFd, sockets, flows, error) !== 0) throw fromNative("open a network", error);
    this.#socketsFd = sockets[0];
    this.#flowsFd = flows[0];
  }

  /** Resets TCP connections, also those that wait for the other side's farewell; what they have not sent is dropped. */
  end(): void {
    const error = {} as NativeError;
    if (leanEndConnections(this.#socketsFd, error) !== 0) throw fromNative("end connections", error);
  }

  /** Afterwards no packet that arrives belongs to a connection of before. */
  forget(): void {
    const error = {} as NativeError;
    if (leanForgetFlows(this.#flowsFd, error) !== 0) throw fromNative("forget connections", error);
  }

  close(): void {
    closeSync(this.#socketsFd);
    closeSync(this.#flowsFd);
  }
}

/** The number of a system call on this machine; undefined where its name is not known. */
export function syscallNumber(name: string): number | undefined {
  const number = leanSyscallNumber(name);
  return number < 0 ? undefined : number;
}
