// How many containers are started at a time, and which kinds have failed too recently to be started ahead.

import { DockerError } from "./docker/errors.ts";
import type { ContainerOrder } from "./interior.ts";
import { backOffMs } from "./prewarm.ts";
import { PoolError, type PoolFailure } from "./types.ts";

/** What a job is told whose container could not be made: the image's own faults are not the machine's. */
export function refusalOf(fault: Error, { kind, image }: ContainerOrder): PoolError {
  const { cause } = fault;
  const code: PoolFailure =
    cause instanceof DockerError && (cause.code === "pull-failed" || cause.code === "no-executable")
      ? cause.code
      : "cannot-create";
  const options = { cause: fault, image: image?.name };
  return new PoolError(code, kind, `no container: ${fault.message}`, options);
}

/** Lets `limit` starts through at a time, in order. */
export class StartGate {
  readonly #limit: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts that may be begun ahead of any job. One place is kept free: a job waits for no start but its own. */
  get freeAhead(): number {
    return Math.max(0, Math.max(1, this.#limit - 1) - this.#running - this.#waiting.length);
  }

  /** Resolves when it is the caller's turn; `leave` must follow. */
  enter(): Promise<void> {
    if (this.#running < this.#limit) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** What has stood unused for so long is not lost by the way it was started. */
const steadyMs = 60_000;

/** Losses in a row, by kind, of containers that began well and that nobody has used: what replaces them may go the same way. */
export class Losses {
  readonly #rows = new Map<string, { readonly losses: number; readonly atMs: number }>();

  /** Of one that has stood since `sinceMs`. Those that go with another count as one. */
  lost(kind: string, sinceMs: number, nowMs: number): void {
    const { losses, atMs } = this.#rows.get(kind) ?? { losses: 0, atMs: 0 };
    if (sinceMs < atMs) return;
    if (nowMs - sinceMs >= steadyMs) this.#rows.delete(kind);
    else this.#rows.set(kind, { losses: sinceMs - atMs < steadyMs ? losses + 1 : 1, atMs: nowMs });
  }

  /** The first is replaced at once. */
  isHeldBack(kind: string, nowMs: number): boolean {
    const { losses, atMs } = this.#rows.get(kind) ?? { losses: 1, atMs: 0 };
    return nowMs < atMs + backOffMs(losses - 1);
  }

  /** Milliseconds until the first kind may be tried again; undefined when none is held back. */
  nextTryInMs(nowMs: number): number | undefined {
    const waits = Array.from(this.#rows.values(), ({ losses, atMs }) => atMs + backOffMs(losses - 1) - nowMs);
    return leastOf(waits);
  }
}

/** Failed starts in a row by kind, and until when each is held back. */
export class StartFailures {
  readonly #kinds = new Map<string, { failures: number; untilMs: number }>();

  /** Returns the failures in a row. */
  failed(kind: string, nowMs: number): number {
    const failures = (this.#kinds.get(kind)?.failures ?? 0) + 1;
    this.#kinds.set(kind, { failures, untilMs: nowMs + backOffMs(failures) });
    return failures;
  }

  succeeded(kind: string): void {
    this.#kinds.delete(kind);
  }

  isHeldBack(kind: string, nowMs: number): boolean {
    return nowMs < (this.#kinds.get(kind)?.untilMs ?? 0);
  }

  /** Milliseconds until the first kind may be tried again; undefined when none is held back. */
  nextTryInMs(nowMs: number): number | undefined {
    return leastOf(Array.from(this.#kinds.values(), ({ untilMs }) => untilMs - nowMs));
  }
}

/** Of those that are still to come. */
function leastOf(waitsMs: readonly number[]): number | undefined {
  const left = waitsMs.filter((waitMs) => waitMs > 0);
  return left.length === 0 ? undefined : Math.min(...left);
}
