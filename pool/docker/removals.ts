// Containers that Docker was told to remove and has not: told again, now and then, until they are gone.

import type { Engine } from "./engine.ts";

const firstPauseMs = 1000;
const longestPauseMs = 5000;

export type OnLeft = (id: string, failure: unknown) => void;

interface Wait {
  readonly end: () => void;
  readonly fail: () => void;
}

export class Removals {
  readonly #engine: Pick<Engine, "remove">;
  readonly #onLeft: OnLeft;
  readonly #left = new Set<string>();
  readonly #waits = new Map<string, Wait>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #isStopped: boolean = false;

  /** `onLeft` hears of each that the first try leaves. */
  constructor(engine: Pick<Engine, "remove">, onLeft: OnLeft = () => undefined) {
    this.#engine = engine;
    this.#onLeft = onLeft;
  }

  /** Rejects where the first try fails; further ones are made all the same. */
  async remove(id: string): Promise<void> {
    try {
      await this.#engine.remove(id);
      this.#left.delete(id);
      this.#waits.get(id)?.end();
    } catch (error) {
      if (!this.#left.has(id)) this.#onLeft(id, error);
      this.#left.add(id);
      this.#tryLater();
      throw error;
    }
  }

  /** Resolves when it is gone, however often that takes. Rejects when no more is tried. */
  async untilGone(id: string): Promise<void> {
    try {
      await this.remove(id);
    } catch (error) {
      if (this.#isStopped) throw error;
      await new Promise<void>((end, reject) => this.#waits.set(id, { end, fail: () => reject(error) }));
    }
  }

  /** As `remove`, for whom nobody waits. */
  removeLater(id: string): void {
    this.remove(id).catch(() => undefined);
  }

  /** Tries no more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const { fail } of this.#waits.values()) fail();
  }

  #tryLater(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
      void Promise.allSettled(Array.from(this.#left, (id) => this.remove(id))).then(() => {
        if (this.#left.size === 0) this.#pauseMs = firstPauseMs;
      });
    }, this.#pauseMs).unref();
  }
}
