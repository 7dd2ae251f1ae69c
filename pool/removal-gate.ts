// When the removal of containers begins that are spent: not while jobs come, whose processors it would take.

import { type Alarm, deadline } from "./time.ts";

/** When no jobs have come for so long, or after so long at most. */
const calmMs = 50;
const patienceMs = 250;

export class RemovalGate {
  readonly #alarm: Alarm;
  /** Each begins a removal. */
  readonly #putOff = new Set<() => void>();
  #stopCalm: (() => void) | undefined;

  constructor(alarm: Alarm = deadline) {
    this.#alarm = alarm;
  }

  /** Jobs have come, or wait. */
  jobsCome(): void {
    this.#stopCalm?.();
    this.#stopCalm = this.#alarm(calmMs, () => this.open());
  }

  /** No jobs come, or one needs the memory. */
  open(): void {
    this.#stopCalm?.();
    this.#stopCalm = undefined;
    for (const begin of [...this.#putOff]) begin();
  }

  /** Resolves when a removal may begin. */
  pass(): Promise<void> {
    if (this.#stopCalm === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const begin = (): void => {
        stopPatience();
        this.#putOff.delete(begin);
        resolve();
      };
      const stopPatience = this.#alarm(patienceMs, begin);
      this.#putOff.add(begin);
    });
  }
}
