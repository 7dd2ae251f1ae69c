// The memory that a plan gives away, and the idle containers that are removed where it is not enough.

import { type Sort, spareOf } from "./arrivals.ts";
import { growable, isIdle, oldest, type Placed, reservedMB, take, type Wanted } from "./seats.ts";

/** What there would be if all went but what is stuck. */
export function attainableMB(seats: readonly Placed[], budgetMB: number): number {
  return budgetMB - reservedMB(seats.filter(({ isStuck }) => isStuck === true));
}

export class Room {
  /** May be taken now. */
  freeMB: number;
  /** Who needs more waits for what is stuck. */
  readonly attainableMB: number;
  readonly #isDockerThere: boolean;
  readonly #isAnyStuck: boolean;
  readonly #wantedOf: ((sort: Sort) => number) | undefined;

  /** `isDockerThere` false: what Docker is told to remove stays where it is. `wantedOf` tells how many of a sort should stay. */
  constructor(
    seats: readonly Placed[],
    budgetMB: number,
    isDockerThere: boolean,
    wantedOf?: (sort: Sort) => number,
  ) {
    this.#wantedOf = wantedOf;
    this.freeMB = budgetMB - reservedMB(seats);
    this.attainableMB = attainableMB(seats, budgetMB);
    this.#isDockerThere = isDockerThere;
    this.#isAnyStuck = seats.some(({ isStuck }) => isStuck === true);
  }

  /**
   * The idle containers to remove, so that `wanted` fits when all that leaves is gone: first those with libraries that nobody has asked for
   * yet, then those beyond what is expected of their sort, then the others, of each the least recently used. While anything is stuck lean ones come first: one more of Docker's may be lost to its owner without making room.
   */
  makeWay(seats: Placed[], wanted: Wanted): Placed[] {
    const removable = seats.filter(({ image }) => image === undefined || this.#isDockerThere);
    let soonMB =
      this.freeMB +
      removable
        .filter(({ state, isStuck }) => (state === "tainted" || state === "removing") && isStuck !== true)
        .reduce((sum, seat) => sum + seat.memoryMB, 0);
    const evicted: Placed[] = [];
    while (soonMB < this.#missing(removable, wanted)) {
      // The largest of the kind is kept to grow: cheaper than a new one, and its memory counts in any case.
      const grows = growable(removable, wanted);
      const idle = removable.filter((seat) => isIdle(seat) && seat !== grows);
      const surest = this.#isAnyStuck ? oldest(idle.filter(({ image }) => image === undefined)) : undefined;
      const unasked = idle.filter(({ libraries, isUnused }) => libraries !== undefined && isUnused === true);
      const spare = this.#wantedOf === undefined ? [] : spareOf(removable, this.#wantedOf);
      const victim =
        surest ?? oldest(unasked) ?? oldest(spare.filter((seat) => seat !== grows)) ?? oldest(idle);
      if (victim === undefined) break;
      evicted.push(victim);
      take(removable, victim);
      soonMB += victim.memoryMB;
    }
    return evicted;
  }

  /** What `wanted` needs beyond the largest container of its kind that could be given to it. */
  #missing(seats: readonly Placed[], wanted: Wanted): number {
    return wanted.memoryMB - (growable(seats, wanted)?.memoryMB ?? 0);
  }
}
