// One started lean container.

import { closeSync, readFileSync } from "node:fs";
import { emptyScratch, hasFiles, type LeanStart } from "../../restorer/index.ts";
import type { ContainerCgroups } from "./cgroups.ts";
import type { ContainerNetwork } from "./container-network.ts";
import type { Launcher } from "./launcher.ts";
import { restOf } from "./rest.ts";
import { ShownCode } from "./shown-code.ts";
import { Sockets } from "./sockets.ts";
import { allowOthers, awaitReaped, isAlone, killOthers } from "./survivors.ts";

/** How a container's runtime ended. `failed`: it could not be started, `message` says at which step. */
export interface Exit {
  readonly cause: "exit" | "signal" | "failed";
  /** The exit code or the signal's number. */
  readonly status: number;
  /** The kernel killed for want of memory since the last time that `killOthers` was called. */
  readonly oomKilled: boolean;
  readonly message: string;
}

/** A started lean container; the runtime's READY frame has not been awaited. */
export interface Sandbox {
  readonly id: string;
  readonly kind: string;
  /** In the host's pid namespace. */
  readonly runtimePid: number;
  /** Host ends, non-blocking. They are the caller's: it closes them. */
  readonly channelFd: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  /** Resolves once, whatever the cause, when no process of the container is left. */
  readonly exited: Promise<Exit>;
  readonly memoryMB: number;
  /** Throws when the kernel cannot get below the new limit. */
  setMemoryMB(memoryMB: number): void;
  memoryUsedBytes(): number;
  /**
   * Afterwards the runtime, which has so many threads at its checkpoint, is the only living process, and nobody is born until
   * `allowOthers`. Rejects with LeanError `survivor`. Microseconds if it is alone already.
   */
  killOthers(threads: number): Promise<void>;
  /** Neither processes nor threads are born in the container meanwhile. */
  withoutBirths<Result>(during: () => Promise<Result>): Promise<Result>;
  /** After the rewind: resolves when the container has no sockets, and all connections are forgotten. Throws LeanError `survivor`. */
  awaitNoSockets(): Promise<void>;
  /** After the rewind. Throws LeanError `survivor`. */
  allowOthers(threads: number): void;
  /** After the rewind: resolves when of processes that have ended nothing is left either. Rejects with LeanError `survivor` or `process-gone`. */
  awaitReaped(threads: number): Promise<void>;
  /** Processes killed for want of memory since the container was made. */
  oomKills(): number;
  /**
   * Shows a folder of this machine at `codePlace`, read-only, where nothing of the action runs yet. Rejects with RestorerError; then all is
   * as before.
   */
  showCode(folder: string): Promise<void>;
  /** After the rewind: nothing of the code that was shown is left. Rejects with LeanError `survivor` where something still uses it. */
  hideCode(): Promise<void>;
  /** What the runtime has unpacked, after it has been put back: copied to a new folder; gives its bytes. Rejects with RestorerError. */
  keepCode(into: string, atMost: number): Promise<number>;
  /** Bytes of files in the scratch space. */
  scratchUsedBytes(): number;
  /** Removes all files that were left; rejects with RestorerError `scratch`. After the rewind: it closes and unmaps them. */
  emptyScratch(): Promise<void>;
  /** True: the runtime is the only process, be it living or a zombie. */
  isAlone(): boolean;
  /** True: somebody in the container has a socket, or one is still to be removed. */
  hasSockets(): boolean;
  /** True: something is in the scratch space, be it a deleted file that is still open. */
  hasFiles(): boolean;
  /** Stops the runtime for good, where it is the only process; else false. */
  halt(): boolean;
  /** Lets the runtime go on. True: it was stopped. */
  goOn(): boolean;
  /** What the runtime's threads wait for (rest.ts); undefined: one may go on by itself. */
  rest(): string | undefined;
  /** Kills, waits, and removes all traces. Idempotent. Throws LeanError `removal`. */
  destroy(): Promise<void>;
}

export interface SandboxParts {
  readonly id: string;
  readonly kind: string;
  readonly runtimePid: number;
  readonly started: LeanStart;
  readonly launcher: Launcher;
  readonly cgroups: ContainerCgroups;
  readonly scratchFd: number;
  readonly network: ContainerNetwork;
  /** Once, when nothing of the container is left. */
  readonly onGone: () => void;
}

