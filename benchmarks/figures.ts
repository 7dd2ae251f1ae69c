// A benchmark's figures: from samples to rows, and rows as a table.

export interface Figure {
  readonly bench: string;
  readonly figure: string;
  readonly unit: string;
  /** The median, or for a ratio the ratio of medians. */
  readonly value: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly n: number;
  /** Such as `<= 1.3`. */
  readonly goal?: string;
  /** What the figure is compared with. */
  readonly against?: string;
}

/** The smallest sample that at least `share` of all do not exceed. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
}

/** What names a figure. */
type Named = Pick<Figure, "bench" | "figure" | "unit"> & Partial<Pick<Figure, "goal" | "against">>;

/** Of what is better where there is more of it. */
const isBetterHigh = ({ unit, goal }: Named): boolean =>
  unit.endsWith("/s") || goal?.startsWith(">=") === true;

/** The tails are the bad ones: 95 and 99 of a hundred samples are no worse. */
export function fromSamples(named: Named, samples: readonly number[]): Figure {
  const p50 = quantile(samples, 0.5);
  const tail = (share: number): number => quantile(samples, isBetterHigh(named) ? 1 - share : share);
  const tails = { p95: tail(0.95), p99: tail(0.99) };
  return { ...named, value: p50, p50, ...tails, n: samples.length };
}

/** The ratio of two sets of samples taken in turn, quantile by quantile. */
export function ratio(
  named: Omit<Named, "unit">,
  above: readonly number[],
  below: readonly number[],
): Figure {
  const at = (share: number) => quantile(above, share) / quantile(below, share);
  const n = Math.min(above.length, below.length);
  return { ...named, unit: "ratio", value: at(0.5), p50: at(0.5), p95: at(0.95), p99: at(0.99), n };
}

/** Of ratios: doubling here and halving there come to 1. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, one) => sum + Math.log(one), 0) / ratios.length);
}

/** Does the value meet its goal? Undefined where it has none. */
export function meets({ goal, value }: Figure): boolean | undefined {
  const [, sign, bound] = /^(<=|>=) ([\d.]+)$/.exec(goal ?? "") ?? [];
  if (sign === undefined) return undefined;
  return sign === "<=" ? value <= Number(bound) : value >= Number(bound);
}

function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}

export function tableOf(figures: readonly Figure[]): string {
  const head = ["bench", "figure", "unit", "p50", "p95", "p99", "n", "goal", ""];
  const rows = figures.map((figure) => {
    const met = meets(figure);
    const verdict = met === undefined ? "" : met ? "met" : "MISSED";
    const numbers = [figure.value, figure.p95, figure.p99].map(short);
    return [
      figure.bench,
      figure.figure,
      figure.unit,
      ...numbers,
      String(figure.n),
      figure.goal ?? "",
      verdict,
    ];
  });
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
