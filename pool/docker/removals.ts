// Containers that Docker was told to remove and has not: told again, now and then, until they are gone.

import { setTimeout as sleep } from "node:timers/promises";
import type { OnStuck } from "../interior.ts";
import type { Engine } from "./engine.ts";
import type { DockerError } from "./errors.ts";

const firstPauseMs = 1000;
const longestPauseMs = 5000;
const beingRemoved = 409;

export class Removals {
  readonly #engine: Pick<Engine, "remove">;
  #isStopped: boolean = false;

  constructor(engine: Pick<Engine, "remove">) {
    this.#engine = engine;
  }

  /**
   * Resolves when Docker has it no more, however often that takes. `onStuck` is told once, when the first try has not done it.
   * Rejects with what was answered last when no more is tried.
   */
  async untilGone(id: string, onStuck: OnStuck): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await this.#engine.remove(id);
        return;
      } catch (error) {
        if (this.#isStopped) throw error;
        if (pauseMs === firstPauseMs) onStuck(error);
        await sleep(pauseMs, undefined, { ref: false });
      }
    }
  }

  /** Resolves as soon as Docker is at it. Rejects where the first try fails; further ones are made all the same. */
  remove(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const tell = (failure: unknown): void =>
        (failure as DockerError).status === beingRemoved ? resolve() : reject(failure);
      this.untilGone(id, tell).then(resolve, tell);
    });
  }

  /** As `remove`, for whom nobody waits. */
  removeLater(id: string): void {
    this.remove(id).catch(() => undefined);
  }

  /** What is still there is tried once more at most. */
  stop(): void {
    this.#isStopped = true;
  }
}
