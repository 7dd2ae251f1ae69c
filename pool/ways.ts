// The ways in which a job may come by a container that is its own, and which of them has it begin soonest.

import type { Costs } from "./costs.ts";
import { baseOf } from "./libraries.ts";
import {
  chooseComing,
  chooseIdle,
  chooseRecyclable,
  fits,
  isComing,
  isWorthWaitingFor,
  type Placed,
  sparedMs,
  type Wanted,
} from "./seats.ts";

export type Way =
  | { readonly way: "idle"; readonly seat: Placed }
  | { readonly way: "coming"; readonly seat: Placed }
  | { readonly way: "recycle"; readonly seat: Placed }
  | { readonly way: "create"; readonly libraries: string | undefined };

/** What the job may be given, and what stands in its way. */
export interface Ground {
  readonly seats: readonly Placed[];
  readonly freeMB: number;
  readonly mayCreate: boolean;
  /** Containers that are being made, or are ordered by these steps. */
  readonly ahead: number;
  readonly costs: Costs;
}

export interface Choice {
  readonly chosen: Way;
  /** True: there is another way, should this one come to nothing. */
  readonly isOption: boolean;
  /** An idle one was passed over for what is expected in so many milliseconds. */
  readonly waitsMs: number | undefined;
}

/**
 * To put back what is warm for somebody takes that from him, and a new container takes memory and processors: either is preferred to
 * what comes by itself only where the job begins in half the time.
 */
const worth = 1 / 2;

/**
 * The way by which the job begins soonest, by what has been measured: when there is a container, what of its libraries is imported
 * again, and whether it needs an init. Where that is not known, in this order: an idle one, one that is coming, one that is warm for somebody else, a new one;
 * and one that is being put back before an idle one with fewer libraries, or to the job's own action checkpoint before an idle one without.
 */
export function chooseWay(wanted: Wanted, ground: Ground): Choice | undefined {
  const { seats, freeMB } = ground;
  const idle = chooseIdle(seats, wanted, freeMB);
  const hasAll =
    idle?.libraries === wanted.libraries?.[0] && !seats.some((seat) => sparedMs(seat, wanted) > 0);
  // Nothing is sooner, nor cheaper.
  if (idle !== undefined && (idle.state === "warm" || hasAll))
    return { chosen: { way: "idle", seat: idle }, isOption: false, waitsMs: undefined };
  const coming = soonestComing(wanted, ground);
  const recyclable = chooseRecyclable(seats, wanted, freeMB);
  const idleWays = idle === undefined ? [] : [{ way: "idle", seat: idle } as const];
  const comingWays = coming === undefined ? [] : [{ way: "coming", seat: coming } as const];
  const waits = idle !== undefined && isWorthWaitingFor(coming, idle, wanted);
  // One that is late is not followed by another, which would be late for the same reason.
  const isNoneLate = coming === undefined || coming.readyInMs !== undefined;
  const dear: readonly Way[] = [
    ...(recyclable === undefined ? [] : [{ way: "recycle", seat: recyclable } as const]),
    ...(ground.mayCreate ? [{ way: "create", libraries: wanted.making } as const] : []),
  ];
  const byHabit: readonly Way[] = [
    ...(waits ? [...comingWays, ...idleWays] : [...idleWays, ...comingWays]),
    ...(isNoneLate ? dear : []),
  ];
  const [first, ...others] = byHabit;
  if (first === undefined) return undefined;
  const chosen = others.reduce<Way>(
    (best, way) => (isPreferred(way, best, wanted, ground) ? way : best),
    first,
  );
  const isPassedOver = idle !== undefined && chosen.way !== "idle";
  return {
    chosen,
    isOption: others.length > 0,
    waitsMs: isPassedOver ? readyMs(chosen, wanted, ground) : undefined,
  };
}

function isPreferred(one: Way, other: Way, wanted: Wanted, ground: Ground): boolean {
  const [oneReadyMs, otherReadyMs] = [readyMs(one, wanted, ground), readyMs(other, wanted, ground)];
  if (oneReadyMs === undefined || otherReadyMs === undefined) return false;
  const [oneSparedMs = 0, otherSparedMs = 0] = [one, other].map((way) =>
    way.way === "create" ? 0 : sparedMs(way.seat, wanted),
  );
  // What neither spares takes as long in either case.
  const oneMs = oneReadyMs + (oneSparedMs === 0 ? otherSparedMs : 0);
  const otherMs = otherReadyMs + (otherSparedMs === 0 ? oneSparedMs : 0);
  const share = one.way === "recycle" || one.way === "create" ? worth : 1;
  const [had, otherHad] = [librariesOf(one), librariesOf(other)];
  // What neither has is imported in either case, however long that takes.
  if (had === otherHad) return oneMs < otherMs * share;
  const [importsMs, otherImportsMs] = [
    importMs(had, wanted, ground.costs),
    importMs(otherHad, wanted, ground.costs),
  ];
  if (importsMs === undefined || otherImportsMs === undefined) return false;
  return oneMs + importsMs < (otherMs + otherImportsMs) * share;
}

/** Until there is a container. */
function readyMs(way: Way, { kind }: Wanted, { ahead, costs }: Ground): number | undefined {
  switch (way.way) {
    case "idle":
      return 0;
    case "coming":
      return way.seat.readyInMs;
    case "recycle":
      return costs.recycleMs(baseOf(way.seat));
    case "create":
      return costs.makeMs(baseOf({ kind, libraries: way.libraries }), ahead);
  }
}

function librariesOf(way: Way): string | undefined {
  return way.way === "create" ? way.libraries : way.seat.libraries;
}

/** Of what the job asks for, beyond what a container with these libraries has. */
function importMs(
  libraries: string | undefined,
  { kind, ...wanted }: Wanted,
  costs: Costs,
): number | undefined {
  const [best] = wanted.libraries ?? [];
  if (best === libraries) return 0;
  const wholeMs = costs.importMs(baseOf({ kind, libraries: best }));
  const hadMs = libraries === undefined ? 0 : costs.importMs(baseOf({ kind, libraries }));
  return wholeMs === undefined || hadMs === undefined ? undefined : Math.max(0, wholeMs - hadMs);
}

/** Of those that nobody counts on yet, by what is known of them. */
function soonestComing(wanted: Wanted, ground: Ground): Placed | undefined {
  const { seats, freeMB } = ground;
  const coming = seats.filter((seat) => isComing(seat) && fits(seat, wanted, freeMB));
  const own = coming.find((seat) => sparedMs(seat, wanted) > 0);
  const usual = own ?? chooseComing(coming, wanted, freeMB);
  if (usual === undefined) return undefined;
  let best: Way & { readonly way: "coming" } = { way: "coming", seat: usual };
  for (const seat of coming) {
    const one = { way: "coming", seat } as const;
    if (isPreferred(one, best, wanted, ground)) best = one;
  }
  return best.seat;
}
