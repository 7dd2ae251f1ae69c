// How many containers of each kind to make ahead, which idle ones to give up, and how long to wait after a failure.

import { type Placed, reservedMB } from "./schedule.ts";
import type { StemCell } from "./types.ts";

/** Lives that count towards a stem cell: a running container comes back rewound, a tainted one does not. */
function isLiving(seat: Placed): boolean {
  return seat.state !== "tainted" && seat.state !== "removing" && seat.state !== "gone";
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
  const living = new Map<string, number>();
  for (const seat of containers) {
    if (isLiving(seat)) living.set(seat.kind, (living.get(seat.kind) ?? 0) + 1);
  }
  for (const cell of cells) {
    const have = living.get(cell.kind) ?? 0;
    // Two cells of one kind add up: what the first has used up does not count for the second.
    living.set(cell.kind, Math.max(0, have - cell.count));
    if (isHeldBack(cell.kind)) continue;
    for (let missing = cell.count - have; missing > 0 && cell.memoryMB <= freeMB; missing--) {
      orders.push({ ...cell, count: 1 });
      freeMB -= cell.memoryMB;
    }
  }
  return orders;
}

/** Idle containers beyond the stem cells that nobody has used since `unusedSince` (on the scale of `lastUsed`). */
export function surplus(
  cells: readonly StemCell[],
  containers: readonly Placed[],
  unusedSince: number,
): readonly Placed[] {
  const wanted = new Map<string, number>();
  for (const cell of cells) wanted.set(cell.kind, (wanted.get(cell.kind) ?? 0) + cell.count);
  const living = containers.filter(isLiving);
  const spare = new Map<string, number>();
  for (const seat of living) {
    spare.set(seat.kind, (spare.get(seat.kind) ?? -(wanted.get(seat.kind) ?? 0)) + 1);
  }
  return living
    .filter((seat) => (seat.state === "clean" || seat.state === "warm") && seat.lastUsed < unusedSince)
    .sort((one, other) => one.lastUsed - other.lastUsed)
    .filter((seat) => {
      const left = spare.get(seat.kind) ?? 0;
      spare.set(seat.kind, left - 1);
      return left > 0;
    });
}

const firstBackOffMs = 200;
const longestBackOffMs = 30_000;

/** How long a kind is not made ahead after `failures` failed starts in a row (a waiting job still tries at once). */
export function backOffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1));
}
