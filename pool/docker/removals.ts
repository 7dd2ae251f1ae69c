// Containers that Docker was told to remove and has not: told again, now and then, until they are gone.

import { setTimeout as sleep } from "node:timers/promises";
import type { OnStuck } from "../interior.ts";
import type { Engine } from "./engine.ts";
import type { DockerError } from "./errors.ts";

const firstPauseMs = 1000;
const longestPauseMs = 5000;
const triesUntilStuck = 2;
const beingRemoved = 409;

export class Removals {
  readonly #engine: Pick<Engine, "remove">;
  #isStopped: boolean = false;

  constructor(engine: Pick<Engine, "remove">) {
    this.#engine = engine;
  }

  /**
   * Resolves when Docker has it no more, however often that takes. `onStuck` is told once: when the first try has had no answer,
   * or the second has failed as well. For one that Docker could not remove for a moment nobody is to make way. Rejects with what
   * was answered last when no more is tried.
   */
  untilGone(id: string, onStuck: OnStuck): Promise<void> {
    let isStuck = false;
    return this.#repeat(id, (failure, tries) => {
      if (isStuck || (tries < triesUntilStuck && (failure as DockerError).code !== "timeout")) return;
      isStuck = true;
      onStuck(failure);
    });
  }

  /** Resolves as soon as Docker is at it. Rejects where the first try fails; further ones are made all the same. */
  remove(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const tell = (failure: unknown): void =>
        (failure as DockerError).status === beingRemoved ? resolve() : reject(failure);
      this.#repeat(id, tell).then(resolve, tell);
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

  /** `onFailure` is told of each try that has failed, but for the last one. */
  async #repeat(id: string, onFailure: (failure: unknown, tries: number) => void): Promise<void> {
    let pauseMs = firstPauseMs;
    for (let tries = 1; ; tries++) {
      try {
        await this.#engine.remove(id);
        return;
      } catch (error) {
        if (this.#isStopped) throw error;
        onFailure(error, tries);
        // Whether it is stuck, somebody may wait to hear.
        await sleep(pauseMs, undefined, { ref: tries < triesUntilStuck });
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  }
}
