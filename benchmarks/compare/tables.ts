// The report's tables of figures.

import { type Series, type Side, sides } from "./call.ts";
import { type Markup, markup } from "./markup.ts";
import type { Ratio, Row, Spread } from "./statistics.ts";
import { short, times } from "./words.ts";

const measureWords: Readonly<Record<Row["measure"], string>> = {
  call: "call, as its caller saw it",
  wait: "of it until init or run (waitTime)",
  init: "init (initTime)",
  duration: "init and run (duration)",
  rate: "activations per second",
};

const none = "–";

/** All measures of some series: the series as heading rows where there are several. */
export function figuresTable(rows: readonly Row[]): Markup {
  const series = [...new Set(rows.map((row) => row.series))];
  const body = series.map((one) => {
    const own = rows.filter((row) => row.series === one);
    return markup`<tr><th colspan="12" scope="rowgroup">${subjectOf(one)}</th></tr>${own.map(figuresRow)}`;
  });
  const quantiles = markup`<th class="group">p50</th><th>p95</th><th>p99</th><th>n</th>`;
  return markup`<div class="scroll"><table><thead>
<tr><th></th><th class="stock" colspan="4">stock</th><th class="rewhisk" colspan="4">rewhisk</th><th colspan="3">rewhisk is better by</th></tr>
<tr><th></th>${quantiles}${quantiles}<th class="group">p50 (95 % range)</th><th>p95</th><th>p99</th></tr>
</thead><tbody>${body}</tbody></table></div>`;
}

export function subjectOf({ kind, subject }: Series): string {
  return `${kind}, ${subject}`;
}

function figuresRow({ measure, unit, spreads, ratio }: Row): Markup {
  const cells = (side: Side): Markup => {
    const spread = spreads[side];
    const values =
      spread === undefined ? [none, none, none] : [spread.p50, spread.p95, spread.p99].map(short);
    const [first = "", ...others] = values;
    return markup`<td class="group">${first}</td>${others.map((value) => markup`<td>${value}</td>`)}<td>${spread?.n ?? none}</td>`;
  };
  const tails = [ratio?.p95, ratio?.p99].map(
    (value) => markup`<td>${value === undefined ? none : times(value)}</td>`,
  );
  return markup`<tr><td class="measure">${measureWords[measure]}, ${unit}</td>${sides.map(cells)}${ratioCell(ratio)}${tails}</tr>`;
}

/** Says so where chance alone may have made the difference, and where it is a loss. */
export function ratioCell(ratio: Ratio | undefined): Markup {
  if (ratio === undefined) return markup`<td class="group">${none}</td>`;
  const range = `${short(ratio.low)} – ${short(ratio.high)}`;
  const verdict = ratio.low > 1 ? "better" : ratio.high < 1 ? "worse" : "even";
  const words = { better: "", worse: ": worse", even: ": even" }[verdict];
  return markup`<td class="group ratio ${verdict}">${times(ratio.p50)} (${range})${words}</td>`;
}

export function p50(spread: Spread | undefined): string {
  return spread === undefined ? none : short(spread.p50);
}

/** For the screen: of each series its median, of calls or where they were a load of activations per second. */
export function shortTable(rows: readonly Row[]): string {
  const lines = shortRows(rows).map(({ series, spreads, ratio, unit }) => [
    `${series.part}: ${subjectOf(series)}`,
    ...sides.map((side) => p50(spreads[side])),
    unit,
    ratio === undefined ? none : `${times(ratio.p50)} (${short(ratio.low)} – ${short(ratio.high)})`,
  ]);
  const head = ["p50", ...sides, "", "rewhisk is better by"];
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)));
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Parts whose calls are a load: how long each took depends on how many there were. */
const rated = ["burst", "throughput"];

/** The one row of each series that says most. */
export function shortRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter(
    ({ series, measure }) =>
      series.part !== "check" && measure === (rated.includes(series.part) ? "rate" : "call"),
  );
}
