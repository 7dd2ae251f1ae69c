// Work that no request waits for: its faults are heard of, and the end of the server waits for it.

export class Background {
  readonly #underWay = new Set<Promise<void>>();
  readonly #onFault: (what: string, error: unknown) => void;

  constructor(onFault: (what: string, error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Takes charge of `work`; `what` names it in case it fails. */
  track(what: string, work: Promise<unknown>): void {
    const tracked = work
      .then(
        () => undefined,
        (error: unknown) => this.#onFault(what, error),
      )
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.all(this.#underWay);
    }
  }
}
