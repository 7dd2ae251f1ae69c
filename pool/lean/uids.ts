// Hands out user ids, one to each living container.

import { LeanError } from "./errors.ts";

/** The ids of a range, each with one holder at most; one given back rests as long as possible. */
export class UidRange {
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next = 0;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  /** Throws LeanError `no-uid` when all are taken. */
  take(): number {
    for (let tried = 0; tried < this.#count; tried++) {
      const uid = this.#first + this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(uid)) continue;
      this.#taken.add(uid);
      return uid;
    }
    throw new LeanError("no-uid", `all ${this.#count} user ids from ${this.#first} on are in use`);
  }

  /** Only when no process of that id is left. */
  giveBack(uid: number): void {
    this.#taken.delete(uid);
  }
}
