// A container's rest: paused once nobody has used it for a while, resumed before the next use.

export interface Pausable {
  pause(): Promise<void>;
  unpause(): Promise<void>;
}

export class Rest {
  readonly #container: Pausable;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** Begun in this rest, if it has been. */
  #pausing: Promise<void> | undefined;
  /** The end of this rest; undefined while nobody has asked for it. */
  #ended: Promise<void> | undefined = Promise.resolve();
  #fail: (cause: unknown) => void = () => undefined;
  /** Resolves with the cause once a pause has failed. */
  readonly failed: Promise<unknown>;

  constructor(container: Pausable, graceMs: number) {
    this.#container = container;
    this.#graceMs = graceMs;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Nobody uses it from now on. */
  begin(): void {
    this.#ended = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#pausing = this.#container.pause().catch((cause: unknown) => this.#fail(cause));
    }, this.#graceMs).unref();
  }

  /** Resolves when it runs, if need be after a pause that is under way. Rejects where it cannot be resumed. */
  end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ended ??= this.#resume();
    return this.#ended;
  }

  async #resume(): Promise<void> {
    if (this.#pausing === undefined) return;
    // One that has failed may have paused it all the same.
    await this.#pausing;
    await this.#container.unpause();
    this.#pausing = undefined;
  }
}
