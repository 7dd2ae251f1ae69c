// How many containers are started at a time, and which kinds have failed too recently to be started ahead.

import { backOffMs } from "./prewarm.ts";

/** Lets `limit` starts through at a time, in order. */
export class StartGate {
  readonly #limit: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
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
    const waits = [...this.#kinds.values()].map(({ untilMs }) => untilMs - nowMs).filter((wait) => wait > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }
}
