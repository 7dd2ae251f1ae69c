// Which waiting job gets which container, and what has to be made or removed for the others: values in, steps out.

import type { Sort } from "./arrivals.ts";
import { type Costs, unmeasured } from "./costs.ts";
import { Room } from "./room.ts";
import { isAlike, isComing, type Placed, suits, take, type Wanted } from "./seats.ts";
import { Shares } from "./shares.ts";
import { chooseWay } from "./ways.ts";

export type Step =
  /** Waiter `job` gets `container`, which is limited anew to the job's memory. */
  | { readonly step: "lease"; readonly job: number; readonly container: number }
  /** A warm container of another owner is put back; a later plan gives it away. */
  | { readonly step: "recycle"; readonly container: number }
  | {
      readonly step: "create";
      readonly job: number;
      readonly kind: string;
      readonly memoryMB: number;
      readonly libraries?: string;
      /** True: the job has another way, and takes it if this container cannot be made. */
      readonly isOption?: true;
    }
  | { readonly step: "evict"; readonly container: number }
  /** It could never fit, or nobody can make its container. */
  | { readonly step: "refuse"; readonly job: number; readonly why: "too-large" | "no-docker" };

export interface Plan {
  readonly steps: readonly Step[];
  /** The first job for which there is no room. */
  readonly blocked: number | undefined;
  /** True: one of its kind is being made, rewound or ordered. Its patience begins only afterwards. */
  readonly isOneComing: boolean;
  /** A job passes over an idle container for one that is expected sooner: so late it is asked again whether that was so. */
  readonly reviewInMs?: number;
}

export interface Outlook {
  /** False: nothing is made or removed there, and who could only have a new container of Docker's is refused. */
  readonly isDockerThere?: boolean;
  readonly costs?: Costs;
  /** So many lean containers there can be, whatever their size. */
  readonly leanMost?: number;
  /** How many containers of a sort should stay, idle ones too. */
  readonly wantedOf?: (sort: Sort) => number;
}

/** What is expected may be late by as much again. */
const reviewAfter = 2;

/**
 * The steps to take now for the jobs in the order of their arrival. First in, first out: a job for which there is no
 * room holds back all later ones, but for those that get along with idle containers of other kinds as long as it would not
 * have these evicted. A job that only waits for a container under way (being made or rewound, its memory reserved) holds
 * nobody back, and takes whichever of its kind is ready first; nor does one that would not fit if all went but what is stuck.
 */
export function plan(
  containers: readonly Placed[],
  waiting: readonly Wanted[],
  budgetMB: number,
  { isDockerThere = true, costs = unmeasured, leanMost = Number.POSITIVE_INFINITY, wantedOf }: Outlook = {},
): Plan {
  const steps: Step[] = [];
  const seats = [...containers];
  const room = new Room(seats, budgetMB, { isDockerThere, leanMost, wantedOf });
  const shares = new Shares(seats);
  const held: Wanted[] = [];
  let blocked: number | undefined;
  let isOneComing = false;
  let reviewInMs: number | undefined;
  let ahead = containers.filter(({ state, image }) => state === "starting" && image === undefined).length;

  for (const [job, wanted] of waiting.entries()) {
    if (wanted.memoryMB > budgetMB) {
      steps.push({ step: "refuse", job, why: "too-large" });
      continue;
    }
    if (held.some((earlier) => isAlike(earlier, wanted))) continue;
    const shared = wanted.isFresh === true ? undefined : shares.take(wanted);
    if (shared !== undefined) {
      if (shared.container !== undefined) steps.push({ step: "lease", job, container: shared.container });
      continue;
    }
    const { freeMB } = room;
    const isPlaceThere = wanted.image === undefined ? room.freeLean > 0 : isDockerThere;
    const mayCreate = wanted.memoryMB <= freeMB && isPlaceThere;
    // What Docker makes is measured by nobody.
    const known = wanted.image === undefined ? costs : unmeasured;
    const choice = chooseWay(wanted, { seats, freeMB, mayCreate, ahead, costs: known });
    if (choice !== undefined) {
      const { chosen, waitsMs } = choice;
      if (waitsMs !== undefined)
        reviewInMs = Math.min(reviewInMs ?? Number.POSITIVE_INFINITY, waitsMs * reviewAfter);
      if (chosen.way === "create") {
        const { kind, memoryMB } = wanted;
        const { libraries } = chosen;
        steps.push({
          ...{ step: "create", job, kind, memoryMB },
          ...(libraries !== undefined && { libraries }),
          ...(choice.isOption && { isOption: true }),
        });
        room.freeMB -= memoryMB;
        if (wanted.image === undefined) room.freeLean--;
        ahead++;
      } else {
        const { seat } = chosen;
        if (chosen.way === "idle") steps.push({ step: "lease", job, container: seat.id });
        if (chosen.way === "recycle") steps.push({ step: "recycle", container: seat.id });
        const growsMB = wanted.memoryMB - seat.memoryMB;
        room.freeMB -= chosen.way === "idle" ? growsMB : Math.max(0, growsMB);
        take(seats, seat);
      }
      shares.offer(wanted, chosen.way === "idle" ? chosen.seat.id : undefined);
      continue;
    }
    if (wanted.image !== undefined && !isDockerThere) {
      // What its owner has in use comes back without Docker.
      if (!isInUse(containers, steps, wanted)) steps.push({ step: "refuse", job, why: "no-docker" });
      continue;
    }
    if (wanted.memoryMB > room.attainableMB) continue;
    held.push(wanted);
    if (blocked !== undefined) continue;
    blocked = job;
    isOneComing =
      containers.some((seat) => isComing(seat) && suits(seat, wanted)) ||
      steps.some(
        (step) => step.step === "create" && suits({ ...step, image: waiting[step.job]?.image }, wanted),
      );
    // Evicting one kind's container for another's job costs a start, and another one when the first kind's jobs come back.
    if (!isOneComing && !(wanted.isPatient && isInUse(containers, steps, wanted))) {
      for (const seat of room.makeWay(seats, wanted)) steps.push({ step: "evict", container: seat.id });
      break;
    }
    // What is free is kept for this one.
    room.freeMB = Math.min(0, room.freeMB);
  }
  return { steps, blocked, isOneComing, ...(reviewInMs !== undefined && { reviewInMs }) };
}

/** A container that the job could have, or its memory, is in use, by these steps at the latest, and will come back. */
function isInUse(containers: readonly Placed[], steps: readonly Step[], wanted: Wanted): boolean {
  const leased = new Set(steps.map((step) => (step.step === "lease" ? step.container : undefined)));
  return containers.some(
    (seat) =>
      suits(seat, wanted) &&
      (seat.state === "running" || leased.has(seat.id)) &&
      (seat.image === undefined || (seat.owner === wanted.owner && wanted.isFresh !== true)),
  );
}
