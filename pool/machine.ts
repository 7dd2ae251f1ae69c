// What the pool needs of the layers below, as one value that tests can replace.

import type { RewindOptions, RewindTimings, Template } from "../restorer/index.ts";
import type { CodeStore } from "./code-store.ts";
import type { ContainerOrder, Interior, Remains } from "./interior.ts";
import type { SandboxFactory } from "./lean/types.ts";
import type { PendingBytes } from "./logs.ts";
import type { MemoryRoom } from "./memory.ts";
import type { Templates } from "./templates.ts";
import type { Image } from "./types.ts";

/** What the pool does for a rewind, beside what the checkpoint does. */
export type RewindStep =
  | "kill-others"
  | "drain-output"
  | "quiet-channel"
  | "hide-code"
  | "empty-scratch"
  | "no-sockets"
  | "memory-limit";

/** What of a checkpoint, or of the level over it, the pool needs to know. */
export interface Summary {
  readonly threads: number;
  /** Saved in memory of its own. */
  readonly pages: number;
}

/** A level that other containers of the same base can be brought to (restorer's SharedLevel). */
export interface SharedLevel {
  readonly summary: Summary;
  /** Nobody is brought there any more. Idempotent. */
  release(): void;
}

/** A container's base checkpoint, and the level that may be taken over it (restorer's ContainerCheckpoint). */
export interface Checkpoint {
  readonly summary: Summary;
  readonly level: Summary | undefined;
  /**
   * Undefined: there would be more pages than it may have. Throws RestorerError. Where there is no level, or the error is
   * *untouched*, all goes on as it was.
   */
  takeLevel(limits: { readonly tries: number; readonly pages: number }): Promise<Summary | undefined>;
  /** Of the level that it is at, for the caller to release. Throws RestorerError, always *untouched*, where that is this container's alone. */
  shareLevel?(): SharedLevel;
  /** From the base. Throws RestorerError: *untouched* where all goes on as it was; else the container must be replaced. */
  bringToLevel?(level: SharedLevel, options: { readonly verify: boolean }): Promise<RewindTimings>;
  /** By default to the base, where the level ends. Throws RestorerError; then the container must be replaced. */
  rewind(options: RewindOptions): Promise<RewindTimings>;
  /** Idempotent. Never while a call is under way. */
  release(): void;
  /** To boot others from; never while a rewind is under way. */
  template?(): Template;
}

/** Makes containers of any image (docker/factory.ts). */
export interface ImageFactory {
  /** False: nobody could be asked for a container now, or somebody is asking and has no answer. Docker may come at any time. */
  readonly isThere: boolean;
  /** It has been asked, and has answered nothing for longer than a healthy Docker takes. */
  readonly isSilent: boolean;
  /** `onSilence` is told when it falls silent, and when it answers again. */
  follow(onSilence: () => void): void;
  /** Containers made at the same time. */
  readonly parallelStarts: number;
  /**
   * Not before leftovers are gone. `hasRoom`, if given, is asked before anything is started that needs memory. Throws DockerError;
   * what may run then `onRemains` has been told of, to destroy it; if it is absent, that is done.
   */
  create(
    order: ContainerOrder & { readonly image: Image },
    hasRoom?: () => boolean,
    onRemains?: (remains: Remains) => void,
  ): Promise<Interior>;
  /**
   * Of a former life of this invoker; once it has worked it does nothing. Throws DockerError where Docker does not answer; it
   * is asked again then, until it does.
   */
  removeLeftovers(): Promise<void>;
  /** Nobody waits for Docker any more: whatever it is asked fails at once. What is left is removed by the next life. */
  giveUp(): void;
  /** Makes no more and removes what is left. Idempotent. */
  close(): Promise<void>;
}

export interface Machine {
  /** Makes lean containers. */
  readonly factory: SandboxFactory;
  /** Absent: there is no Docker, and jobs that name an image are refused. */
  readonly docker?: ImageFactory | undefined;
  /** Undefined where no rung proved itself: every container is then used once. */
  readonly takeCheckpoint: ((pids: readonly number[]) => Promise<Checkpoint>) | undefined;
  /** Absent: every container is started. */
  readonly templates?: Templates | undefined;
  /** Absent: each container unpacks its action's archive itself. */
  readonly codes?: CodeStore | undefined;
  readonly pendingBytes: PendingBytes;
  /** What is really left of all that memory is taken from; absent: nobody knows. */
  readonly memory?: (() => readonly MemoryRoom[]) | undefined;
  readonly clock: Clock;
  /** Only for proofs that each step of a rewind is needed. */
  readonly leftOut?: RewindStep;
  /** Only for proofs, whose programs load native code: action checkpoints are taken whatever a runtime says of random numbers. */
  readonly ignoresDraws?: boolean;
}

/** The one source of time. */
export interface Clock {
  /** Epoch milliseconds with their fraction, as they would be had nobody set the machine's clock meanwhile: they never jump. */
  readonly nowMs: () => number;
  /** By how much it has been set since this process began. Absent: not at all. */
  readonly setByMs?: () => number;
}

/** Less than this is no setting, but how the two clocks differ by themselves. */
const leastSettingMs = 1000;
const monotonicMs = (): number => performance.timeOrigin + performance.now();

export const systemClock: Clock = {
  nowMs: monotonicMs,
  setByMs: () => {
    const setByMs = Math.round(Date.now() - monotonicMs());
    return Math.abs(setByMs) < leastSettingMs ? 0 : setByMs;
  },
};

/** The time as others are told it: that of the machine's clock. */
export function toldMs({ nowMs, setByMs }: Clock): number {
  return nowMs() + (setByMs?.() ?? 0);
}

/** From `sinceMs` (of `nowMs`) until now, as others are told it, in whole milliseconds; without it, this moment. */
export function toldPeriod(
  clock: Clock,
  sinceMs?: number,
): { readonly startMs: number; readonly endMs: number } {
  const endMs = clock.nowMs();
  const setByMs = clock.setByMs?.() ?? 0;
  return { startMs: Math.floor((sinceMs ?? endMs) + setByMs), endMs: Math.floor(endMs + setByMs) };
}
