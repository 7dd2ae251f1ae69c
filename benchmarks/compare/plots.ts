// The three plots of the report, as SVG that takes its colours from the page around it.

import { quantile } from "../figures.ts";
import { type BySide, type Side, sides } from "./call.ts";
import { type Content, type Markup, markup, nothing } from "./markup.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";
import { roundTime } from "./words.ts";

const [width, height] = [480, 270];
const [left, right, top, bottom] = [64, 456, 10, 226];
const shares = 200;
const dotsMax = 3000;

/** How many calls took no longer than so long: the further left, the faster. */
export function distribution(label: string, samplesMs: BySide<readonly number[]>): Markup {
  const x = logScale([...samplesMs.stock, ...samplesMs.rewhisk], [left, right]);
  const y: Scale = { at: (share) => bottom - share * (bottom - top), ticks: [0, 0.25, 0.5, 0.75, 0.95] };
  const curve = (side: Side): Markup => {
    const samples = samplesMs[side];
    if (samples.length === 0) return nothing;
    const sorted = [...samples].sort((a, b) => a - b);
    const steps = Math.min(shares, sorted.length);
    const points = Array.from({ length: steps }, (_, i) => (i + 1) / steps).map(
      (share) => `H${round(x.at(quantile(sorted, share)))}V${round(y.at(share))}`,
    );
    return markup`<path class="line ${side}" d="M${round(x.at(sorted[0] ?? 1))} ${bottom}${points.join("")}H${right}"/>`;
  };
  const axes = frame(x, y, { x: roundTime, y: (share) => `${Math.round(share * 100)} %` }, "took up to");
  return picture(label, [axes, sides.map(curve)]);
}

export interface Dot {
  readonly side: Side;
  readonly startedMs: number;
  readonly tookMs: number;
}

/** Each call when it was made. */
export function timeline(label: string, dots: readonly Dot[]): Markup {
  const firstMs = dots.reduce((least, { startedMs }) => Math.min(least, startedMs), Number.POSITIVE_INFINITY);
  const seconds = ({ startedMs }: Dot): number => (startedMs - firstMs) / 1000;
  const x = linearScale(dots.map(seconds), [left, right]);
  const y = logScale(
    dots.map(({ tookMs }) => tookMs),
    [bottom, top],
  );
  const every = Math.ceil(dots.length / dotsMax);
  const mark = (dot: Dot): Markup => markOf(dot.side, x.at(seconds(dot)), y.at(dot.tookMs));
  const axes = frame(x, y, { x: (s) => `${s} s`, y: roundTime }, "since the first of these calls");
  return picture(label, [axes, dots.filter((_, i) => i % every === 0).map(mark)]);
}

export interface RatePoint {
  readonly side: Side;
  readonly distinctActions: number;
  readonly perSecond: number;
}

/** Each pass as a mark, the medians as a line. */
export function rates(label: string, points: readonly RatePoint[]): Markup {
  const x = logScale(
    points.map(({ distinctActions }) => distinctActions),
    [left + 12, right - 12],
  );
  const y = logScale(
    points.map(({ perSecond }) => perSecond),
    [bottom, top],
  );
  const steps = [...new Set(points.map(({ distinctActions }) => distinctActions))].sort((a, b) => a - b);
  const line = (side: Side): Markup => {
    const medians = steps.flatMap((step) => {
      const own = points.filter((point) => point.side === side && point.distinctActions === step);
      const median = quantile(
        own.map(({ perSecond }) => perSecond),
        0.5,
      );
      return Number.isNaN(median) ? [] : [`${round(x.at(step))} ${round(y.at(median))}`];
    });
    return medians.length === 0 ? nothing : markup`<path class="line ${side}" d="M${medians.join("L")}"/>`;
  };
  const mark = ({ side, distinctActions, perSecond }: RatePoint): Markup =>
    markOf(side, x.at(distinctActions), y.at(perSecond));
  const axes = frame({ ...x, ticks: steps }, y, { x: String, y: (rate) => `${rate}/s` }, "distinct actions");
  return picture(label, [axes, sides.map(line), points.map(mark)]);
}

/** Sides are told apart by more than colour. */
function markOf(side: Side, x: number, y: number): Markup {
  return side === "stock"
    ? markup`<path class="dot stock" d="M${round(x - 3)} ${round(y)}h6m-3 -3v6"/>`
    : markup`<circle class="dot rewhisk" cx="${round(x)}" cy="${round(y)}" r="2.5"/>`;
}

type Words = Readonly<Record<"x" | "y", (value: number) => string>>;

function frame(x: Scale, y: Scale, words: Words, below: string): Markup {
  const columns = x.ticks.map(
    (tick) =>
      markup`<path class="grid" d="M${round(x.at(tick))} ${top}V${bottom}"/><text class="middle" x="${round(x.at(tick))}" y="${bottom + 18}">${words.x(tick)}</text>`,
  );
  const rows = y.ticks.map(
    (tick) =>
      markup`<path class="grid" d="M${left} ${round(y.at(tick))}H${right}"/><text class="end" x="${left - 6}" y="${round(y.at(tick)) + 4}">${words.y(tick)}</text>`,
  );
  return markup`${columns}${rows}<text class="end soft" x="${right}" y="${bottom + 36}">${below}</text>`;
}

function picture(label: string, content: Content): Markup {
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}"><title>${label}</title>${content}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
