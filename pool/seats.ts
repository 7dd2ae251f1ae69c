// Containers and jobs as the decision sees them, and which of the containers suits a job.

import type { ContainerState } from "./lifecycle.ts";

/** One container. Counted against the budget until it is gone. */
export interface Placed {
  readonly id: number;
  readonly kind: string;
  /** Runs this image in Docker: of one size, and one owner's for life. Absent: a lean container. */
  readonly image?: string | undefined;
  /** The library set that it has imported; absent: none. */
  readonly libraries?: string | undefined;
  readonly state: ContainerState;
  /** Reserved for it at present. */
  readonly memoryMB: number;
  /**
   * True: Docker has not removed it when it was told to. It may run on, so it counts until Docker says that it is gone. When that
   * will be nobody knows: others make way as if its memory never came back, and a job that needs it holds nobody back.
   */
  readonly isStuck?: boolean;
  /** True: others may have its memory, until Docker answers and there is something that needs it. */
  readonly isLent?: boolean;
  /** Whose live state it holds (warm), if anybody's. */
  readonly owner: string | undefined;
  /** Of one that is being made or rewound: when it is expected, by what was measured; absent: nobody knows. */
  readonly readyInMs?: number;
  /** Of one that is being put back to its action checkpoint: how long the init took that a next job of its owner is spared there. */
  readonly sparesMs?: number;
  /** Monotonic; larger is later. */
  readonly lastUsed: number;
  /** Memory that its action checkpoint takes beside it; absent: it has none. */
  readonly levelBytes?: number;
  /** True: it was booted from another's checkpoint. */
  readonly isBooted?: boolean;
  /** True: nobody has ever used it. */
  readonly isUnused?: boolean;
  /** How many more jobs of its owner may use it beside those that do; absent: none. */
  readonly spare?: number;
}

export interface Wanted {
  readonly kind: string;
  readonly image?: string | undefined;
  /** The library sets that it may meet, the best first; absent: none. Without libraries any will do. */
  readonly libraries?: readonly string[];
  /** Of these the one with which a container is made for it; absent: none. */
  readonly making?: string | undefined;
  readonly memoryMB: number;
  readonly owner: string;
  /** True: while one of its kind is in use, it rather waits for that than has idle ones of other kinds evicted. */
  readonly isPatient: boolean;
  /** So many of the owner's jobs may use one container at the same time; absent: one. */
  readonly concurrency?: number;
  /** True: only a container that nobody has used will do. */
  readonly isFresh?: boolean;
  /** True: it is to have an init of its own, and so begins at no action checkpoint. */
  readonly hasOwnInit?: boolean;
}

/** Megabytes reserved by everything that is not gone. */
export function reservedMB(containers: readonly Placed[]): number {
  return containers.reduce(
    (sum, { state, isLent, memoryMB }) => sum + (state === "gone" || isLent === true ? 0 : memoryMB),
    0,
  );
}

/**
 * How many jobs that have no container can have one soon: one that is idle, or used by neighbours with room beside them, or being
 * rewound; and then one behind each that runs, or as many as can be made at a time.
 */
export function placesIn(containers: readonly Placed[], startsAtOnce: number): number {
  let [ready, running] = [0, 0];
  for (const { state, spare = 0 } of containers) {
    if (state === "clean" || state === "warm" || state === "rewinding") ready++;
    if (state === "running") running++;
    ready += spare;
  }
  return ready + Math.max(running, startsAtOnce);
}

/** Of one kind and, where Docker runs it, of one image. */
export function isAlike(one: Pick<Placed, "kind" | "image">, other: Pick<Placed, "kind" | "image">): boolean {
  return one.kind === other.kind && one.image === other.image;
}

/** A job's own libraries only: what nobody asks for, nobody is to see. */
export function suits(
  seat: Pick<Placed, "kind" | "image" | "libraries">,
  wanted: Pick<Wanted, "kind" | "image" | "libraries">,
): boolean {
  return isAlike(seat, wanted) && rankOf(seat, wanted) >= 0;
}

/** From 0, the best, to one without libraries; negative: it has some that the job must not meet. */
function rankOf({ libraries }: Pick<Placed, "libraries">, wanted: Pick<Wanted, "libraries">): number {
  const suiting = wanted.libraries ?? [];
  return libraries === undefined ? suiting.length : suiting.indexOf(libraries);
}

/** Those with the best libraries for the job. */
function best(seats: readonly Placed[], wanted: Wanted): readonly Placed[] {
  const least = Math.min(...seats.map((seat) => rankOf(seat, wanted)));
  return seats.filter((seat) => rankOf(seat, wanted) === least);
}

/** The init that the job need not wait for: where its owner's container comes back to its action checkpoint, and that will do. */
export function sparedMs({ owner, sparesMs = 0 }: Placed, wanted: Wanted): number {
  return owner === wanted.owner && wanted.hasOwnInit !== true ? sparesMs : 0;
}

