// What the pool needs of the layers below, as one value that tests can replace.

import type { RewindTimings } from "../restorer/index.ts";
import type { SandboxFactory } from "./lean/factory.ts";
import type { PendingBytes } from "./logs.ts";

/** A container's base checkpoint (restorer's ContainerCheckpoint). */
export interface Checkpoint {
  /** Throws RestorerError; then the container must be replaced. */
  rewind(options: { readonly verify: boolean }): Promise<RewindTimings>;
  /** Idempotent. Never while a rewind is under way. */
  release(): void;
}

export interface Machine {
  readonly factory: SandboxFactory;
  /** Undefined where no rung proved itself: every container is then used once. */
  readonly takeCheckpoint: ((pids: readonly number[]) => Promise<Checkpoint>) | undefined;
  readonly pendingBytes: PendingBytes;
  readonly clock: Clock;
}

/** The one source of time. */
export interface Clock {
  /** Epoch milliseconds with their fraction. */
  readonly nowMs: () => number;
}

export const systemClock: Clock = { nowMs: () => performance.timeOrigin + performance.now() };
