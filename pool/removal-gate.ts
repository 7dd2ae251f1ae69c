// When the removal of containers begins that are spent: not while jobs come, whose processors it would take.

import { within } from "./time.ts";

/** When no jobs have come for so long, or after so long at most. */
const calmMs = 50;
const patienceMs = 250;

export class RemovalGate {
  /** Each begins a removal. */
  readonly #putOff = new Set<() => void>();
  #calm: NodeJS.Timeout | undefined;
  #isOpen: boolean = true;

  /** Jobs have come, or wait. */
  jobsCome(): void {
    this.#isOpen = false;
    if (this.#calm === undefined) this.#calm = setTimeout(() => this.open(), calmMs).unref();
    else this.#calm.refresh();
  }

  /** No jobs come, or one needs the memory. */
  open(): void {
    clearTimeout(this.#calm);
    this.#calm = undefined;
    this.#isOpen = true;
    for (const begin of this.#putOff) begin();
    this.#putOff.clear();
  }

  /** Resolves when a removal may begin. */
  async pass(): Promise<void> {
    if (this.#isOpen) return;
    await within(patienceMs, new Promise<void>((begin) => void this.#putOff.add(begin)));
  }
}
