// How long it takes to make a container, to put one back and to import its libraries: as measured of late, by its base.

/** What is measured. `rewind` and `recycle` lead to the base: after a job, or of one that was warm. */
export type Measured = "rewind" | "rewind-to-level" | "recycle" | "boot" | "start" | "import";

/** What the schedule chooses by; undefined: nobody knows yet, or nobody should count on it. */
export interface Costs {
  /** From the order of a container of this base until it is clean, behind `ahead` others that are being made. */
  makeMs(base: string, ahead: number): number | undefined;
  /** Until one that is warm for somebody else is clean. */
  recycleMs(base: string): number | undefined;
  importMs(base: string): number | undefined;
}

export const unmeasured: Costs = {
  makeMs: () => undefined,
  recycleMs: () => undefined,
  importMs: () => undefined,
};

/** The median of so many of late: one that took long for a reason of its own changes nothing. */
const samplesMax = 9;
/** Of what was measured longest ago nothing is kept. */
const rememberedMax = 500;
/** What takes so many times as long as usual is not counted on any more. */
const lateAfter = 2;

interface Samples {
  /** The newest last. */
  readonly values: readonly number[];
  readonly medianMs: number;
}

interface UnderWay {
  readonly sinceMs: number;
  readonly expectedMs: number | undefined;
}

export interface CostFacts {
  readonly nowMs: () => number;
  /** So many containers are made at a time. */
  readonly startsAtOnce: number;
  /** True: the next one of this base is booted. */
  readonly isBooted: (base: string) => boolean;
  /** True: its last start has failed too recently. */
  readonly isHeldBack: (base: string) => boolean;
}

export class MeasuredCosts implements Costs {
  readonly #facts: CostFacts;
  readonly #samples = new Map<string, Samples>();
  /** By the container's number. */
  readonly #underWay = new Map<number, UnderWay>();

  constructor(facts: CostFacts) {
    this.#facts = facts;
  }

  measured(what: Measured, base: string, tookMs: number): void {
    const key = keyOf(what, base);
    const { values: before = [] } = this.#samples.get(key) ?? {};
    const values = [...before, tookMs].slice(-samplesMax);
    const sorted = values.toSorted((one, other) => one - other);
    this.#samples.delete(key);
    this.#samples.set(key, { values, medianMs: sorted[Math.floor((sorted.length - 1) / 2)] ?? tookMs });
    const [oldest] = this.#samples.keys();
    if (this.#samples.size > rememberedMax && oldest !== undefined) this.#samples.delete(oldest);
  }

  makeMs(base: string, ahead: number): number | undefined {
    const { isBooted, isHeldBack, startsAtOnce } = this.#facts;
    if (isHeldBack(base)) return undefined;
    // A boot takes no longer than the start that it spares.
    const bootMs = isBooted(base) ? this.#medianMs("boot", base) : undefined;
    const onceMs = bootMs ?? this.#medianMs("start", base);
    return onceMs === undefined ? undefined : onceMs * (1 + Math.floor(ahead / startsAtOnce));
  }

  /** Until one has been recycled, as after a job. */
  recycleMs(base: string): number | undefined {
    return this.#medianMs("recycle", base) ?? this.#medianMs("rewind", base);
  }

  importMs(base: string): number | undefined {
    return this.#medianMs("import", base);
  }

  /** This container is being put back. */
  rewindBegun(id: number, what: Measured, base: string): void {
    const expectedMs = what === "recycle" ? this.recycleMs(base) : this.#medianMs(what, base);
    this.#underWay.set(id, { sinceMs: this.#facts.nowMs(), expectedMs });
  }

  /** It has been ordered, behind `ahead` others; or its turn has come. */
  makingBegun(id: number, base: string, ahead: number): void {
    this.#underWay.set(id, { sinceMs: this.#facts.nowMs(), expectedMs: this.makeMs(base, ahead) });
  }

  /** It is there, or will not be. Idempotent. */
  ended(id: number): void {
    this.#underWay.delete(id);
  }

  /** How long it will take until it is there: one that is late is expected to take as long again, and then nothing is expected. */
  readyInMs(id: number): number | undefined {
    const { sinceMs, expectedMs } = this.#underWay.get(id) ?? { sinceMs: 0, expectedMs: undefined };
    if (expectedMs === undefined) return undefined;
    const elapsedMs = this.#facts.nowMs() - sinceMs;
    if (elapsedMs >= expectedMs * lateAfter) return undefined;
    return elapsedMs < expectedMs ? expectedMs - elapsedMs : expectedMs;
  }

  #medianMs(what: Measured, base: string): number | undefined {
    return this.#samples.get(keyOf(what, base))?.medianMs;
  }
}

function keyOf(what: Measured, base: string): string {
  return `${what} ${base}`;
}
