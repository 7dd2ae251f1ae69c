// What the last snapshots tell together: rates, and what happened within the last minute.
// @ts-check

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {{ readonly atMs: number, readonly ended: number, readonly failed: number }} Rate per second, up to `atMs` */

const keptMs = 122_000;
/** Of rates and shares. */
const windowMs = 60_000;
/** Between two snapshots; more is a gap, over which no rate is drawn. */
const gapMs = 3000;

export class History {
  /** @type {Snapshot[]} */
  #kept = [];

  /** @param {Snapshot} snapshot */
  add(snapshot) {
    const last = this.#kept.at(-1);
    // Another life of the invoker counts from nothing again; a clock that was put back makes no rates.
    if (last && (last.startedMs !== snapshot.startedMs || last.takenMs > snapshot.takenMs)) this.#kept = [];
    this.#kept.push(snapshot);
    this.#kept = this.#kept.filter(({ takenMs }) => takenMs > snapshot.takenMs - keptMs);
  }

  /** One for each second; undefined where nothing was heard. @returns {readonly (Rate | undefined)[]} */
  rates() {
    return this.#kept.slice(1).map((snapshot, i) => {
      const before = /** @type {Snapshot} */ (this.#kept[i]);
      const seconds = (snapshot.takenMs - before.takenMs) / 1000;
      if (seconds <= 0 || seconds * 1000 > gapMs) return undefined;
      const ended = (sum(snapshot.activations) - sum(before.activations)) / seconds;
      const failed = (failures(snapshot) - failures(before)) / seconds;
      return { atMs: snapshot.takenMs, ended, failed };
    });
  }

  /** The first and the last snapshot of the last minute; both are the same while there is only one. */
  window() {
    const last = /** @type {Snapshot} */ (this.#kept.at(-1));
    const first = this.#kept.find(({ takenMs }) => takenMs >= last.takenMs - windowMs) ?? last;
    return { first, last, seconds: (last.takenMs - first.takenMs) / 1000 };
  }
}

/** @param {{ readonly [name: string]: number }} counts */
export function sum(counts) {
  return Object.values(counts).reduce((total, value) => total + value, 0);
}

/** All that were no success. @param {Snapshot} snapshot */
export function failures({ activations }) {
  return sum(activations) - (activations[0] ?? 0);
}

/** The bound that at least `part` of all do not exceed; Infinity beyond the last; undefined where there are none. */
/** @param {readonly number[]} counts @param {readonly number[]} upTo @param {number} part */
export function quantile(counts, upTo, part) {
  const all = counts.reduce((total, value) => total + value, 0);
  if (all === 0) return undefined;
  let seen = 0;
  const place = counts.findIndex((value) => {
    seen += value;
    return seen >= part * all;
  });
  return upTo[place] ?? Number.POSITIVE_INFINITY;
}
