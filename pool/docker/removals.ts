// Containers that Docker was told to remove and has not: told again, now and then, until they are gone.

import type { Engine } from "./engine.ts";

const firstPauseMs = 1000;
const longestPauseMs = 5000;

export class Removals {
  readonly #engine: Pick<Engine, "remove">;
  readonly #left = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #isStopped: boolean = false;

  constructor(engine: Pick<Engine, "remove">) {
    this.#engine = engine;
  }

  /** Rejects where the first try fails; further ones are made all the same. */
  async remove(id: string): Promise<void> {
    try {
      await this.#engine.remove(id);
      this.#left.delete(id);
    } catch (error) {
      this.#left.add(id);
      this.#tryLater();
      throw error;
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
