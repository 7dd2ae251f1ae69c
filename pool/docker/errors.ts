// What can go wrong around a Docker container, as a closed list.

/**
 * `timeout`: Docker did not answer in time. `unreachable`: nobody answers at its socket. `refused`: it answered with an error.
 * `pull-failed`, `no-executable`: the image is none that can be had, or run. `no-address`: the container has no address in the
 * configured network. `arguments`: extra arguments that have no counterpart in Docker's API, or values that they do not take.
 * `no-room`: its memory has gone to others while Docker did not answer. `closed`: no more are made, or nobody waits any more.
 */
export type DockerFailure =
  | "timeout"
  | "unreachable"
  | "refused"
  | "pull-failed"
  | "no-executable"
  | "no-address"
  | "arguments"
  | "no-room"
  | "closed";

/** Decide on `code`; the message names the thing and, where there is one, the remedy. */
export class DockerError extends Error {
  readonly code: DockerFailure;
  /** Docker's HTTP status, where it answered. */
  readonly status: number | undefined;
  constructor(code: DockerFailure, message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(message, options);
    this.name = "DockerError";
    this.code = code;
    this.status = options?.status;
  }
}
