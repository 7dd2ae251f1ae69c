// Which inits are to leave an action checkpoint: of an action of which none can be had, fewer and fewer.

/** Owners that are remembered. */
const rememberedMax = 500;
/** Of one that has come to nothing time and again, one init in about so many is a try. */
const longestPause = 256;

interface Row {
  /** Tries that came to nothing, one after the other. */
  readonly failures: number;
  /** So many inits more are none. */
  readonly pause: number;
}

/**
 * A try costs the caller time, and what forbids a checkpoint mostly stays, though it need not: memory, for instance, comes free. So of
 * the inits in a row the first, the second, the fourth, the eighth and so on are tries: no more are left out than there were before.
 */
export class LevelTries {
  /** The one that was used longest ago first. */
  readonly #rows = new Map<string, Row>();

  /** An init of this owner's action begins. True: it is to be a try. */
  isDue(owner: string): boolean {
    const row = this.#rows.get(owner);
    if (row === undefined) return true;
    const isDue = row.pause === 0;
    this.#remember(owner, isDue ? row : { ...row, pause: row.pause - 1 });
    return isDue;
  }

  /** Nothing was taken, or nobody could come back to it. */
  failed(owner: string): void {
    const failures = (this.#rows.get(owner)?.failures ?? 0) + 1;
    const pause = Math.min(longestPause, 2 ** (failures - 1)) - 1;
    this.#remember(owner, { failures, pause });
  }

  /** It has been come back to. */
  succeeded(owner: string): void {
    this.#rows.delete(owner);
  }

  #remember(owner: string, row: Row): void {
    this.#rows.delete(owner);
    this.#rows.set(owner, row);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > rememberedMax && oldest !== undefined) this.#rows.delete(oldest);
  }
}
