// What can go wrong around a lean container, as a closed list.

import { RestorerError } from "../../restorer/index.ts";

/**
 * `unknown-kind`, `closed`: refused. `no-uid`, `no-address`: others hold all there are. `cgroup`, `runtime-files`, `profile`, `uid-range`: this
 * machine or installation is not ready. `network`: neither is its network. `start`: the container could not be set up; the message names the step.
 * `survivor`: a process could not be killed, or a socket stays. `process-gone`: the runtime has ended, or the container before it had one. `removal`: something of a container could not be removed.
 */
export type LeanFailure =
  | "unknown-kind"
  | "closed"
  | "no-uid"
  | "no-address"
  | "uid-range"
  | "cgroup"
  | "runtime-files"
  | "profile"
  | "network"
  | "start"
  | "survivor"
  | "process-gone"
  | "removal";

const scarce: ReadonlySet<LeanFailure> = new Set(["no-uid", "no-address"]);

/** True: a container can be made when another is gone. */
export function isScarcity(error: unknown): error is LeanError {
  return error instanceof LeanError && scarce.has(error.code);
}

/** Decide on `code`; the message names the thing and, where there is one, the remedy. */
export class LeanError extends Error {
  readonly code: LeanFailure;
  constructor(code: LeanFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LeanError";
    this.code = code;
  }
}

/** True: nothing is wrong with how it was made. */
export function hasEnded(error: unknown): boolean {
  const codes = [error, error instanceof Error ? error.cause : undefined].map((one) =>
    one instanceof LeanError || one instanceof RestorerError ? one.code : undefined,
  );
  return codes.includes("process-gone");
}
