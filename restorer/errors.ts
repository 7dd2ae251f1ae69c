// What can go wrong with a checkpoint or a rewind, as a closed list.

import type { NativeError } from "./native.ts";
import { remedyFor } from "./remedies.ts";

/** Why a container is not known to equal its checkpoint. The order is that of enum rw_reason in native/rewind.h. */
const nativeReasons = [
  "ok",
  "process-gone",
  "lost-thread",
  "lost-descriptor",
  "replaced-descriptor",
  "kernel-state",
  "mapping",
  "survivor",
  "injection",
  "verify-difference",
  "not-quiescent",
  "unsupported",
  "system",
  "too-large",
] as const;

export type TaintReason =
  | Exclude<(typeof nativeReasons)[number], "ok" | "too-large">
  | "freeze-timeout"
  | "channel"
  | "scratch";

/** A failed native call. Decide on `code`; `untouched` says whether the process still is what it was before. */
export class RestorerError extends Error {
  readonly code: TaintReason;
  readonly untouched: boolean;
  /** The system's, where it was what failed. */
  readonly errnum: number | undefined;
  constructor(code: TaintReason, message: string, untouched: boolean, errnum?: number) {
    super(message);
    this.name = "RestorerError";
    this.errnum = errnum;
    this.code = code;
    this.untouched = untouched;
  }
}

/** Of a level that was not taken because it would have been larger than it may; the process goes on as it was. */
export function isTooLarge(error: NativeError): boolean {
  return nativeReasons[error.reason] === "too-large" && error.untouched === 1;
}

/** The struct rw_error of a failed call as an exception. */
export function fromNative(what: string, error: NativeError): RestorerError {
  const reason = nativeReasons[error.reason] ?? "system";
  return new RestorerError(
    reason === "ok" || reason === "too-large" ? "system" : reason,
    `${what}: ${error.what}${remedyFor(error.errnum)}`,
    error.untouched === 1,
    error.errnum,
  );
}
