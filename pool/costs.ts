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

/** What counts until the one has been measured. */
const instead: Partial<Record<Measured, Measured>> = { boot: "start", recycle: "rewind" };

interface Expected {
  readonly what: Measured;
  readonly base: string;
  /** So many come one after the other, with its own. */
  readonly turns: number;
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
  /** By the container's number. What is measured meanwhile counts: else a new one would seem to come before what was begun earlier. */
  readonly #underWay = new Map<number, Expected & { readonly sinceMs: number }>();

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
    return this.#expectedMs(this.#making(base, ahead));
  }

  /** Until one has been recycled, as after a job. */
  recycleMs(base: string): number | undefined {
    return this.#expectedMs({ what: "recycle", base, turns: 1 });
  }

  importMs(base: string): number | undefined {
    return this.#expectedMs({ what: "import", base, turns: 1 });
  }

  /** This container is being put back. */
  rewindBegun(id: number, what: Measured, base: string): void {
    this.#underWay.set(id, { sinceMs: this.#facts.nowMs(), what, base, turns: 1 });
  }

  /** It has been ordered, behind `ahead` others; or its turn has come. */
  makingBegun(id: number, base: string, ahead: number): void {
    this.#underWay.set(id, { sinceMs: this.#facts.nowMs(), ...this.#making(base, ahead) });
  }

  /** It is there, or will not be. Idempotent. */
  ended(id: number): void {
    this.#underWay.delete(id);
  }

  /** How long it will take until it is there: one that is late is expected to take as long again, and then nothing is expected. */
  readyInMs(id: number): number | undefined {
    const underWay = this.#underWay.get(id);
    if (underWay === undefined) return undefined;
    const expectedMs = this.#expectedMs(underWay);
    if (expectedMs === undefined) return undefined;
    const elapsedMs = this.#facts.nowMs() - underWay.sinceMs;
    if (elapsedMs >= expectedMs * lateAfter) return undefined;
    return elapsedMs < expectedMs ? expectedMs - elapsedMs : expectedMs;
  }

  #making(base: string, ahead: number): Expected {
    const turns = 1 + Math.floor(ahead / this.#facts.startsAtOnce);
    return { what: this.#facts.isBooted(base) ? "boot" : "start", base, turns };
  }

  #expectedMs({ what, base, turns }: Expected): number | undefined {
    if ((what === "boot" || what === "start") && this.#facts.isHeldBack(base)) return undefined;
    const onceMs = this.#medianMs(what, base) ?? this.#medianMs(instead[what] ?? what, base);
    return onceMs === undefined ? undefined : onceMs * turns;
  }

  #medianMs(what: Measured, base: string): number | undefined {
    return this.#samples.get(keyOf(what, base))?.medianMs;
  }
}

function keyOf(what: Measured, base: string): string {
  return `${what} ${base}`;
}
