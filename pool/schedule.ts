// Which waiting job gets which container, and what has to be made or removed for the others: values in, steps out.

import { Room } from "./room.ts";
import {
  chooseComing,
  chooseIdle,
  chooseRecyclable,
  isAlike,
  isComing,
  isWorthWaitingFor,
  type Placed,
  suits,
  take,
  type Wanted,
} from "./seats.ts";
import { Shares } from "./shares.ts";

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
    }
  | { readonly step: "evict"; readonly container: number }
  /** It could never fit, or nobody can make its container. */
  | { readonly step: "refuse"; readonly job: number; readonly why: "too-large" | "no-docker" };

export interface Plan {
  readonly steps: readonly Step[];
  /** The first job for which there is no room. */
  readonly blocked: number | undefined;
  /** True: one of its kind is being made or rewound. Its patience begins only afterwards. */
  readonly isOneComing: boolean;
}

/**
 * The steps to take now for the jobs in the order of their arrival. First in, first out: a job for which there is no
 * room holds back all later ones, but for those that get along with idle containers of other kinds as long as it would not
 * have these evicted. A job that only waits for a container under way (being made or rewound, its memory reserved) holds
 * nobody back, and takes whichever of its kind is ready first; nor does one that would not fit if all went but what is stuck.
 * `isDockerThere` false: nothing is made or removed there, and who could only have a new container of Docker's is refused.
 */
export function plan(
  containers: readonly Placed[],
  waiting: readonly Wanted[],
  budgetMB: number,
  isDockerThere = true,
): Plan {
  const steps: Step[] = [];
  const seats = [...containers];
  const room = new Room(seats, budgetMB, isDockerThere);
  const shares = new Shares(seats);
  const held: Wanted[] = [];
  let blocked: number | undefined;
  let isOneComing = false;

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
    const idle = chooseIdle(seats, wanted, room.freeMB);
    const coming = chooseComing(seats, wanted, room.freeMB);
    if (idle !== undefined && !isWorthWaitingFor(coming, idle, wanted)) {
      steps.push({ step: "lease", job, container: idle.id });
      room.freeMB -= wanted.memoryMB - idle.memoryMB;
      take(seats, idle);
      shares.offer(wanted, idle.id);
      continue;
    }
    if (coming !== undefined) {
      room.freeMB -= Math.max(0, wanted.memoryMB - coming.memoryMB);
      take(seats, coming);
      shares.offer(wanted, undefined);
      continue;
    }
    if (wanted.image !== undefined && !isDockerThere) {
      // What its owner has in use comes back without Docker.
      if (!isInUse(containers, steps, wanted)) steps.push({ step: "refuse", job, why: "no-docker" });
      continue;
    }
    const recyclable = chooseRecyclable(seats, wanted, room.freeMB);
    if (recyclable !== undefined) {
      steps.push({ step: "recycle", container: recyclable.id });
      room.freeMB -= Math.max(0, wanted.memoryMB - recyclable.memoryMB);
      take(seats, recyclable);
      shares.offer(wanted, undefined);
      continue;
    }
    if (wanted.memoryMB <= room.freeMB) {
      const { kind, memoryMB, making: libraries } = wanted;
      steps.push({ step: "create", job, kind, memoryMB, ...(libraries !== undefined && { libraries }) });
      room.freeMB -= wanted.memoryMB;
      shares.offer(wanted, undefined);
      continue;
    }
    if (wanted.memoryMB > room.attainableMB) continue;
    held.push(wanted);
    if (blocked !== undefined) continue;
    blocked = job;
    isOneComing = containers.some((seat) => isComing(seat) && suits(seat, wanted));
    // Evicting one kind's container for another's job costs a start, and another one when the first kind's jobs come back.
    if (!isOneComing && !(wanted.isPatient && isInUse(containers, steps, wanted))) {
      for (const seat of room.makeWay(seats, wanted)) steps.push({ step: "evict", container: seat.id });
      break;
    }
    // What is free is kept for this one.
    room.freeMB = Math.min(0, room.freeMB);
  }
  return { steps, blocked, isOneComing };
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
