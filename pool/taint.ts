// From any error to the reason, out of the closed list, for which a container is not known to be clean.

import { TaintError, type TaintReason } from "./types.ts";

const reasons = {
  "process-gone": true,
  "lost-thread": true,
  "lost-descriptor": true,
  "replaced-descriptor": true,
  "kernel-state": true,
  mapping: true,
  "freeze-timeout": true,
  survivor: true,
  "not-quiescent": true,
  unsupported: true,
  injection: true,
  "verify-difference": true,
  channel: true,
  scratch: true,
  system: true,
  engine: true,
  logs: true,
} as const satisfies Record<TaintReason, true>;

/** All reasons, for metrics that show each from the start. */
export const taintReasons = Object.keys(reasons) as readonly TaintReason[];

function isTaintReason(code: unknown): code is TaintReason {
  return typeof code === "string" && Object.hasOwn(reasons, code);
}

/** A RestorerError keeps its code as reason; what nobody foresaw is `system`. */
export function asTaint(error: unknown): TaintError {
  if (error instanceof TaintError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new TaintError(isTaintReason(code) ? code : "system", message, { cause: error });
}
