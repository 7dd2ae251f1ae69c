// How long each part of the start took: said once, for who wonders what an invoker waited for.

export class Phases {
  readonly #tookMs: { [phase: string]: number } = {};

  /** Times `work`; parts may go on beside each other. */
  async time<Value>(phase: string, work: Promise<Value>): Promise<Value> {
    const sinceMs = performance.now();
    try {
      return await work;
    } finally {
      this.#tookMs[phase] = Math.round(performance.now() - sinceMs);
    }
  }

  /** Milliseconds; `all` is since the process began. */
  report(): { readonly [phase: string]: number } {
    return { ...this.#tookMs, all: Math.round(performance.now()) };
  }
}
