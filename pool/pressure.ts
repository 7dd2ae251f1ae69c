// What is given up when the machine's memory gets short: values in, steps out, the dearest to make anew last.

import type { CommonMemory } from "./interior.ts";
import { surplus } from "./prewarm.ts";
import { isIdle, type Placed } from "./seats.ts";
import type { StemCell } from "./types.ts";

/** A container, and what its end would give back. */
export interface Weighed extends Placed {
  /** Memory of its own, and its part of what it has in common with others. */
  readonly bytes: number;
  /** The latter: it comes back when the last of them has gone. */
  readonly commonBytes?: number;
}

/** Read where it is wanted: each may take a look at a file. */
export interface Weight {
  readonly ownBytes: number;
  readonly common: readonly CommonMemory[];
}

/** Of all there are; nothing is looked at of those that are in use. */
export function weigh(living: readonly (readonly [Placed, Weight])[]): readonly Weighed[] {
  const holders = new Map<object, number>();
  for (const [, { common }] of living)
    for (const { of } of common) holders.set(of, (holders.get(of) ?? 0) + 1);
  return living.map(([seat, weight]) => {
    if (!isIdle(seat)) return { ...seat, bytes: 0 };
    const parts = weight.common.map(({ of, bytes }) => bytes / (holders.get(of) ?? 1));
    const commonBytes = parts.reduce((sum, one) => sum + one, 0);
    return { ...seat, bytes: weight.ownBytes + commonBytes, commonBytes };
  });
}

/** What can be given up. */
export type Relieved = (typeof reliefs)[number];
export const reliefs = [
  /** Parts of containers that are made before anybody wants them. */
  "ahead",
  /** Idle containers with libraries that were learnt. */
  "libraries",
  /** Action checkpoints of idle containers, which go back to their base. */
  "level",
  /** Idle containers whose own pages have come to be many, or that are of an older template: another that is booted in their place has them in common with others. */
  "used",
  /** Idle containers beyond the stem cells. */
  "idle",
  /** Idle containers of stem cells. */
  "stem-cell",
] as const;

export type Relief =
  | { readonly step: "ahead" }
  | { readonly step: Exclude<Relieved, "ahead">; readonly container: number; readonly bytes: number }
  /** All that is left is in use: no more of it. */
  | { readonly step: "hold" };

export interface Holdings {
  readonly seats: readonly Weighed[];
  readonly cells: readonly StemCell[];
  /** Of what is ready ahead. */
  readonly aheadBytes: number;
  /** Its libraries were learnt. */
  readonly isLearnt: (seat: Placed) => boolean;
  /** One of its base could be booted now. */
  readonly isBootable: (seat: Placed) => boolean;
  /** False: what Docker is told to remove stays where it is. */
  readonly isDockerThere: boolean;
}

/** A used container that has less of its own is not booted anew for it: one that nobody has used has up to 0.8 MB, most of it page tables. */
const leastUsedBytes = 2.5 * 1024 * 1024;

/**
 * What to give up so that `missingBytes` more are available: as little as will do, and of the dearer only what the cheaper leaves missing. What runs, or is
 * about to, is never touched.
 */
export function relieve(holdings: Holdings, missingBytes: number): readonly Relief[] {
  const { seats, cells, aheadBytes, isDockerThere } = holdings;
  const steps: Relief[] = [];
  let leftBytes = missingBytes;
  if (leftBytes > 0 && aheadBytes > 0) {
    steps.push({ step: "ahead" });
    leftBytes -= aheadBytes;
  }
  const removable = seats.filter((seat) => isIdle(seat) && (seat.image === undefined || isDockerThere));
  const given = new Set<number>();
  const give = (step: Exclude<Relieved, "ahead">, order: readonly Weighed[], of = bytesOf): void => {
    for (const seat of order) {
      if (leftBytes <= 0) return;
      if (given.has(seat.id)) continue;
      given.add(seat.id);
      steps.push({ step, container: seat.id, bytes: of(seat) });
      leftBytes -= of(seat);
    }
  };
  const oldestFirst = [...removable].sort((one, other) => one.lastUsed - other.lastUsed);
  give("libraries", oldestFirst.filter(holdings.isLearnt));
  give(
    "level",
    oldestFirst.filter((seat) => levelOf(seat) > 0),
    levelOf,
  );
  give("used", largestFirst(removable.filter((seat) => isWorthBooting(seat, holdings))));
  // What is about to be put back to its base, or booted anew, still counts for its cell.
  const beyond = new Set(surplus(cells, seats, Number.POSITIVE_INFINITY).map(({ id }) => id));
  give(
    "idle",
    oldestFirst.filter(({ id }) => beyond.has(id)),
  );
  give("stem-cell", oldestFirst);
  if (leftBytes > 0) steps.push({ step: "hold" });
  return steps;
}

function bytesOf({ bytes }: Weighed): number {
  return bytes;
}

function levelOf({ levelBytes = 0 }: Weighed): number {
  return levelBytes;
}

/** So that few are booted. */
function largestFirst(seats: readonly Weighed[]): readonly Weighed[] {
  return [...seats].sort((one, other) => other.bytes - one.bytes);
}

function isWorthBooting(seat: Weighed, { isBootable }: Holdings): boolean {
  const { state, image, isUnused, bytes, commonBytes = 0 } = seat;
  return (
    state === "clean" &&
    image === undefined &&
    (isUnused !== true || commonBytes > 0) &&
    bytes > leastUsedBytes &&
    isBootable(seat)
  );
}
