// The report as one HTML page that needs nothing beside it: what leads, the summary, a section for each part, what was compared.

import { differencesOf, settingOf, troublesOf, trustOf } from "./appendix.ts";
import { bySide, type Part, parts, type Series, sides } from "./call.ts";
import { Markup, markup, nothing } from "./markup.ts";
import { distribution, rates, timeline } from "./plots.ts";
import { type Row, rowOf } from "./statistics.ts";
import { alertsOf, type Comparing } from "./summary.ts";
import { figuresTable, p50, ratioCell, shortRows, subjectOf } from "./tables.ts";
import { count, period, time } from "./words.ts";

type Shown = Exclude<Part, "check">;

const shownParts = parts.filter((part): part is Shown => part !== "check");

const texts: Readonly<Record<Shown, readonly [title: string, text: string]>> = {
  first: ["First calls", "Each of these actions was called once: nothing of it was loaded anywhere."],
  warm: ["Calls again", "The same action over and over, one call at a time."],
  sizes: [
    "Sizes of code",
    "First calls of actions whose code is so long; what makes it longer is a comment.",
  ],
  packages: ["Packages", "First calls of actions that import a package when they are loaded."],
  mixed: [
    "Mixed load",
    "More actions than fit in memory, a few called often and most of them seldom, by several callers at a time.",
  ],
  burst: ["Bursts", "So many calls at the same moment; the rate is that until the last of them is answered."],
  throughput: [
    "Throughput",
    "Several callers are busy all the time, and call so many distinct actions in turn. Each mark is a pass, the lines are medians.",
  ],
};

const dotted: readonly Part[] = ["first", "warm", "mixed"];

/** The whole page; `style` is its CSS, `companions` are the names of the files beside it. */
export function reportPage(comparing: Comparing, style: string, companions: readonly string[]): string {
  const { ledger, tookMs, kinds } = comparing;
  const title = "rewhisk beside stock OpenWhisk";
  const when = ledger.startedAt.toISOString().slice(0, 16).replace("T", " ");
  const alerts = alertsOf(comparing).map(({ level, text }) => markup`<p class="alert ${level}">${text}</p>`);
  const facts = [
    ...[`${when} UTC`, period(tookMs), count(ledger.calls.length, "call")],
    ...[`${count(ledger.compared, "pair")} of outcomes compared`, kinds.join(" and ")],
  ];
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>
${new Markup(style)}</style></head><body>
<header><h1>${title}</h1><p class="soft">${facts.join(" · ")}</p></header>
${alerts}${differencesOf(comparing)}${summaryOf(comparing)}
${shownParts.map((part) => sectionOf(comparing, part))}
${trustOf(comparing)}${troublesOf(comparing)}${settingOf(comparing, companions)}
</body></html>
`.text;
}

function summaryOf({ rows }: Comparing): Markup {
  const lines = shortRows(rows);
  if (lines.length === 0) return nothing;
  const body = lines.map(({ series, spreads, ratio, unit }) => {
    const [title] = texts[series.part as Shown];
    const cells = sides.map((side) => markup`<td>${p50(spreads[side])}</td>`);
    return markup`<tr><td>${title}: ${subjectOf(series)}</td>${cells}<td>${unit}</td>${ratioCell(ratio)}</tr>`;
  });
  return markup`<h2>In short</h2>
<p class="soft">Medians: of a call as its caller saw it, or of activations per second. Better is shorter, or more; the range is where 95 of 100 repetitions would find it, as far as these samples tell.</p>
<div class="scroll"><table><thead><tr><th></th><th class="stock">stock</th><th class="rewhisk">rewhisk</th><th></th><th>rewhisk is better by</th></tr></thead><tbody>${body}</tbody></table></div>`;
}

function sectionOf(comparing: Comparing, part: Shown): Markup {
  const rows = comparing.rows.filter((row) => row.series.part === part);
  if (rows.length === 0) return nothing;
  const series = [...new Set(rows.map((row) => row.series))];
  const [title, text] = texts[part];
  const plots = part === "throughput" ? ratePlots(comparing, series) : callPlots(comparing, series, part);
  return markup`<section id="${part}"><h2>${title}</h2><p>${text}</p><div class="plots">${plots}</div>${figuresTable(rows)}</section>`;
}

function callPlots({ ledger, rows }: Comparing, series: readonly Series[], part: Part): readonly Markup[] {
  return series.flatMap((one) => {
    const calls = ledger.callsOf(one);
    const all = sides.flatMap((side) => calls[side]);
    if (all.length === 0) return [];
    const title = subjectOf(one);
    const key = keyOf(rowOf(rows, one, "call"));
    const curves = distribution(
      `${title}: share of calls that took no longer`,
      bySide((side) => calls[side].map(({ tookMs }) => tookMs)),
    );
    const dots = dotted.includes(part)
      ? [framed(`${title}: each call when it was made`, key, timeline(title, all))]
      : [];
    return [framed(`${title}: share of calls that took no longer`, key, curves), ...dots];
  });
}

function ratePlots({ ledger }: Comparing, series: readonly Series[]): readonly Markup[] {
  const kinds = [...new Set(series.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const points = series
      .filter((one) => one.kind === kind)
      .flatMap((one) => Object.values(ledger.ratesOf(one)).flat())
      .map(({ side, perSecond, series: { distinctActions = 1 } }) => ({ side, perSecond, distinctActions }));
    const title = `${kind}: activations per second`;
    return framed(title, keyOf(undefined), rates(title, points));
  });
}

function framed(title: string, key: Markup, plot: Markup): Markup {
  return markup`<figure><figcaption>${title}${key}</figcaption>${plot}</figure>`;
}

const marks = { stock: "- - +", rewhisk: "— ●" } as const;

/** Which line is whose, and its median. */
function keyOf(row: Row | undefined): Markup {
  const entries = sides.map((side) => {
    const spread = row?.spreads[side];
    const median = spread === undefined ? "" : ` p50 ${time(spread.p50)}, n ${spread.n}`;
    return markup`<span><b class="${side}">${marks[side]} ${side}</b>${median}</span>`;
  });
  return markup`<span class="key">${entries}</span>`;
}
