// What a container holds while it lives, as the pool sees it: one interface for lean containers and Docker's.

import type { CheckpointLevel, RewindTimings } from "../restorer/index.ts";
import type { LevelOutcome } from "./levels.ts";
import type { SharedLevel } from "./machine.ts";
import type { Timed } from "./proxy/exchange.ts";
import type { Bringing } from "./shared-levels.ts";
import type { CollectedLogs, ExchangeLimits, Image, InitFrame, TaintError } from "./types.ts";

/** What is to be made. */
export interface ContainerOrder {
  readonly kind: string;
  readonly memoryMB: number;
  /** Absent: a lean container. */
  readonly image?: Image | undefined;
  /** The library set that is imported before its checkpoint is taken; absent: none. Of lean containers only. */
  readonly libraries?: string | undefined;
  /** Docker's name for the container ends in it. */
  readonly label?: string | undefined;
}

/** Told at once why the container is not to be trusted: how it ended may be known only later. */
export type OnFault = (fault: TaintError) => void;

/** Told once what keeps something from being removed, and not for a moment only: that is tried again. */
export type OnStuck = (failure: unknown) => void;

/** What there is of a container. */
export interface Remains {
  /** For people. */
  readonly id: string;
  /** Resolves when nothing of it is left. Throws where something cannot be removed. */
  destroy(onStuck: OnStuck): Promise<void>;
}

/** Memory that several containers have together: it comes back with the last of them. */
export interface CommonMemory {
  /** The same for all of them. */
  readonly of: object;
  readonly bytes: number;
}

export interface Interior extends Remains {
  /** The limit at present. */
  readonly memoryMB: number;
  /** True: it has a checkpoint to go back to. */
  readonly isRewindable: boolean;
  /** True: it was not started, but booted from another's checkpoint. */
  readonly isBooted?: boolean;
  /** Memory that its end would give back, as far as that can be told, whatever becomes of others. */
  ownBytes?(): number | undefined;
  /** What its end would give back if it is the last that has it. */
  common?(): readonly CommonMemory[];
  /** How long the import of its libraries took, where it had to import any. */
  readonly importMs?: number | undefined;
  /** Resolves once, with the reason, if it comes to an end without having been used or told to. */
  readonly lost: Promise<TaintError>;
  /** Once: awaits that it can take a job; takes its checkpoint and proves it. Throws. */
  settle(): Promise<RewindTimings | undefined>;
  init(frame: InitFrame, limits: ExchangeLimits, onFault: OnFault): Promise<Timed>;
  /** `isShared`: others may run beside it. */
  run(body: string, limits: ExchangeLimits, isShared: boolean, onFault: OnFault): Promise<Timed>;
  /** Before init. 0 keeps nothing. */
  keepLogs(limitBytes: number): void;
  /** What was printed since the last time; `isOrderly` as in a lease. Throws what forbids trusting it. */
  collectLogs(isOrderly: boolean, onFault: OnFault): Promise<CollectedLogs>;
  /** Throws where that cannot be. */
  limitMemory(memoryMB: number): void;
  /** Nobody uses it for now; its live state stays. */
  rest(): void;
  /** After an init: makes what it is now a level of its checkpoint, where that can be and has room. Throws what forbids trusting it. */
  takeLevel?(roomBytes: number): Promise<LevelOutcome>;
  /** Of the level just taken, for other containers; undefined where it is this one's alone. */
  shareLevel?(): SharedLevel | undefined;
  /** Clean, to where another one's init had ended. False: it is clean as before. Throws what forbids trusting it. */
  bringToLevel?(bringing: Bringing): Promise<boolean>;
  /** For good: true where nothing of it runs any more. */
  halt?(): boolean;
  /** Back to its checkpoint (by default to the base) and its ordered size, where it has one. Throws. */
  putBack(to?: CheckpointLevel): Promise<RewindTimings | undefined>;
}
