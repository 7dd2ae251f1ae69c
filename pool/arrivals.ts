// How many containers of each sort will be in use at once, by how many were of late.

import { baseOf } from "./libraries.ts";
import { isIdle, type Placed } from "./seats.ts";
import type { StemCell } from "./types.ts";

/** Lean containers by their base, Docker's by their image. */
export type Sort = Pick<Placed, "kind" | "image" | "libraries">;

/** A sort, and how many of it are expected to be in use at once. */
export type Expected = Sort & { readonly memoryMB: number; readonly count: number };

interface Use {
  readonly sort: Sort;
  readonly memoryMB: number;
  readonly inUse: number;
  /** The most at once, decayed as it was then. */
  readonly peaks: ReadonlyMap<number, number>;
  readonly sinceMs: number;
}

/** What was needed comes to count for half in this time, where the next seconds are in question. */
export const soonMs = 60_000;
/** Sorts that are remembered: any number of images used once makes nobody forget what is used by many at once. */
const rememberedMax = 500;

/**
 * Jobs that come often, or stay long, or in bursts, use many containers at once: that number is what is remembered, and it fades. Each
 * half-life is a memory of its own.
 */
export class Arrivals {
  readonly #nowMs: () => number;
  readonly #halfLivesMs: readonly number[];
  readonly #uses = new Map<string, Use>();

  constructor(nowMs: () => number, halfLivesMs: readonly number[]) {
    this.#nowMs = nowMs;
    this.#halfLivesMs = halfLivesMs;
  }

  /** A job has one of these from now on. `ended` must follow. */
  began({ kind, image, libraries }: Sort, memoryMB: number): void {
    const sort = {
      kind,
      ...(image !== undefined && { image }),
      ...(libraries !== undefined && { libraries }),
    };
    this.#change(sort, memoryMB, 1);
  }

  /** It is free for others again, or gone. */
  ended(sort: Sort): void {
    const use = this.#uses.get(keyOf(sort));
    if (use !== undefined) this.#change(use.sort, use.memoryMB, -1);
  }

  /** By one of the half-lives. */
  expected(sort: Sort, halfLifeMs: number): number {
    const use = this.#uses.get(keyOf(sort));
    return use === undefined ? 0 : Math.round(this.#peakOf(use, halfLifeMs));
  }

  /** All of which any is expected. */
  all(halfLifeMs: number): readonly Expected[] {
    return [...this.#uses.values()]
      .map(({ sort, memoryMB }) => ({ ...sort, memoryMB, count: this.expected(sort, halfLifeMs) }))
      .filter(({ count }) => count > 0);
  }

  #change(sort: Sort, memoryMB: number, by: 1 | -1): void {
    const key = keyOf(sort);
    const before = this.#uses.get(key);
    const inUse = Math.max(0, (before?.inUse ?? 0) + by);
    const peaks = new Map(
      this.#halfLivesMs.map((halfLifeMs) => {
        const peak = before === undefined ? 0 : this.#peakOf(before, halfLifeMs);
        return [halfLifeMs, Math.max(peak, inUse)];
      }),
    );
    this.#uses.delete(key);
    this.#uses.set(key, { sort, memoryMB, inUse, peaks, sinceMs: this.#nowMs() });
    if (this.#uses.size > rememberedMax) this.#forget();
  }

  #peakOf({ inUse, peaks, sinceMs }: Use, halfLifeMs: number): number {
    const peak = peaks.get(halfLifeMs) ?? 0;
    return Math.max(inUse, peak * 2 ** ((sinceMs - this.#nowMs()) / halfLifeMs));
  }

  /** Of those that nobody uses the one that is expected least, and was used longest ago. */
  #forget(): void {
    const longestMs = Math.max(...this.#halfLivesMs);
    let [least, leastPeak] = ["", Number.POSITIVE_INFINITY];
    for (const [key, use] of this.#uses) {
      const peak = this.#peakOf(use, longestMs);
      if (use.inUse === 0 && peak < leastPeak) [least, leastPeak] = [key, peak];
    }
    this.#uses.delete(least);
  }
}

function keyOf(sort: Sort): string {
  return sort.image === undefined ? baseOf(sort) : `image ${sort.image}`;
}

/**
 * What is expected beyond the stem cells, as cells that come after them. Only lean ones, and with libraries only where the cells have
 * such: what is not wanted any more is not made again.
 */
export function predictedCells(
  cells: readonly StemCell[],
  expected: readonly Expected[],
): readonly StemCell[] {
  return expected.flatMap(({ kind, image, libraries, memoryMB, count }) => {
    if (image !== undefined) return [];
    const base = baseOf({ kind, libraries });
    const alike = cells.filter((cell) => cell.image === undefined && baseOf(cell) === base);
    if (libraries !== undefined && alike.length === 0) return [];
    const missing = count - alike.reduce((sum, cell) => sum + cell.count, 0);
    const isFresh = alike.some((cell) => cell.isFresh === true) ? { isFresh: true } : {};
    return missing > 0 ? [{ kind, memoryMB, count: missing, libraries, isPredicted: true, ...isFresh }] : [];
  });
}

/** Idle ones beyond what is expected, or wanted by cells, of their sort; of each the one used last is kept longest. */
export function spareOf(seats: readonly Placed[], wantedOf: (sort: Sort) => number): readonly Placed[] {
  const left = new Map<string, number>();
  const leftOf = (seat: Placed): number => left.get(keyOf(seat)) ?? wantedOf(seat);
  for (const seat of seats) {
    const { state } = seat;
    const isUsed = state === "running" || state === "rewinding" || state === "starting";
    if (isUsed) left.set(keyOf(seat), leftOf(seat) - 1);
  }
  return seats
    .filter(isIdle)
    .sort((one, other) => other.lastUsed - one.lastUsed)
    .filter((seat) => {
      const wanted = leftOf(seat);
      left.set(keyOf(seat), wanted - 1);
      return wanted <= 0;
    });
}
