// Which waiting job gets which container, and what has to be made or removed for the others: values in, steps out.

import type { ContainerState } from "./lifecycle.ts";

/** One container as the decision sees it. Counted against the budget until it is gone. */
export interface Placed {
  readonly id: number;
  readonly kind: string;
  readonly state: ContainerState;
  /** Reserved for it at present. */
  readonly memoryMB: number;
  /** Whose live state it holds (warm), if anybody's. */
  readonly owner: string | undefined;
  /** Monotonic; larger is later. */
  readonly lastUsed: number;
}

export interface Wanted {
  readonly kind: string;
  readonly memoryMB: number;
  readonly owner: string;
  /** True: it has not been the first without room for longer than a start would take. Then it rather waits for one of its kind. */
  readonly isPatient: boolean;
}

export type Step =
  /** Waiter `job` gets `container`, which is limited anew to the job's memory. */
  | { readonly step: "lease"; readonly job: number; readonly container: number }
  /** A warm container of another owner is put back; a later plan gives it away. */
  | { readonly step: "recycle"; readonly container: number }
  | { readonly step: "create"; readonly job: number; readonly kind: string; readonly memoryMB: number }
  | { readonly step: "evict"; readonly container: number }
  /** It could never fit. */
  | { readonly step: "refuse"; readonly job: number };

interface Seat {
  readonly id: number;
  readonly kind: string;
  readonly owner: string | undefined;
  readonly lastUsed: number;
  readonly memoryMB: number;
  readonly state: ContainerState;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** The first job for which there is no room; it holds back all later ones. */
  readonly blocked: number | undefined;
}

/**
 * The steps to take now for the jobs in the order of their arrival. First in, first out: a job for which there is no
 * room holds back all later ones. A job that only waits for a container under way (being made or rewound, its memory
 * reserved) holds nobody back, and takes whichever of its kind is ready first.
 */
export function plan(containers: readonly Placed[], waiting: readonly Wanted[], budgetMB: number): Plan {
  const steps: Step[] = [];
  const seats = containers.map((seat): Seat => ({ ...seat }));
  const room = new Room(seats, budgetMB);

  for (const [job, wanted] of waiting.entries()) {
    if (wanted.memoryMB > budgetMB) {
      steps.push({ step: "refuse", job });
      continue;
    }
    const idle = chooseIdle(seats, wanted, room.freeMB);
    if (idle !== undefined) {
      steps.push({ step: "lease", job, container: idle.id });
      room.freeMB -= wanted.memoryMB - idle.memoryMB;
      take(seats, idle);
      continue;
    }
    const comingMB = expect(seats, wanted, room.freeMB);
    if (comingMB !== undefined) {
      room.freeMB -= Math.max(0, wanted.memoryMB - comingMB);
      continue;
    }
    const recyclable = oldest(
      seats.filter((seat) => seat.state === "warm" && fits(seat, wanted, room.freeMB)),
    );
    if (recyclable !== undefined) {
      steps.push({ step: "recycle", container: recyclable.id });
      room.freeMB -= Math.max(0, wanted.memoryMB - recyclable.memoryMB);
      take(seats, recyclable);
      continue;
    }
    if (wanted.memoryMB <= room.freeMB) {
      steps.push({ step: "create", job, kind: wanted.kind, memoryMB: wanted.memoryMB });
      room.freeMB -= wanted.memoryMB;
      continue;
    }
    // Evicting one kind's container for another's job costs a start, and another one when the first kind's jobs come back.
    if (wanted.isPatient && isInUse(containers, steps, wanted.kind)) return { steps, blocked: job };
    for (const seat of room.makeWay(seats, wanted)) steps.push({ step: "evict", container: seat.id });
    return { steps, blocked: job };
  }
  return { steps, blocked: undefined };
}

/** Megabytes reserved by everything that is not gone. */
export function reservedMB(containers: readonly Placed[]): number {
  return containers.reduce((sum, seat) => sum + (seat.state === "gone" ? 0 : seat.memoryMB), 0);
}

class Room {
  /** May be taken now. */
  freeMB: number;

  constructor(seats: readonly Seat[], budgetMB: number) {
    this.freeMB = budgetMB - reservedMB(seats);
  }

