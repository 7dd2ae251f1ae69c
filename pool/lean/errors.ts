// What can go wrong around a lean container, as a closed list.

/**
 * `unknown-kind`, `closed`: refused. `no-uid`: too many containers. `cgroup`, `runtime-files`, `profile`: this
 * machine or installation is not ready. `network`: neither is its network, or it is full. `start`: the container could not be set up; the message names the step.
 * `survivor`: a process could not be killed, or a socket stays. `process-gone`: the runtime has ended, or the container before it had one. `removal`: something of a container could not be removed.
 */
export type LeanFailure =
  | "unknown-kind"
  | "closed"
  | "no-uid"
  | "cgroup"
  | "runtime-files"
  | "profile"
  | "network"
  | "start"
  | "survivor"
  | "process-gone"
  | "removal";

/** Decide on `code`; the message names the thing and, where there is one, the remedy. */
export class LeanError extends Error {
  readonly code: LeanFailure;
  constructor(code: LeanFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LeanError";
    this.code = code;
  }
}
