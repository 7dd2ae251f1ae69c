// What is measured: the words that the workloads, the figures and the report share.

/** The two endpoints, in the order in which tables name them. */
export const sides = ["stock", "rewhisk"] as const;
export type Side = (typeof sides)[number];
export type BySide<Of> = Readonly<Record<Side, Of>>;

export function bySide<Of>(make: (side: Side) => Of): BySide<Of> {
  return { stock: make("stock"), rewhisk: make("rewhisk") };
}

/** The parts of a comparison, in the order in which they run. */
export const parts = ["check", "first", "warm", "sizes", "packages", "mixed", "burst", "throughput"] as const;
export type Part = (typeof parts)[number];

/** Calls of one sort: their times make one distribution for each side. */
export interface Series {
  readonly part: Part;
  readonly kind: string;
  /** What tells it from others of its part and kind, such as `1 MB of code`. */
  readonly subject: string;
  /** How many actions its calls go to, where that is what is varied. */
  readonly distinctActions?: number;
}

/** One call of an action that succeeded, as its caller saw it and as its record tells it; times in milliseconds. */
export interface Call {
  readonly series: Series;
  readonly side: Side;
  readonly pass: number;
  /** Its number within the pass: the same on both sides for the same action and arguments. */
  readonly index: number;
  /** Since the comparison began. */
  readonly startedMs: number;
  /** From sending the request to the last byte of the answer. */
  readonly tookMs: number;
  /** From the controller's first look at the request to init, or to run where there was no init. */
  readonly waitMs: number | undefined;
  /** Undefined: the action was loaded already. */
  readonly initMs: number | undefined;
  /** Init and run, as the record has it. */
  readonly durationMs: number | undefined;
  readonly activationId: string;
  /** Answers of 429 before this one; `tookMs` has none of the waiting that they cost. */
  readonly throttled: number;
}

/** How much was answered in a stretch of time while a number of callers was busy all the time. */
export interface Rate {
  readonly series: Series;
  readonly side: Side;
  readonly pass: number;
  readonly perSecond: number;
  readonly answered: number;
}

/** A call that gave no successful activation. */
export interface Trouble {
  readonly series: Series;
  readonly side: Side;
  readonly startedMs: number;
  readonly what: string;
}

/** A pair of calls whose outcomes are not equal. */
export interface Difference {
  readonly series: Series;
  readonly pass: number;
  readonly index: number;
  /** Shortened to what people read. */
  readonly outcomes: BySide<string>;
}
