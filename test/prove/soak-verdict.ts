// Whether a soak run grew, and its samples as a table.

/** One column of the table: what was measured at each of the samples, the first of which is taken when nothing has run. */
export interface Column {
  readonly name: string;
  readonly values: number[];
}

export interface SoakReport {
  readonly rewinds: number;
  readonly tookMs: number;
  readonly columns: readonly Column[];
  /** Why containers were replaced: none should be. */
  readonly taints: readonly string[];
}

/** By how much the median of the last fifth may lie above that of the second: a share of it, and something on top. */
interface Tolerance {
  readonly share: number;
  readonly more: number;
}

/** What a garbage collector decides about varies; what is counted does not. */
const tolerances: readonly (readonly [RegExp, Tolerance])[] = [
  [/^invoker: (RSS|private) kB/, { share: 0.05, more: 4096 }],
  [/^invoker: heap kB/, { share: 0.02, more: 512 }],
  [/^invoker: size kB/, { share: 0.02, more: 4096 }],
  [/^invoker: mappings/, { share: 0.05, more: 8 }],
  [/: page tables kB/, { share: 0.02, more: 64 }],
  [/: (RSS|private|cgroup) kB/, { share: 0.02, more: 512 }],
  [/: answer ms/, { share: 0.3, more: 0.2 }],
  [/: (size kB|mappings|descriptors|threads)/, { share: 0, more: 0 }],
];

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** The medians of the run's fifths; the first sample belongs to none. */
function fifths({ values }: Column): readonly number[] {
  const samples = values.slice(1);
  return [0, 1, 2, 3, 4].map((fifth) =>
    median(samples.slice((fifth * samples.length) / 5, ((fifth + 1) * samples.length) / 5)),
  );
}

function toleranceFor(name: string): Tolerance {
  const found = tolerances.find(([pattern]) => pattern.test(name));
  if (found === undefined) throw new Error(`nothing is said of ${name}`);
  return found[1];
}

/** Says in words by how much a column grew; undefined where it is flat. */
export function growth(column: Column): string | undefined {
  const { share, more } = toleranceFor(column.name);
  const [, before = Number.NaN, , , after = Number.NaN] = fifths(column);
  const limit = before * (1 + share) + more;
  return after <= limit
    ? undefined
    : `${column.name}: ${show(after)} in the last fifth, ${show(before)} in the second (${show(limit)} allowed)`;
}

/** All that is wrong with a run, one a line. */
export function complaints({ columns, taints }: SoakReport): readonly string[] {
  const grown = columns.map(growth).filter((line) => line !== undefined);
  return [...taints.map((taint) => `a container was replaced: ${taint}`), ...grown];
}

function show(value: number): string {
  if (Number.isNaN(value)) return "-";
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** One row for each thing measured: at the start, and the median of each fifth of the run. */
export function table({ columns }: SoakReport): string {
  const rows = [
    ["", "start", "1st fifth", "2nd", "3rd", "4th", "last", "allowed"],
    ...columns.map((column) => {
      const medians = fifths(column);
      const { share, more } = toleranceFor(column.name);
      const allowed = (medians[1] ?? Number.NaN) * (1 + share) + more;
      return [column.name, ...[column.values[0] ?? Number.NaN, ...medians, allowed].map(show)];
    }),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .join("\n");
}
