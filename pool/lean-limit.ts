// How many lean containers there can be at once, as starts that failed have shown: each has a user id, and an address where it has a network.

import { type Alarm, realAlarm } from "./time.ts";

/** What others than the pool's containers hold, such as embryos, may have been given back by then. */
const knownMs = 10_000;

export class LeanLimit {
  readonly #onForgotten: () => void;
  readonly #alarm: Alarm;
  #most = Number.POSITIVE_INFINITY;
  #stopForgetting: () => void = () => undefined;

  /** `onForgotten` is told when one more may be tried. */
  constructor(onForgotten: () => void, alarm: Alarm = realAlarm) {
    this.#onForgotten = onForgotten;
    this.#alarm = alarm;
  }

  get most(): number {
    return this.#most;
  }

  /** There was nothing left for one more than `living`. False: none of the pool's will ever give any back. */
  found(living: number): boolean {
    this.forget();
    if (living === 0) return false;
    this.#most = living;
    this.#stopForgetting = this.#alarm(knownMs, () => {
      this.forget();
      this.#onForgotten();
    });
    return true;
  }

  forget(): void {
    this.#stopForgetting();
    this.#most = Number.POSITIVE_INFINITY;
  }
}
