// How many containers of each kind to make ahead, which idle ones to give up, and how long to wait after a failure.

import { baseOf } from "./libraries.ts";
import { type Placed, reservedMB } from "./seats.ts";
import type { PoolSettings, Reactive, StemCell } from "./types.ts";

/**
 * Lives that count towards a stem cell. A lean container comes back rewound, unless it is tainted; one that Docker runs
 * counts until somebody has it, and so does each where the kind's jobs take such as nobody has used.
 */
function counts(cells: readonly StemCell[], { kind, state, image, isUnused }: Placed): boolean {
  if (image !== undefined) return state === "starting" || state === "clean";
  if (cells.some((cell) => cell.isFresh === true && cell.image === undefined && cell.kind === kind))
    return state === "starting" || (state === "clean" && isUnused === true);
  return state !== "tainted" && state !== "removing" && state !== "gone";
}

/** What cells and containers are matched by: lean ones fit in any size. */
function sortOf(one: Pick<Placed, "kind" | "memoryMB" | "libraries"> & { image?: unknown }): string {
  return one.image === undefined ? baseOf(one) : `${one.kind} ${one.memoryMB}`;
}

/** How many there are of each sort. */
function countLiving(cells: readonly StemCell[], containers: readonly Placed[]): Map<string, number> {
  const living = new Map<string, number>();
  for (const seat of containers)
    if (counts(cells, seat)) living.set(sortOf(seat), (living.get(sortOf(seat)) ?? 0) + 1);
  return living;
}

/** The same, less those that the cells want. */
function countBeyondCells(cells: readonly StemCell[], containers: readonly Placed[]): Map<string, number> {
  const beyond = countLiving(cells, containers);
  for (const cell of cells) beyond.set(sortOf(cell), (beyond.get(sortOf(cell)) ?? 0) - cell.count);
  return beyond;
}

/**
 * The containers to start so that every kind has its number again, as far as memory allows, in the order of the cells.
 * `isHeldBack` says which kinds, or their variants with libraries, have failed too recently to be tried again.
 */
export function topUp(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  budgetMB: number,
  isHeldBack: (base: string) => boolean,
): StemCell[] {
  const orders: StemCell[] = [];
  let freeMB = budgetMB - reservedMB(containers);
  const living = countLiving(cells, containers);
  for (const cell of cells) {
    const sort = sortOf(cell);
    const have = living.get(sort) ?? 0;
    // Two cells of one kind add up: what the first has used up does not count for the second.
    living.set(sort, Math.max(0, have - cell.count));
    if (isHeldBack(baseOf(cell))) continue;
    const neededMB = cell.isPredicted === true ? 2 * cell.memoryMB : cell.memoryMB;
    for (let missing = cell.count - have; missing > 0 && neededMB <= freeMB; missing--) {
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
      if (!counts(cells, seat)) return true;
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

/** A kind of which jobs take such containers as nobody has used. */
interface FreshKind {
  /** So long the next one is expected. */
  readonly untilMs: number;
  readonly memoryMB: number;
}

/** The stem cells, whose numbers follow the cold starts where they are reactive, and what jobs take containers that nobody has used. */
export class Prewarming {
  #cells: readonly StemCell[];
  readonly #settings: Pick<PoolSettings, "rewind" | "idleMs">;
  readonly #nowMs: () => number;
  readonly #libraryCells: () => readonly StemCell[];
  readonly #coldStarts = new Map<string, number>();
  /** Lean ones. */
  readonly #freshKinds = new Map<string, FreshKind>();
  #hasBegun: boolean = false;

  constructor(
    settings: Pick<PoolSettings, "stemCells" | "rewind" | "idleMs">,
    nowMs: () => number,
    libraryCells: () => readonly StemCell[] = () => [],
  ) {
    this.#libraryCells = libraryCells;
    this.#cells = settings.stemCells;
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /**
   * With the numbers that are to be kept now: at first those of the settings. One is kept of a kind that has none, as long as jobs come
   * that would have to wait for it.
   */
  get cells(): readonly StemCell[] {
    const isUsual = this.#settings.rewind === "fresh";
    const isFresh = ({ image, kind }: StemCell): boolean =>
      image === undefined && (isUsual || this.#isExpected(kind));
    const added = [...this.#freshKinds]
      .filter(([kind]) => this.#isExpected(kind))
      .filter(([kind]) => !this.#cells.some((cell) => cell.image === undefined && baseOf(cell) === kind))
      .map(([kind, { memoryMB }]) => ({ kind, count: 1, memoryMB }));
    return [...this.#cells, ...added, ...this.#libraryCells()].map((cell) =>
      isFresh(cell) ? { ...cell, isFresh: true } : cell,
    );
  }

  /** A job of the kind takes a lean container that nobody has used; for as long as idle ones are kept more are expected. */
  expectFresh({ kind, memoryMB }: Pick<StemCell, "kind" | "memoryMB">): void {
    this.#freshKinds.set(kind, { untilMs: this.#nowMs() + this.#settings.idleMs, memoryMB });
  }

  #isExpected(kind: string): boolean {
    return this.#nowMs() < (this.#freshKinds.get(kind)?.untilMs ?? 0);
  }

  get isReactive(): boolean {
    return this.#cells.some(({ reactive }) => reactive !== undefined);
  }

  /** A job had to wait until one was made. */
  countColdStart(
    order: Pick<StemCell, "kind" | "memoryMB" | "libraries"> & { readonly image?: unknown },
  ): void {
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