  /** The idle containers to remove, least recently used first, so that `wanted` fits when all that leaves is gone. */
  makeWay(seats: Seat[], wanted: Wanted): Seat[] {
    let soonMB =
      this.freeMB +
      seats
        .filter((seat) => seat.state === "tainted" || seat.state === "removing")
        .reduce((sum, seat) => sum + seat.memoryMB, 0);
    const evicted: Seat[] = [];
    while (soonMB < this.#missing(seats, wanted)) {
      // The largest of the kind is kept to grow: cheaper than a new one, and its memory counts in any case.
      const grows = growable(seats, wanted.kind);
      const victim = oldest(seats.filter((seat) => isIdle(seat) && seat !== grows));
      if (victim === undefined) break;
      evicted.push(victim);
      take(seats, victim);
      soonMB += victim.memoryMB;
    }
    return evicted;
  }

  /** What `wanted` needs beyond the largest container of its kind that could be given to it. */
  #missing(seats: readonly Seat[], wanted: Wanted): number {
    return wanted.memoryMB - (growable(seats, wanted.kind)?.memoryMB ?? 0);
  }
}

/** A container of the kind is in use, by these steps at the latest, and will come back. */
function isInUse(containers: readonly Placed[], steps: readonly Step[], kind: string): boolean {
  const leased = new Set(steps.map((step) => (step.step === "lease" ? step.container : undefined)));
  return containers.some(
    ({ id, kind: its, state }) =>
      its === kind &&
      (state === "running" || state === "rewinding" || state === "starting" || leased.has(id)),
  );
}

function isIdle(seat: Seat): boolean {
  return seat.state === "clean" || seat.state === "warm";
}

/** Not on offer any more in this plan. */
function take(seats: Seat[], seat: Seat): void {
  seats.splice(seats.indexOf(seat), 1);
}

/** Warm for this owner; else clean of this kind, rather without growing, rather the one used last (its pages are hot). */
function chooseIdle(seats: readonly Seat[], wanted: Wanted, freeMB: number): Seat | undefined {
  const fitting = seats.filter((seat) => fits(seat, wanted, freeMB));
  const warm = fitting.filter((seat) => seat.state === "warm" && seat.owner === wanted.owner);
  if (warm.length > 0) return newest(warm);
  const clean = fitting.filter((seat) => seat.state === "clean");
  return newest(clean.filter((seat) => seat.memoryMB >= wanted.memoryMB)) ?? newest(clean);
}

/** Takes a container of the kind that is being made or rewound off the offer; its memory, or undefined if there is none. */
function expect(seats: Seat[], wanted: Wanted, freeMB: number): number | undefined {
  const coming = seats.filter(
    (seat) => (seat.state === "starting" || seat.state === "rewinding") && fits(seat, wanted, freeMB),
  );
  const rewinding = coming.find((seat) => seat.state === "rewinding");
  const chosen = rewinding ?? coming.find((seat) => seat.memoryMB >= wanted.memoryMB) ?? coming[0];
  if (chosen === undefined) return undefined;
  take(seats, chosen);
  return chosen.memoryMB;
}

/** Of the wanted kind, and what it would have to grow by is free. */
function fits(seat: Seat, wanted: Wanted, freeMB: number): boolean {
  return seat.kind === wanted.kind && wanted.memoryMB - seat.memoryMB <= Math.max(0, freeMB);
}

/** The largest idle container of the kind. */
function growable(seats: readonly Seat[], kind: string): Seat | undefined {
  return seats
    .filter((seat) => isIdle(seat) && seat.kind === kind)
    .reduce<Seat | undefined>(
      (best, seat) => (best && best.memoryMB >= seat.memoryMB ? best : seat),
      undefined,
    );
}

function newest(seats: readonly Seat[]): Seat | undefined {
  return seats.reduce<Seat | undefined>(
    (best, seat) => (best && best.lastUsed >= seat.lastUsed ? best : seat),
    undefined,
  );
}

function oldest(seats: readonly Seat[]): Seat | undefined {
  return seats.reduce<Seat | undefined>(
    (best, seat) => (best && best.lastUsed <= seat.lastUsed ? best : seat),
    undefined,
  );
}
