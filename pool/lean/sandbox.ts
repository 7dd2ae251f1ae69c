// One started lean container.

import { closeSync } from "node:fs";
import { emptyScratch, type LeanStart } from "../../restorer/index.ts";
import type { ContainerCgroups } from "./cgroups.ts";
import type { Launcher } from "./launcher.ts";
import { killOthers } from "./survivors.ts";

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
  /** Afterwards the runtime is the only living process. Throws LeanError `survivor`. Microseconds if it is already. */
  killOthers(): void;
  /** Processes killed for want of memory since the container was made. */
  oomKills(): number;
  /** Removes all files that were left; throws RestorerError `scratch`. After the rewind: it closes and unmaps them. */
  emptyScratch(): void;
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
  #oomKillsSeen = 0;
  #destroyed: Promise<void> | undefined;

  constructor(parts: SandboxParts) {
    this.id = parts.id;
    this.kind = parts.kind;
    this.runtimePid = parts.runtimePid;
    this.channelFd = parts.started.channelFd;
    this.stdoutFd = parts.started.stdoutFd;
    this.stderrFd = parts.started.stderrFd;
    this.#parts = parts;
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

  killOthers(): void {
    killOthers(this.#parts.cgroups, this.runtimePid);
    this.#oomKillsSeen = this.oomKills();
  }

  oomKills(): number {
    return this.#parts.cgroups.oomKills();
  }

  emptyScratch(): void {
    emptyScratch(this.#parts.scratchFd);
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#remove();
    return this.#destroyed;
  }

  async #remove(): Promise<void> {
    const { launcher, cgroups, scratchFd, onGone } = this.#parts;
    launcher.kill();
    await this.exited;
    // Before the cgroup: as long as it is open, its files are charged there.
    closeSync(scratchFd);
    await cgroups.remove();
    onGone();
  }
}
