// Action checkpoints: what forbids one, whether one is kept, and whose is given up when they take too much memory.

import { RestorerError } from "../restorer/index.ts";
import { type Exchange, isLoaded } from "./proxy/exchange.ts";
import { isIdle, type Placed } from "./seats.ts";
import { TaintError } from "./types.ts";

const bytesPerMB = 1024 * 1024;

/** Why an init has left no action checkpoint; its container goes back to the base after each activation. */
export type LevelRefusal = (typeof levelRefusals)[number];
export const levelRefusals = [
  /** It was over sooner than a checkpoint is worth. */
  "short",
  /** It drew random numbers, or made a generator that cannot be renewed. */
  "randomness",
  /** It left other processes. */
  "processes",
  /** It left sockets. */
  "sockets",
  /** It left files: an archive's, for instance. */
  "files",
  /** A thread does not wait in a system call, or something is pending: a signal, a timer, a lock. */
  "not-quiescent",
  /** It left something else that could not be put back, such as shared memory or a file that is open for writing. */
  "unsupported",
  /** It would be larger than all of them may be together, beside those that are in use; or another one is being taken. */
  "memory",
  /** The system refused. */
  "system",
] as const;

/** False: it is of the moment. A thread may be late to come to rest, the system short of something; else the action itself is mostly why. */
export function isLasting(refused: LevelRefusal): boolean {
  return refused !== "not-quiescent" && refused !== "system";
}

export type LevelOutcome =
  | { readonly taken: { readonly bytes: number; readonly tookMs: number } }
  | { readonly refused: LevelRefusal };

/** Of a level that was not taken by a process that goes on as it was. Throws what tells otherwise. */
export function refusalOf(error: unknown): LevelRefusal {
  if (!(error instanceof RestorerError && error.untouched)) throw error;
  switch (error.code) {
    case "not-quiescent":
    case "unsupported":
    case "system":
      return error.code;
    // It cannot be put back to its base either: that is said when it is tried.
    default:
      return "unsupported";
  }
}

/** What a runtime says of an init that it was asked to watch. Throws TaintError where it says nothing that can be read. */
export function mayComeBack(init: Exchange): boolean {
  if (!(isLoaded(init) && init.outcome === "answer")) return false;
  try {
    return (JSON.parse(init.body) as { readonly level?: unknown } | null)?.level === true;
  } catch (cause) {
    throw new TaintError("channel", "an init was answered with what is no JSON", { cause });
  }
}

/** What is left for one that is taken beside those that are in use, or are being taken. */
export function levelRoomBytes(claims: readonly number[], limitMB: number): number {
  const claimed = claims.reduce((sum, bytes) => sum + bytes, 0);
  return Math.max(0, limitMB * bytesPerMB - claimed);
}

/** Those of idle containers, the one used longest ago first, until the others have room. */
export function levelsToGiveUp(seats: readonly Placed[], limitMB: number): readonly Placed[] {
  let surplus = levelBytes(seats) - limitMB * bytesPerMB;
  return seats
    .filter((seat) => isIdle(seat) && (seat.levelBytes ?? 0) > 0)
    .sort((one, other) => one.lastUsed - other.lastUsed)
    .filter(({ levelBytes = 0 }) => {
      const isSurplus = surplus > 0;
      surplus -= levelBytes;
      return isSurplus;
    });
}

/** Of all containers together. */
export function levelBytes(seats: readonly Placed[]): number {
  return seats.reduce((sum, seat) => sum + (seat.levelBytes ?? 0), 0);
}