export class LeanSandbox implements Sandbox {
  readonly id: string;
  readonly kind: string;
  readonly runtimePid: number;
  readonly channelFd: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly exited: Promise<Exit>;
  readonly #parts: SandboxParts;
  readonly #sockets: Sockets;
  readonly #code: ShownCode;
  #oomKillsSeen = 0;
  /** What was begun last in the scratch space. */
  #inScratch: Promise<unknown> = Promise.resolve();
  #destroyed: Promise<void> | undefined;

  constructor(parts: SandboxParts) {
    this.id = parts.id;
    this.kind = parts.kind;
    this.runtimePid = parts.runtimePid;
    this.channelFd = parts.started.channelFd;
    this.stdoutFd = parts.started.stdoutFd;
    this.stderrFd = parts.started.stderrFd;
    this.#parts = parts;
    this.#sockets = new Sockets(parts.runtimePid, parts.network);
    this.#code = new ShownCode(parts.started.initPid, parts.scratchFd);
    this.exited = parts.launcher.ended.then((end) => ({
      ...end,
      oomKilled: parts.cgroups.oomKills() > this.#oomKillsSeen,
    }));
  }

  get memoryMB(): number {
    return this.#parts.cgroups.memoryMB;
  }

  setMemoryMB(memoryMB: number): void {
    this.#parts.cgroups.setMemoryMB(memoryMB);
  }

  memoryUsedBytes(): number {
    return this.#parts.cgroups.memoryUsedBytes();
  }

  async killOthers(threads: number): Promise<void> {
    await killOthers(this.#parts.cgroups, this.runtimePid, threads);
    this.#oomKillsSeen = this.oomKills();
  }

  async withoutBirths<Result>(during: () => Promise<Result>): Promise<Result> {
    const { cgroups } = this.#parts;
    cgroups.forbidTasks();
    try {
      return await during();
    } finally {
      if (this.#destroyed === undefined) cgroups.allowTasks();
    }
  }

  awaitNoSockets(): Promise<void> {
    return this.#sockets.awaitNone();
  }

  allowOthers(threads: number): void {
    allowOthers(this.#parts.cgroups, this.runtimePid, threads);
  }

  awaitReaped(threads: number): Promise<void> {
    return awaitReaped(this.#parts.cgroups, threads);
  }

  oomKills(): number {
    return this.#parts.cgroups.oomKills();
  }

  showCode(folder: string): Promise<void> {
    return this.#noted(this.#code.show(folder));
  }

  hideCode(): Promise<void> {
    return this.#noted(this.#code.hide());
  }

  keepCode(into: string, atMost: number): Promise<number> {
    return this.#noted(this.#code.keep(into, atMost));
  }

  scratchUsedBytes(): number {
    return this.#code.unpackedBytes();
  }

  emptyScratch(): Promise<void> {
    return this.#noted(emptyScratch(this.#parts.scratchFd, this.#code.isShown));
  }

  /** The scratch space's descriptor is not closed before it has ended. */
  #noted<Result>(work: Promise<Result>): Promise<Result> {
    this.#inScratch = work.catch(() => undefined);
    return work;
  }

  isAlone(): boolean {
    return isAlone(this.#parts.cgroups, this.runtimePid);
  }

  halt(): boolean {
    try {
      process.kill(this.runtimePid, "SIGSTOP");
      return this.isAlone();
    } catch {
      // It has ended.
      return false;
    }
  }

  goOn(): boolean {
    try {
      // One that is being killed is no longer.
      const wasStopped = /^State:\tT/m.test(readFileSync(`/proc/${this.runtimePid}/status`, "latin1"));
      process.kill(this.runtimePid, "SIGCONT");
      return wasStopped;
    } catch {
      // It has ended.
      return false;
    }
  }

  hasSockets(): boolean {
    return this.#sockets.count() !== 0;
  }

  hasFiles(): boolean {
    return hasFiles(this.#parts.scratchFd, this.#code.isShown);
  }

  rest(): string | undefined {
    return restOf(this.runtimePid);
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#remove();
    return this.#destroyed;
  }

  async #remove(): Promise<void> {
    const { launcher, cgroups, scratchFd, onGone } = this.#parts;
    launcher.kill();
    await this.exited;
    await this.#inScratch;
    // Before the cgroup: as long as it is open, its files are charged there.
    closeSync(scratchFd);
    this.#sockets.close();
    await cgroups.remove();
    onGone();
  }
}
