// A native handle that several calls use at once.

import { RestorerError } from "./errors.ts";
import { type ProcessHandle, rwRelease } from "./native.ts";

/** Any number of calls at once use it, and it is freed after the last of them. */
export class Shared {
  readonly #handle: ProcessHandle;
  readonly #what: string;
  #underWay = 0;
  #isReleased: boolean = false;

  /** `what` it is, for people. */
  constructor(handle: ProcessHandle, what: string) {
    this.#handle = handle;
    this.#what = what;
  }

  async use<Result>(call: (handle: ProcessHandle) => Promise<Result>): Promise<Result> {
    if (this.#isReleased) throw new RestorerError("system", `${this.#what} has been released`, true);
    this.#underWay++;
    try {
      return await call(this.#handle);
    } finally {
      if (--this.#underWay === 0 && this.#isReleased) rwRelease(this.#handle);
    }
  }

  /** Idempotent. */
  release(): void {
    if (!this.#isReleased && this.#underWay === 0) rwRelease(this.#handle);
    this.#isReleased = true;
  }
}