/** One that is being put back is there sooner than its libraries are imported, or its action is loaded. */
export function isWorthWaitingFor(coming: Placed | undefined, idle: Placed, wanted: Wanted): boolean {
  if (coming?.state !== "rewinding" || idle.state !== "clean") return false;
  return rankOf(coming, wanted) < rankOf(idle, wanted) || sparedMs(coming, wanted) > 0;
}

/** It will be clean soon, whatever actions do. */
export function isComing({ state }: Placed): boolean {
  return state === "starting" || state === "rewinding";
}

export function isIdle({ state }: Placed): boolean {
  return state === "clean" || state === "warm";
}

/** Not on offer any more in this plan. */
export function take(seats: Placed[], seat: Placed): void {
  seats.splice(seats.indexOf(seat), 1);
}

/** Nobody has used it, where that is wanted. */
function isFreshEnough({ state, isUnused }: Placed, { isFresh }: Wanted): boolean {
  return isFresh !== true || state === "starting" || isUnused === true;
}

/** Of the wanted kind, and what it would have to grow by is free. Docker's are of the wanted size or do not fit. */
export function fits(seat: Placed, wanted: Wanted, freeMB: number): boolean {
  if (!suits(seat, wanted) || !isFreshEnough(seat, wanted)) return false;
  if (seat.image !== undefined) return seat.memoryMB === wanted.memoryMB;
  return wanted.memoryMB - seat.memoryMB <= Math.max(0, freeMB);
}

/** With its owner's action loaded, in a way that the job may find it. */
function isWarmFor({ state, owner, levelBytes }: Placed, wanted: Wanted): boolean {
  const mayBeLoaded = wanted.hasOwnInit !== true || levelBytes === undefined;
  return state === "warm" && owner === wanted.owner && mayBeLoaded;
}

/**
 * Warm for this owner; else clean of this kind, with the best libraries, rather without growing, rather one that others could not have because it was
 * used, rather the one used last (its pages are hot).
 */
export function chooseIdle(seats: readonly Placed[], wanted: Wanted, freeMB: number): Placed | undefined {
  const fitting = seats.filter((seat) => fits(seat, wanted, freeMB));
  const warm = fitting.filter((seat) => isWarmFor(seat, wanted));
  if (warm.length > 0) return newest(warm);
  const clean = best(
    fitting.filter((seat) => seat.state === "clean"),
    wanted,
  );
  const large = clean.filter((seat) => seat.memoryMB >= wanted.memoryMB);
  const isUsed = ({ isUnused }: Placed): boolean => isUnused !== true;
  return newest(large.filter(isUsed)) ?? newest(large) ?? newest(clean.filter(isUsed)) ?? newest(clean);
}

/** One of the kind that is being made or rewound, rather the latter, with the best libraries. */
export function chooseComing(seats: readonly Placed[], wanted: Wanted, freeMB: number): Placed | undefined {
  const coming = seats.filter((seat) => isComing(seat) && fits(seat, wanted, freeMB));
  const rewinding = coming.filter((seat) => seat.state === "rewinding");
  if (rewinding.length > 0) return best(rewinding, wanted)[0];
  const starting = best(coming, wanted);
  return starting.find((seat) => seat.memoryMB >= wanted.memoryMB) ?? starting[0];
}

/** A warm one, of another owner or at an action checkpoint, that can be put back for this one: the one that was used longest ago. */
export function chooseRecyclable(
  seats: readonly Placed[],
  wanted: Wanted,
  freeMB: number,
): Placed | undefined {
  const fitting = seats.filter(
    (seat) => seat.state === "warm" && seat.image === undefined && fits(seat, wanted, freeMB),
  );
  return oldest(best(fitting, wanted));
}

/** The largest idle container of the kind that can be given another size. */
export function growable(seats: readonly Placed[], wanted: Wanted): Placed | undefined {
  return seats
    .filter((seat) => isIdle(seat) && seat.image === undefined && suits(seat, wanted))
    .filter((seat) => isFreshEnough(seat, wanted))
    .reduce<Placed | undefined>(
      (best, seat) => (best && best.memoryMB >= seat.memoryMB ? best : seat),
      undefined,
    );
}

function newest(seats: readonly Placed[]): Placed | undefined {
  return seats.reduce<Placed | undefined>(
    (best, seat) => (best && best.lastUsed >= seat.lastUsed ? best : seat),
    undefined,
  );
}

export function oldest(seats: readonly Placed[]): Placed | undefined {
  return seats.reduce<Placed | undefined>(
    (best, seat) => (best && best.lastUsed <= seat.lastUsed ? best : seat),
    undefined,
  );
}
