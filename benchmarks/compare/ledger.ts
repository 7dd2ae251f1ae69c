// What a comparison has seen so far: calls, rates, troubles, and whether the two sides gave the same outcomes.

import {
  type BySide,
  bySide,
  type Call,
  type Difference,
  type Rate,
  type Series,
  type Side,
  sides,
  type Trouble,
} from "./call.ts";
import type { Activation } from "./record.ts";

/** A stretch in which a side gave no answers, and then did again. */
export interface Outage {
  readonly side: Side;
  readonly startedMs: number;
  readonly lastedMs: number;
}

/** Which call it was. */
export interface Place {
  readonly series: Series;
  readonly side: Side;
  readonly pass: number;
  readonly index: number;
}

const shownLength = 400;

export class Ledger {
  /** Of `performance.now()`; all other times are counted from it. */
  readonly beganMs: number = performance.now();
  readonly startedAt: Date = new Date();
  readonly calls: Call[] = [];
  readonly rates: Rate[] = [];
  readonly troubles: Trouble[] = [];
  readonly differences: Difference[] = [];
  readonly outages: Outage[] = [];
  /** What a reader has to know of how it went. */
  readonly notes: string[] = [];
  /** Pairs of outcomes that were compared. */
  compared = 0;
  readonly throttled: BySide<{ answers: number; waitedMs: number }> = bySide(() => ({
    answers: 0,
    waitedMs: 0,
  }));
  /** Outcomes of this series whose other side is still to come. */
  readonly #waiting = new Map<string, { readonly side: Side; readonly outcome: string }>();

  sinceBeginMs(nowMs: number = performance.now()): number {
    return nowMs - this.beganMs;
  }

  /** Gives whether it was a success. */
  activation(
    place: Place,
    { outcome, isSuccess, ...activation }: Activation,
    times: Pick<Call, "startedMs" | "tookMs" | "throttled">,
  ): boolean {
    const { series, side } = place;
    if (isSuccess) this.calls.push({ ...place, ...times, ...activation });
    else this.troubles.push({ series, side, startedMs: times.startedMs, what: shortened(outcome) });
    this.#compare(place, outcome);
    return isSuccess;
  }

  trouble(series: Series, side: Side, what: string): void {
    this.troubles.push({ series, side, startedMs: this.sinceBeginMs(), what: shortened(what) });
  }

  /** What has no partner will get none: one side made more calls in the same time. */
  endSeries(): void {
    this.#waiting.clear();
  }

  #compare({ series, side, pass, index }: Place, outcome: string): void {
    const key = `${pass} ${index}`;
    const other = this.#waiting.get(key);
    if (other === undefined || other.side === side) {
      this.#waiting.set(key, { side, outcome });
      return;
    }
    this.#waiting.delete(key);
    this.compared++;
    if (other.outcome === outcome) return;
    const outcomes = bySide((one) => shortened(one === side ? outcome : other.outcome));
    this.differences.push({ series, pass, index, outcomes });
  }

  /** Each is one object for the whole of a comparison. */
  get series(): readonly Series[] {
    return [...new Set([...this.calls, ...this.rates, ...this.troubles].map(({ series }) => series))];
  }

  /** Of the troubles from that number on: the first whose series has no call of its side that succeeded. */
  barrenSince(number: number): Trouble | undefined {
    return this.troubles
      .slice(number)
      .find(({ series, side }) => !this.calls.some((call) => call.series === series && call.side === side));
  }

  callsOf(series: Series): BySide<readonly Call[]> {
    const own = this.calls.filter((call) => call.series === series);
    return bySide((side) => own.filter((call) => call.side === side));
  }

  ratesOf(series: Series): BySide<readonly Rate[]> {
    const own = this.rates.filter((rate) => rate.series === series);
    return bySide((side) => own.filter((rate) => rate.side === side));
  }

  countOf(side: Side): number {
    return this.calls.reduce((count, call) => count + (call.side === side ? 1 : 0), 0);
  }

  get throttledAnswers(): number {
    return sides.reduce((sum, side) => sum + this.throttled[side].answers, 0);
  }
}

function shortened(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)} …` : text;
}
