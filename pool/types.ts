// What the layers above give to the pool and get back from it.

import type { TaintReason as RestorerReason } from "../restorer/index.ts";
import type { Timed } from "./proxy/exchange.ts";

/** Why a container is not to be trusted: what the restorer knows, and two that only Docker containers have. */
export type TaintReason = RestorerReason | "engine" | "logs";

/** How a job came by its container. Cold: it had to wait for one to be made. */
export type StartKind = "cold" | "clean" | "rewound" | "warm";

/**
 * Where an activation begins: with its owner's live state, or at the end of an earlier init (`level`); at the base of a container that was used,
 * or never; or of one that it had to wait for, which was booted or had its interpreter started.
 */
export type StartPlace = (typeof startPlaces)[number];
export const startPlaces = ["warm", "level", "brought", "rewound", "clean", "booted", "started"] as const;

/**
 * When a container is rewound: after every activation; only when it changes hands; or never, for each job gets one that
 * nobody has used, which is removed afterwards (`fresh`). Whatever is asked, a machine on which no rung proved itself uses
 * every container once.
 */
export type RewindPolicy = (typeof rewindPolicies)[number];
export const rewindPolicies = ["always", "on-change", "fresh"] as const;

/** What Docker is to run where a kind has no runtime of ours, and for every action that brings an image of its own. */
export interface Image {
  /** In full: registry, prefix, name and tag, as Docker is to be asked for it. */
  readonly name: string;
  /** True: pulled before each container is made (a user's image). False: only if it is not there. */
  readonly pull: boolean;
  /** True: it ends the output of every activation with a sentinel on both streams. */
  readonly sentinelled: boolean;
}

/** What the pool is asked for: a container of this kind and size, for this owner. */
export interface Job {
  readonly kind: string;
  /**
   * Absent: a lean container with a runtime of ours. Given: a Docker container, which is its first owner's for life and
   * keeps what activations leave in it, unless `rewind` says `fresh`.
   */
  readonly image?: Image;
  /** `<namespace>_<action>`: for people, in the name of a Docker container that is made for this job. */
  readonly label?: string;
  readonly memoryMB: number;
  /** Two jobs with the same text may see each other's state (same namespace, action and revision). */
  readonly owner: string;
  /** Absent: as the pool's settings say. The same for all jobs of an owner. */
  readonly rewind?: RewindPolicy;
  /**
   * So many jobs of this owner may use one container at the same time; absent: one, as always under `fresh`. The asker knows
   * that the runtime can run them so. The same for all jobs of an owner.
   */
  readonly concurrency?: number;
  /** The modules that it asks for, for containers that have some of them imported already; absent: none. */
  readonly modules?: ReadonlySet<string>;
  /** Those of them that it imports for sure; absent: none. */
  readonly imports?: readonly string[];
  /** True: its init is given what another activation of the same owner may not have: nobody comes back to it, and the job begins at no action checkpoint. */
  readonly hasOwnInit?: boolean;
}

/** What `/init` carries in stock OpenWhisk. */
export interface InitFrame {
  readonly name: string;
  readonly main: string;
  readonly binary: boolean;
  readonly env: { readonly [name: string]: string };
  /** Source text or the raw archive; not copied. */
  readonly code: Buffer | undefined;
  /** Where the archive lies unpacked, as the container sees it; there is no `code` then. */
  readonly folder?: string;
  /** True: the runtime is to say whether what the init leaves may be come back to. */
  readonly level?: boolean;
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
  readonly place: StartPlace;
  /** What the container had imported in its base; absent: nothing. */
  readonly libraries?: string | undefined;
  /** True: the owner's action is loaded already, with the state its last activation left. */
  readonly initialised: boolean;
  init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed>;
  /** `body` is the JSON text that stock posts to `/run`. */
  run(body: string, limits: ExchangeLimits): Promise<Timed>;
  /** Starts keeping what is printed, up to a limit in bytes; 0 keeps nothing. Before init. */
  keepLogs(limitBytes: number): void;
  /**
   * All that was printed up to the last answer. Once. `isOrderly`: the action has ended its output as it should, so that
   * who knows the end by a sentinel waits for it. Where that fails the lines say so, and the container is given up.
   */
  collectLogs(isOrderly?: boolean): Promise<CollectedLogs>;
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
  /** As in a job. */
  readonly image?: Image;
  /** How the number follows the cold starts (`stemCells[].reactive`). */
  readonly reactive?: Reactive;
  /** True: only such count as nobody has used. */
  readonly isFresh?: boolean;
  /** True: expected by what came of late, and made only while as much memory again stays free. */
  readonly isPredicted?: boolean;
  /** As in an order. */
  readonly libraries?: string | undefined;
}

