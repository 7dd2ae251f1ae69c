// How many containers of each kind to make ahead, which idle ones to give up, and how long to wait after a failure.

import { type Placed, reservedMB } from "./seats.ts";
import type { Reactive, StemCell } from "./types.ts";

/**
 * Lives that count towards a stem cell. A lean container comes back rewound, unless it is tainted; one that Docker runs
 * counts until somebody has it.
 */
function counts({ state, image }: Placed): boolean {
  if (image !== undefined) return state === "starting" || state === "clean";
  return state !== "tainted" && state !== "removing" && state !== "gone";
}

/** What cells and containers are matched by: lean ones fit in any size. */
function sortOf({ kind, image, memoryMB }: Pick<Placed, "kind" | "memoryMB"> & { image?: unknown }): string {
  return image === undefined ? kind : `${kind} ${memoryMB}`;
}

/** How many there are of each sort, less those that the cells want. */
function countBeyondCells(cells: readonly StemCell[], containers: readonly Placed[]): Map<string, number> {
  const beyond = new Map<string, number>();
  const add = (sort: string, count: number): void => void beyond.set(sort, (beyond.get(sort) ?? 0) + count);
  for (const cell of cells) add(sortOf(cell), -cell.count);
  for (const seat of containers) if (counts(seat)) add(sortOf(seat), 1);
  return beyond;
}

/**
 * The containers to start so that every kind has its number again, as far as memory allows, in the order of the cells.
 * `isHeldBack` says which kinds have failed too recently to be tried again.
 */
export function topUp(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  budgetMB: number,
  isHeldBack: (kind: string) => boolean,
): StemCell[] {
  const orders: StemCell[] = [];
  let freeMB = budgetMB - reservedMB(containers);
  const living = countBeyondCells([], containers);
  for (const cell of cells) {
    const sort = sortOf(cell);
    const have = living.get(sort) ?? 0;
    // Two cells of one kind add up: what the first has used up does not count for the second.
    living.set(sort, Math.max(0, have - cell.count));
    if (isHeldBack(cell.kind)) continue;
    for (let missing = cell.count - have; missing > 0 && cell.memoryMB <= freeMB; missing--) {
      orders.push({ ...cell, count: 1 });
      freeMB -= cell.memoryMB;
    }
  }
  return orders;
}

/** True: the cells have their number without this one. */
export function isBeyondCells(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  seat: Placed,
): boolean {
  return (countBeyondCells(cells, containers).get(sortOf(seat)) ?? 0) > 0;
}

/** Idle containers beyond the stem cells that nobody has used since `unusedSince` (on the scale of `lastUsed`). */
export function surplus(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  unusedSince: number,
): readonly Placed[] {
  const beyond = countBeyondCells(cells, containers);
  return containers
    .filter((seat) => (seat.state === "clean" || seat.state === "warm") && seat.lastUsed < unusedSince)
    .filter((seat) => !isTimed(cells, seat))
    .sort((one, other) => one.lastUsed - other.lastUsed)
    .filter((seat) => {
      if (!counts(seat)) return true;
      const left = beyond.get(sortOf(seat)) ?? 0;
      beyond.set(sortOf(seat), left - 1);
      return left > 0;
    });
}

/** What Docker runs for a reactive cell has the cell's own time until somebody has it. */
function isTimed(cells: readonly StemCell[], seat: Placed): boolean {
  if (seat.image === undefined || seat.state !== "clean") return false;
  return cells.some((cell) => cell.reactive !== undefined && sortOf(cell) === sortOf(seat));
}

/** Containers of reactive cells that nobody has used for longer than their cell says, oldest first. */
export function expired(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  nowMs: number,
): readonly Placed[] {
  const ttls = new Map(cells.map((cell) => [sortOf(cell), cell.reactive?.ttlMs]));
  return containers
    .filter((seat) => isTimed(cells, seat))
    .filter((seat) => nowMs - seat.lastUsed > (ttls.get(sortOf(seat)) ?? Number.POSITIVE_INFINITY))
    .sort((one, other) => one.lastUsed - other.lastUsed);
}

/** How many to keep after so many cold starts since the last decision. */
export function reactiveCount(
  { minCount, maxCount, threshold, increment }: Reactive,
  coldStarts: number,
): number {
  const grown = Math.floor(coldStarts / threshold) * increment;
  return Math.min(Math.max(minCount, grown), maxCount);
}

/** The stem cells, whose numbers follow the cold starts where they are reactive. */
export class Prewarming {
  #cells: readonly StemCell[];
  readonly #coldStarts = new Map<string, number>();
  #hasBegun: boolean = false;

  constructor(cells: readonly StemCell[]) {
    this.#cells = cells;
  }

  /** With the numbers that are to be kept now: at first those of the settings. */
  get cells(): readonly StemCell[] {
    return this.#cells;
  }

  get isReactive(): boolean {
    return this.#cells.some(({ reactive }) => reactive !== undefined);
  }

  /** A job had to wait until one was made. */
  countColdStart(order: Pick<StemCell, "kind" | "memoryMB"> & { readonly image?: unknown }): void {
    const sort = sortOf(order);
    this.#coldStarts.set(sort, (this.#coldStarts.get(sort) ?? 0) + 1);
  }

  /** What is wanted first has been ordered, as far as there is room: until a decision the least of a reactive cell will do. */
  begun(): void {
    if (!this.#hasBegun) this.#resize(({ minCount }) => minCount);
  }

  /** The numbers until the next time. */
  decide(): void {
    this.#resize(reactiveCount);
    this.#coldStarts.clear();
  }

  #resize(count: (reactive: Reactive, coldStarts: number) => number): void {
    this.#hasBegun = true;
    this.#cells = this.#cells.map((cell) =>
      cell.reactive === undefined
        ? cell
        : { ...cell, count: count(cell.reactive, this.#coldStarts.get(sortOf(cell)) ?? 0) },
    );
  }
}

const firstBackOffMs = 200;
const longestBackOffMs = 30_000;

/** How long a kind is not made ahead after `failures` failed starts in a row (a waiting job still tries at once). */
export function backOffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1));
}
