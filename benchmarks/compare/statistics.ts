// From calls to figures: quantiles of both sides, their ratio, and how far chance may have moved it.

import { quantile } from "../figures.ts";
import { type BySide, bySide, type Call, type Rate, type Series, sides } from "./call.ts";
import { chance } from "./chance.ts";
import type { Ledger } from "./ledger.ts";

/** What of a call is looked at. */
export const measures = ["call", "wait", "init", "duration"] as const;
export type Measure = (typeof measures)[number];

export const samplesOf: Readonly<Record<Measure, (call: Call) => number | undefined>> = {
  call: ({ tookMs }) => tookMs,
  wait: ({ waitMs }) => waitMs,
  init: ({ initMs }) => initMs,
  duration: ({ durationMs }) => durationMs,
};

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly n: number;
}

/** By how much rewhisk is better: stock ÷ rewhisk for times, rewhisk ÷ stock for rates. */
export interface Ratio {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Where 95 of 100 repetitions would find the first of these, as far as these samples tell. */
  readonly low: number;
  readonly high: number;
}

export interface Row {
  readonly series: Series;
  readonly measure: Measure | "rate";
  readonly unit: "ms" | "1/s";
  readonly spreads: BySide<Spread | undefined>;
  readonly ratio: Ratio | undefined;
}

export function spreadOf(samples: readonly number[]): Spread | undefined {
  if (samples.length === 0) return undefined;
  const at = (share: number): number => quantile(samples, share);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), n: samples.length };
}

const repetitions = 400;
const [lowShare, highShare] = [0.025, 0.975];

/** Undefined where a side has no samples, or none but zeros. */
export function ratioOf(above: readonly number[], below: readonly number[]): Ratio | undefined {
  const [upper, lower] = [spreadOf(above), spreadOf(below)];
  if (upper === undefined || lower === undefined || lower.p50 === 0) return undefined;
  const drawn = redrawnMedians(above, below).sort((a, b) => a - b);
  return {
    ...{ p50: upper.p50 / lower.p50, p95: upper.p95 / lower.p95, p99: upper.p99 / lower.p99 },
    ...{ low: quantile(drawn, lowShare), high: quantile(drawn, highShare) },
  };
}

/** Of many: the ratio of medians when each side's samples are drawn anew from those that there are (bootstrap). */
function redrawnMedians(above: readonly number[], below: readonly number[]): number[] {
  const random = chance(above.length * 65_537 + below.length);
  const upper = medianDrawer(above, random);
  const lower = medianDrawer(below, random);
  return Array.from({ length: repetitions }, () => upper() / lower());
}

/** The median of `n` draws with replacement is the sample at the median of `n` drawn ranks: no need to sort each time. */
function medianDrawer(samples: readonly number[], random: () => number): () => number {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  // Beyond some thousand the interval is narrower than anybody reads it.
  const draws = Math.min(n, 2000);
  return () => {
    const ranks = Int32Array.from({ length: draws }, () => Math.floor(random() * n)).sort();
    return sorted[ranks[Math.ceil(draws / 2) - 1] ?? 0] ?? Number.NaN;
  };
}

/** What one of two ways adds to the time of the other, as shares of the other's median. */
export interface Added {
  readonly share: number;
  /** As in a ratio. */
  readonly low: number;
  readonly high: number;
}

/** Of pairs of times that were taken one right after the other: what moves both is in no difference. Undefined where there are none. */
export function addedOf(pairs: readonly (readonly [with_: number, without: number])[]): Added | undefined {
  if (pairs.length === 0) return undefined;
  const usual = quantile(
    pairs.map(([, without]) => without),
    0.5,
  );
  const differences = pairs.map(([with_, without]) => (with_ - without) / usual);
  const drawn = Array.from({ length: repetitions }, medianDrawer(differences, chance(pairs.length)));
  drawn.sort((a, b) => a - b);
  return {
    share: quantile(differences, 0.5),
    ...{ low: quantile(drawn, lowShare), high: quantile(drawn, highShare) },
  };
}

/** All rows of a series that have something to say. */
export function rowsOf(ledger: Ledger, series: Series): readonly Row[] {
  const calls = ledger.callsOf(series);
  const rows: Row[] = measures.map((measure) => {
    const samples = bySide((side) =>
      calls[side].map(samplesOf[measure]).filter((value) => value !== undefined),
    );
    return {
      ...{ series, measure, unit: "ms", spreads: bySide((side) => spreadOf(samples[side])) },
      ratio: ratioOf(samples.stock, samples.rewhisk),
    };
  });
  const rates = ledger.ratesOf(series);
  const perSecond = bySide((side) => rates[side].map((rate: Rate) => rate.perSecond));
  rows.push({
    ...{ series, measure: "rate", unit: "1/s", spreads: bySide((side) => spreadOf(perSecond[side])) },
    ratio: ratioOf(perSecond.rewhisk, perSecond.stock),
  });
  return rows.filter(({ spreads }) => sides.some((side) => spreads[side] !== undefined));
}

/** All of a comparison. */
export function allRows(ledger: Ledger): readonly Row[] {
  return ledger.series.flatMap((series) => rowsOf(ledger, series));
}

export function rowOf(rows: readonly Row[], series: Series, measure: Row["measure"]): Row | undefined {
  return rows.find((row) => row.series === series && row.measure === measure);
}
