// The report's other sections: differing results, failed calls, how far the figures can be trusted, and what was compared.

import { type Series, type Side, sides } from "./call.ts";
import { byBareClient, byTool } from "./check.ts";
import { type Content, type Markup, markup, nothing } from "./markup.ts";
import { addedOf, type Row } from "./statistics.ts";
import type { Comparing } from "./summary.ts";
import { p50, subjectOf } from "./tables.ts";
import { count, period, short } from "./words.ts";

const [differencesShown, troublesShown] = [8, 20];

function wordsTable(head: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  const line = (cells: readonly Content[]): Markup =>
    markup`<tr>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>`;
  return markup`<div class="scroll"><table class="words"><thead><tr>${head.map((one) => markup`<th>${one}</th>`)}</tr></thead><tbody>${rows.map(line)}</tbody></table></div>`;
}

/** Above all figures. */
export function differencesOf({ ledger }: Comparing): Markup {
  const { differences } = ledger;
  if (differences.length === 0) return nothing;
  const rows = differences
    .slice(0, differencesShown)
    .map(({ series, pass, index, outcomes }) => [
      `${series.part}: ${subjectOf(series)}`,
      `${pass + 1}, ${index + 1}`,
      markup`<code>${outcomes.stock}</code>`,
      markup`<code>${outcomes.rewhisk}</code>`,
    ]);
  const more = differences.length - rows.length;
  return markup`<section id="differences"><h2>Results that differ</h2>${wordsTable(["calls", "pass, call", "stock", "rewhisk"], rows)}${more > 0 ? markup`<p>and ${more} more, which are in the JSON file.</p>` : nothing}</section>`;
}

/** The same words of the same side and series counted together. */
export function troublesOf({ ledger }: Comparing): Markup {
  if (ledger.troubles.length === 0) return nothing;
  const groups = new Map<
    string,
    { series: Series; side: Side; what: string; firstMs: number; times: number }
  >();
  for (const { series, side, what, startedMs } of ledger.troubles) {
    const plain = what.replaceAll(/\b[0-9a-f]{32}\b|\bsid_\w+\b|"code":"\w+"/g, "…");
    const key = [side, series.part, series.kind, series.subject, plain].join();
    const group = groups.get(key) ?? { series, side, what: plain, firstMs: startedMs, times: 0 };
    groups.set(key, { ...group, times: group.times + 1 });
  }
  const rows = [...groups.values()]
    .slice(0, troublesShown)
    .map(({ series, side, what, firstMs, times }) => [
      side,
      `${series.part}: ${subjectOf(series)}`,
      `${times}`,
      period(firstMs),
      markup`<code>${what}</code>`,
    ]);
  return markup`<section id="troubles"><h2>Calls without a successful activation</h2>${wordsTable(["side", "calls", "times", "first after", "what came"], rows)}</section>`;
}

/** The comparison's own figures beside those of a bare client. */
export function trustOf({ ledger, rows }: Comparing): Markup {
  const check = rows.filter(({ series }) => series.part === "check");
  const lines = check.flatMap((tool) => {
    const { subject } = tool.series;
    if (!subject.startsWith(byTool) || tool.measure !== (subject === byTool ? "call" : "rate")) return [];
    const other = byBareClient + subject.slice(byTool.length);
    const bare = check.find(({ series, measure }) => measure === tool.measure && series.subject === other);
    return bare === undefined ? [] : sides.map((side) => trustRow(ledger, side, tool, bare));
  });
  if (lines.length === 0) return nothing;
  const head = ["", "by this tool", "by a bare client", "pairs", "what this tool adds (95 % range)"];
  return markup`<section id="trust"><h2>What measuring adds</h2><p>The same warm action, called by this tool and by Node's own HTTP client with a clock and nothing else, in pairs: the last column is the median of their differences in time.</p>${wordsTable(head, lines)}</section>`;
}

function trustRow(ledger: Comparing["ledger"], side: Side, tool: Row, bare: Row): readonly Content[] {
  const isRate = tool.measure === "rate";
  /** Milliseconds for each activation, by their numbers. */
  const timesOf = (series: Series): ReadonlyMap<number, number> =>
    new Map(
      isRate
        ? ledger.ratesOf(series)[side].map(({ pass, perSecond }) => [pass, 1000 / perSecond])
        : ledger.callsOf(series)[side].map(({ index, tookMs }) => [index, tookMs]),
    );
  const own = timesOf(tool.series);
  const pairs = [...timesOf(bare.series)].flatMap(([number, bareMs]) => {
    const ownMs = own.get(number);
    return ownMs === undefined ? [] : [[ownMs, bareMs] as const];
  });
  const added = addedOf(pairs);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.replace("-", "−");
  const what = isRate
    ? `activations per second${tool.series.subject.slice(byTool.length)}`
    : "median call, ms";
  return [
    ...[`${side}: ${what}`, p50(tool.spreads[side]), p50(bare.spreads[side]), `${pairs.length}`],
    added === undefined ? "–" : `${percent(added.share)} (${percent(added.low)} to ${percent(added.high)})`,
  ];
}

/** Both sides, the command, and how the figures are to be read. */
export function settingOf(
  { facts, asked, callerMachine, ledger }: Comparing,
  companions: readonly string[],
): Markup {
  const limit = (value: number | undefined): string => (value === undefined ? "not told" : short(value));
  const lines: readonly (readonly [string, (side: Side) => string])[] = [
    ["address", (side) => facts[side].url],
    ["namespace", (side) => facts[side].namespace],
    ["says of itself", (side) => [facts[side].description, facts[side].build].filter(Boolean).join(", ")],
    [
      "its limits, per minute and at once",
      (side) => `${limit(facts[side].invocationsPerMinute)}, ${limit(facts[side].concurrentInvocations)}`,
    ],
    ["measured calls", (side) => `${ledger.countOf(side)}`],
    ["throttled answers", (side) => count(ledger.throttled[side].answers, "answer")],
  ];
  const rows = lines.map(([what, of]) => [what, ...sides.map(of)]);
  return markup`<section id="setting"><h2>What was compared</h2>${wordsTable(["", ...sides], rows)}
<p>Called from ${callerMachine}, by <code>npm run compare -- ${asked}</code></p>
<h3>How to read it</h3>
<p>Both sides had the same actions and arguments, in turn: call by call, or pass by pass where several calls are under way. A call is blocking, from sending the request to the last byte of the answer; calls without a successful activation are in no figure. waitTime, initTime and duration are whole milliseconds from the activations' records; initTime has samples only where an action was loaded. A quantile is the smallest sample that so many do not exceed: p99 of fewer than 100 samples is the largest of them.</p>
<p>Beside this page: ${companions.join(" (every call) and ")} (all figures).</p></section>`;
}
