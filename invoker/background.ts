// The few promises that nobody awaits: their failures are reported, and a drain waits for them.

import type { ActivationMessage } from "./wire/messages.ts";

export const backgroundWorks = ["store-record", "user-event", "log-file", "activation"] as const;
export type BackgroundWork = (typeof backgroundWorks)[number];

export class Background {
  readonly #underWay = new Set<Promise<void>>();
  readonly #onFailure: (what: BackgroundWork, message: ActivationMessage, error: unknown) => void;

  constructor(onFailure: (what: BackgroundWork, message: ActivationMessage, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Begins `work` and takes charge of it; what it throws is reported too. `message` names the activation it belongs to. */
  track(what: BackgroundWork, message: ActivationMessage, work: () => Promise<void>): void {
    const tracked = Promise.resolve()
      .then(work)
      .catch((error: unknown) => this.#onFailure(what, message, error))
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}
