// The few promises that nobody awaits: their failures are reported, and a drain waits for them.

import type { ActivationMessage } from "./wire/messages.ts";

export type BackgroundWork = "store-record" | "activation";

export class Background {
  readonly #underWay = new Set<Promise<void>>();
  readonly #onFailure: (what: BackgroundWork, message: ActivationMessage, error: unknown) => void;

  constructor(onFailure: (what: BackgroundWork, message: ActivationMessage, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Takes charge of `promise`. `message` names the activation it belongs to. */
  track(promise: Promise<void>, what: BackgroundWork, message: ActivationMessage): void {
    const tracked = promise
      .catch((error: unknown) => this.#onFailure(what, message, error))
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}