/** Modules that are imported before the checkpoint of containers of a kind is taken (libraries.ts). */
export interface LibrarySet {
  readonly kind: string;
  /** By these names an action asks for them. */
  readonly modules: readonly string[];
  /** As of a stem cell: so many are kept at the ready. */
  readonly count: number;
  /** Actions with less memory have a container without them. */
  readonly memoryMB: number;
}

/** At each check the number becomes `⌊cold starts / threshold⌋ × increment`, within these bounds. */
export interface Reactive {
  readonly minCount: number;
  readonly maxCount: number;
  /** One with an image that nobody has used for so long is removed at the next check. */
  readonly ttlMs: number;
  readonly threshold: number;
  readonly increment: number;
}

/** When the numbers of reactive cells are decided anew (`whisk.container-pool.prewarm-expiration-…`). */
export interface PrewarmChecks {
  readonly firstAfterMs: number;
  readonly everyMs: number;
  /** At most so many expired ones are removed at a time. */
  readonly removedMax: number;
}

export interface PoolSettings {
  /** Megabytes for all containers together (`whisk.container-pool.user-memory`). */
  readonly userMemoryMB: number;
  /** For jobs that name none. */
  readonly rewind: RewindPolicy;
  readonly stemCells: readonly StemCell[];
  /** Containers started at the same time. */
  readonly parallelStarts: number;
  /** From the order to the runtime's READY. */
  readonly startTimeoutMs: number;
  /** Megabytes for action checkpoints of all containers together; 0: none are taken. */
  readonly levelMemoryMB: number;
  /** Only of inits that take at least so long: taking one costs some milliseconds. */
  readonly levelInitMs: number;
  /** Other containers of the kind are brought to a checkpoint that one has taken, for further jobs of its owner. */
  readonly sharesLevels: boolean;
  /** Megabytes that are to be left of the machine's memory: with less, what can be made anew is given up; 0: nobody looks. */
  readonly leastMemoryMB: number;
  readonly memoryLookMs: number;
  /** A rewind that has not returned by then costs the container. */
  readonly rewindTimeoutMs: number;
  /** The first rewinds of a container that are verified, then one in `verifyOneIn`. */
  readonly verifyFirst: number;
  readonly verifyOneIn: number;
  /** A container is replaced after this many uses, or a little fewer, each at a number of its own (ageing.ts). */
  readonly usesBeforeRetirement: number;
  /** The same for its age. */
  readonly ageBeforeRetirementMs: number;
  /** Containers of a kind are booted from the checkpoint of one that was started (templates.ts). */
  readonly boots: boolean;
  /** Which containers with libraries there are. */
  readonly libraries: readonly LibrarySet[];
  /** Megabytes, of `userMemoryMB`, for containers with libraries that are learnt from what jobs ask for; 0: none are learnt. */
  readonly learntMemoryMB: number;
  /** How long a job waits for a running container of its kind before idle ones of other kinds are evicted for it. */
  readonly patienceMs: number;
  /** An idle container beyond the stem cells is removed after this time. */
  readonly idleMs: number;
  /** Of each sort as many are kept for longer, and made ahead, as are expected by how many were in use at once (arrivals.ts). */
  readonly predicts: boolean;
  readonly prewarmChecks: PrewarmChecks;
}

export const defaultPoolSettings: Omit<PoolSettings, "userMemoryMB"> = {
  rewind: "always",
  stemCells: [],
  parallelStarts: 4,
  startTimeoutMs: 30_000,
  levelMemoryMB: 0,
  levelInitMs: 10,
  sharesLevels: false,
  leastMemoryMB: 0,
  memoryLookMs: 1000,
  rewindTimeoutMs: 2_000,
  verifyFirst: 16,
  verifyOneIn: 256,
  usesBeforeRetirement: 10_000,
  ageBeforeRetirementMs: 3_600_000,
  boots: false,
  libraries: [],
  learntMemoryMB: 0,
  patienceMs: 100,
  idleMs: 600_000,
  predicts: false,
  prewarmChecks: { firstAfterMs: 600_000, everyMs: 600_000, removedMax: 100 },
};

/** `pull-failed` and `no-executable` are the fault of the image that the job named. */
export type PoolFailure = "cannot-create" | "pull-failed" | "no-executable" | "too-large" | "closed";

/** Why a job got no container; nothing of it has run. */
export class PoolError extends Error {
  readonly code: PoolFailure;
  readonly kind: string;
  /** That the job named, if any. */
  readonly image: string | undefined;
  constructor(
    code: PoolFailure,
    kind: string,
    message: string,
    options?: ErrorOptions & { readonly image?: string | undefined },
  ) {
    super(message, options);
    this.name = "PoolError";
    this.code = code;
    this.kind = kind;
    this.image = options?.image;
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
export type RemovalCause = (typeof removalCauses)[number];
export const removalCauses = [
  "evicted",
  "idle",
  "memory",
  "retired",
  "spent",
  "tainted",
  "start-failed",
  "closing",
] as const;
