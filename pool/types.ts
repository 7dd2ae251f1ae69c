// What the layers above give to the pool and get back from it.

import type { TaintReason } from "../restorer/index.ts";
import type { Timed } from "./proxy/exchange.ts";

/** How a job came by its container. Cold: it had to wait for one to be made. */
export type StartKind = "cold" | "clean" | "rewound" | "warm";

/**
 * When a container is rewound: after every activation, or only when it changes hands. Whatever is asked, a machine on
 * which no rung proved itself uses every container once.
 */
export type RewindPolicy = "always" | "on-change";

/** What the pool is asked for: a container of this kind and size, for this owner. */
export interface Job {
  readonly kind: string;
  readonly memoryMB: number;
  /** Two jobs with the same text may see each other's state (same namespace, action and revision). */
  readonly owner: string;
}

/** What `/init` carries in stock OpenWhisk. */
export interface InitFrame {
  readonly name: string;
  readonly main: string;
  readonly binary: boolean;
  readonly env: { readonly [name: string]: string };
  /** Source text or the raw archive; not copied. */
  readonly code: Buffer | undefined;
}

export interface ExchangeLimits {
  readonly timeoutMs: number;
  /** A longer body is counted and cut. */
  readonly maxBodyBytes: number;
  /** How much of a body that is too long is kept. */
  readonly keptBodyBytes: number;
}

/** What an activation printed, formatted as OpenWhisk keeps it. */
export interface CollectedLogs {
  readonly lines: readonly string[];
  readonly truncated: boolean;
}

/** The use of one container by one job, from the grant to `release`. */
export interface Lease {
  readonly containerId: string;
  readonly start: StartKind;
  /** True: the owner's action is loaded already, with the state its last activation left. */
  readonly initialised: boolean;
  init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed>;
  /** `body` is the JSON text that stock posts to `/run`. */
  run(body: string, limits: ExchangeLimits): Promise<Timed>;
  /** Starts keeping what is printed, up to a limit in bytes; 0 keeps nothing. Before init. */
  keepLogs(limitBytes: number): void;
  /** All that was printed up to the last answer. Once. */
  collectLogs(): CollectedLogs;
  /**
   * Ends the use; resolves when the container is clean (or kept warm, or known to be lost) and its place can be taken.
   * `wellBehaved` false forbids keeping live state. Never rejects. Idempotent.
   */
  release(wellBehaved: boolean): Promise<void>;
}

/** How many containers of a kind the pool keeps at the ready, and of which size. */
export interface StemCell {
  readonly kind: string;
  readonly count: number;
  readonly memoryMB: number;
}

export interface PoolSettings {
  /** Megabytes for all containers together (`whisk.container-pool.user-memory`). */
  readonly userMemoryMB: number;
  readonly rewind: RewindPolicy;
  readonly stemCells: readonly StemCell[];
  /** Containers started at the same time. */
  readonly parallelStarts: number;
  /** From the order to the runtime's READY. */
  readonly startTimeoutMs: number;
  /** A rewind that has not returned by then costs the container. */
  readonly rewindTimeoutMs: number;
  /** The first rewinds of a container that are verified, then one in `verifyOneIn`. */
  readonly verifyFirst: number;
  readonly verifyOneIn: number;
  /** Uses after which a container is replaced: address layout and hash seeds are as old as it is. */
  readonly usesBeforeRetirement: number;
  /** How long a job waits for a running container of its kind before idle ones of other kinds are evicted for it. */
  readonly patienceMs: number;
  /** An idle container beyond the stem cells is removed after this time. */
  readonly idleMs: number;
}

export const defaultPoolSettings: Omit<PoolSettings, "userMemoryMB"> = {
  rewind: "always",
  stemCells: [],
  parallelStarts: 4,
  startTimeoutMs: 30_000,
  rewindTimeoutMs: 2_000,
  verifyFirst: 16,
  verifyOneIn: 256,
  usesBeforeRetirement: 10_000,
  patienceMs: 100,
  idleMs: 600_000,
};

export type PoolFailure = "cannot-create" | "too-large" | "closed";

/** Why a job got no container; nothing of it has run. */
export class PoolError extends Error {
  readonly code: PoolFailure;
  readonly kind: string;
  constructor(code: PoolFailure, kind: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PoolError";
    this.code = code;
    this.kind = kind;
  }
}

/** Why a container is not known to be clean. Its `reason` is what to count. */
export class TaintError extends Error {
  readonly reason: TaintReason;
  constructor(reason: TaintReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TaintError";
    this.reason = reason;
  }
}

/** Why a container that was clean or warm was taken away. */
export type RemovalCause = "evicted" | "idle" | "retired" | "spent" | "tainted" | "start-failed" | "closing";
