// The memory, and the places for lean containers, that a plan gives away, and the idle containers that are removed where these are not enough.

import { type Sort, spareOf } from "./arrivals.ts";
import { growable, isIdle, oldest, type Placed, reservedMB, take, type Wanted } from "./seats.ts";

/** What there would be if all went but what is stuck. */
export function attainableMB(seats: readonly Placed[], budgetMB: number): number {
  return budgetMB - reservedMB(seats.filter(({ isStuck }) => isStuck === true));
}

export interface Bounds {
  /** False: what Docker is told to remove stays where it is. */
  readonly isDockerThere: boolean;
  /** So many lean containers there can be, whatever their size. */
  readonly leanMost: number;
  /** How many of a sort should stay. */
  readonly wantedOf?: ((sort: Sort) => number) | undefined;
}

export class Room {
  /** May be taken now. */
  freeMB: number;
  /** So many more lean containers may be made now. */
  freeLean: number;
  /** Who needs more waits for what is stuck. */
  readonly attainableMB: number;
  readonly #isDockerThere: boolean;
  readonly #isAnyStuck: boolean;
  readonly #wantedOf: ((sort: Sort) => number) | undefined;

  constructor(seats: readonly Placed[], budgetMB: number, { isDockerThere, leanMost, wantedOf }: Bounds) {
    this.#wantedOf = wantedOf;
    this.freeMB = budgetMB - reservedMB(seats);
    this.freeLean = leanMost - seats.filter(isLean).length;
    this.attainableMB = attainableMB(seats, budgetMB);
    this.#isDockerThere = isDockerThere;
    this.#isAnyStuck = seats.some(({ isStuck }) => isStuck === true);
  }

  /**
   * The idle containers to remove, so that `wanted` has memory and place when all that leaves is gone: first those with libraries that nobody has asked for
   * yet, then those beyond what is expected of their sort, then the others, of each the least recently used. While anything is stuck lean ones come first: one more of Docker's may be lost to its owner without making room.
   */
  makeWay(seats: Placed[], wanted: Wanted): Placed[] {
    const removable = seats.filter(({ image }) => image === undefined || this.#isDockerThere);
    const leaving = removable.filter(
      ({ state, isStuck }) => (state === "tainted" || state === "removing") && isStuck !== true,
    );
    let soonMB = this.freeMB + leaving.reduce((sum, seat) => sum + seat.memoryMB, 0);
    let soonLean = this.freeLean + leaving.filter(isLean).length;
    const evicted: Placed[] = [];
    for (;;) {
      // The largest of the kind is kept to grow: cheaper than a new one, and its memory counts in any case.
      const grows = growable(removable, wanted);
      const lacksLean = wanted.image === undefined && grows === undefined && soonLean < 1;
      if (!lacksLean && soonMB >= wanted.memoryMB - (grows?.memoryMB ?? 0)) break;
      const mayGo = (seat: Placed): boolean => seat !== grows && (!lacksLean || isLean(seat));
      const idle = removable.filter((seat) => isIdle(seat) && mayGo(seat));
      const surest = this.#isAnyStuck ? oldest(idle.filter(({ image }) => image === undefined)) : undefined;
      const unasked = idle.filter(({ libraries, isUnused }) => libraries !== undefined && isUnused === true);
      const spare = this.#wantedOf === undefined ? [] : spareOf(removable, this.#wantedOf);
      const victim = surest ?? oldest(unasked) ?? oldest(spare.filter(mayGo)) ?? oldest(idle);
      if (victim === undefined) break;
      evicted.push(victim);
      take(removable, victim);
      soonMB += victim.memoryMB;
      if (isLean(victim)) soonLean++;
    }
    return evicted;
  }
}

function isLean({ image, state }: Placed): boolean {
  return image === undefined && state !== "gone";
}
