// What the pool wants of lean containers, and what it is told of them.

import type { Waiting } from "../../restorer/index.ts";
import type { Facts } from "../fingerprint.ts";
import type { Checkpoint } from "../machine.ts";
import type { MemoryGroup } from "../memory.ts";
import type { Channel } from "../proxy/channel.ts";
import type { Counts } from "./made-ahead.ts";
import type { Sandbox } from "./sandbox.ts";

/** Boots a runtime. What it throws is the cause of the LeanError. */
export type Boot = (waiting: Waiting) => Promise<void>;

/** Is given the checkpoint of a runtime that was booted, and proved, ahead, and frees it; and the channel, which is open. */
export type TakeOver = (checkpoint: Checkpoint, channel: Channel) => void;

/** Boots runtimes that nobody wants yet. */
export interface BootAhead {
  from(waiting: Waiting): Promise<Checkpoint>;
  /** Rejects where what runs by now cannot be put back to its checkpoint, or does not equal it then. */
  prove(checkpoint: Checkpoint): Promise<void>;
  /** Frees the checkpoint of what has been killed, once no proof of it is under way. */
  discard(checkpoint: Checkpoint): Promise<void>;
  /** What it has booted cannot run an action that does nothing, or has ended. */
  failed(why: unknown): void;
  /** True: nobody will want what it boots, or has booted. */
  isOver(): boolean;
}

/** What has been made before anybody wanted it. */
export interface AheadCounts {
  readonly networks: Counts & { readonly ready: number };
  /** `replaced`: so many had ended when somebody took them, or did until they ran, who was given another. */
  readonly containers: { readonly ready: number; readonly replaced: number };
}

/** Processes that booted containers are forked from, or were: each stays until the last that was. */
export interface EmbryoCounts {
  readonly living: number;
  /** What their cgroups are charged with. */
  readonly bytes: number;
}

export interface SandboxFactory {
  /**
   * With `boot` the runtime is not started but made another one of a checkpointed runtime of the kind, which says READY no more.
   * With `takeOver` one may be had that was booted ahead; it is called instead then.
   * Throws LeanError; nothing is left behind then.
   */
  create(kind: string, memoryMB: number, boot?: Boot, takeOver?: TakeOver): Promise<Sandbox>;
  kinds(): readonly string[];
  /** What is the same in all containers of the kind, and decides what a process in one is. Throws LeanError. */
  facts?(kind: string): Facts;
  ahead(): AheadCounts;
  embryos(): EmbryoCounts;
  /** What is made ahead of the kind is booted ahead from now on, until the next call. */
  bootAhead(kind: string, boot: BootAhead | undefined): void;
  /** True: nothing is made or kept that nobody wants yet, until the next call. */
  saveMemory(isSaving: boolean): void;
  /** That all containers are in. */
  memoryGroup(): MemoryGroup;
  /**
   * Of a former life with the same instance name: kills what still runs and removes its cgroups and files. Throws LeanError
   * `removal` at its end where something is left; containers can be made all the same.
   */
  removeLeftovers(): Promise<void>;
  /** When Docker has been found: its firewall forbids to forward what containers send. Throws LeanError. */
  allowForwarding(): void;
  /** Destroys all containers and refuses to make more. Idempotent. Throws LeanError `removal` at its end where something is left of one. */
  close(): Promise<void>;
}
