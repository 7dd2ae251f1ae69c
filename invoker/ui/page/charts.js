// The figures of the page: activations over time, starts, times of rewinds, reasons of taints.
// @ts-check

import { sum } from "./history.js";
import { element, glyph, part, say } from "./parts.js";
import { count, duration, rate, share, starts } from "./words.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("./history.js").History} History */
/** @typedef {import("./history.js").Rate} Rate */

const shownMs = 120_000;
/** Of the plot, as in its viewBox. */
const [width, height] = [1000, 200];

/** @param {History} history */
export function showRates(history) {
  const { last, seconds } = history.window();
  const rates = history.rates();
  const highest = Math.max(0, ...rates.map((one) => one?.ended ?? 0));
  const top = roundedUp(highest);
  const x = (/** @type {Rate} */ { atMs }) => (1 - (last.takenMs - atMs) / shownMs) * width;
  const y = (/** @type {number} */ value) => height * (1 - value / top);
  const plot = part("rate-plot");
  for (const series of /** @type {const} */ (["ended", "failed"])) {
    const runs = runsOf(rates).map((run) =>
      run.map((one) => `${x(one).toFixed(1)} ${y(one[series]).toFixed(1)}`),
    );
    const lines = runs.map((points) => `M${points.join("L")}`);
    draw(plot, `.line[data-series=${series}]`, lines);
    const areas = runs.map((points) => {
      const [first = "", end = ""] = [points[0], points.at(-1)].map((point) => point?.split(" ")[0]);
      return `M${first} ${height}L${points.join("L")}L${end} ${height}Z`;
    });
    draw(plot, `.area[data-series=${series}]`, areas);
  }
  const axis = part("rate-axis");
  const labels = [top, top / 2, 0].map((value) => rate(value));
  if (axis.textContent !== labels.join(""))
    axis.replaceChildren(...labels.map((text) => element("li", {}, [text])));
  const now = rates.at(-1);
  const text =
    now === undefined
      ? "No rate is known yet"
      : `Now ${rate(now.ended)} per second, ${rate(now.failed)} of them failed; at most ${rate(highest)} in the last ${Math.round(Math.max(seconds, 1))} s`;
  plot.setAttribute("aria-label", text);
}

/** @param {HTMLElement} plot @param {string} selector @param {readonly string[]} pieces */
function draw(plot, selector, pieces) {
  plot.querySelector(selector)?.setAttribute("d", pieces.join(""));
}

/** Without the gaps between them. @param {readonly (Rate | undefined)[]} rates */
function runsOf(rates) {
  /** @type {Rate[][]} */
  const runs = [[]];
  for (const one of rates) {
    if (one === undefined) runs.push([]);
    else runs.at(-1)?.push(one);
  }
  return runs.filter((run) => run.length > 0);
}

/** The next of 10, 20, 50, 100 … @param {number} value */
function roundedUp(value) {
  const power = 10 ** Math.max(1, Math.floor(Math.log10(Math.max(value, 1))));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}

/** @param {number} seconds */
const ago = (seconds) => (seconds < 1 ? "" : `last ${Math.round(seconds)} s`);

/** @param {History} history */
export function showStarts(history) {
  const { first, last, seconds } = history.window();
  say("starts-window", ago(seconds));
  /** @param {keyof typeof starts} start */
  const inWindow = (start) => (last.starts[start] ?? 0) - (first.starts[start] ?? 0);
  const names = /** @type {(keyof typeof starts)[]} */ (Object.keys(starts));
  const all = names.reduce((total, start) => total + inWindow(start), 0);
  const rows = names.map((start) => ({
    ...{ name: start, title: starts[start], part: all === 0 ? 0 : inWindow(start) / all },
    figures: [seconds > 0 ? rate(inWindow(start) / seconds) : "–", count(last.starts[start] ?? 0)],
  }));
  showBars("starts", rows, true);
}

/** @param {History} history */
export function showTaints(history) {
  const { first, last } = history.window();
  const all = sum(last.taints);
  const rows = Object.entries(last.taints)
    .filter(([, times]) => times > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, times]) => {
      const now = times - (first.taints[/** @type {keyof Snapshot["taints"]} */ (reason)] ?? 0);
      return {
        name: reason,
        title: "",
        part: times / all,
        figures: [count(now), count(times)],
      };
    });
  say("taints-count", count(all));
  part("taints-none").hidden = rows.length > 0;
  part("taints-table").hidden = rows.length === 0;
  showBars("taints", rows, false);
}

/**
 * @param {string} id
 * @param {readonly { name: string, title: string, part: number, figures: readonly string[] }[]} rows
 * @param {boolean} withGlyphs
 */
function showBars(id, rows, withGlyphs) {
  const body = part(id);
  const named = rows.map(({ name }) => name).join();
  if (body.dataset.rows !== named) {
    body.dataset.rows = named;
    body.replaceChildren(
      ...rows.map(({ name, title }) => {
        const head = element("th", { scope: "row", title }, [...(withGlyphs ? [glyph(name)] : []), name]);
        const bar = element("td", { class: "track" }, [element("span", { class: "bar" }), element("span")]);
        return element("tr", { "data-name": name }, [head, bar, element("td"), element("td")]);
      }),
    );
  }
  for (const [i, { part: of, figures }] of rows.entries()) {
    const [, track, ...others] = /** @type {HTMLElement[]} */ ([...(body.children[i]?.children ?? [])]);
    const [bar, label] = /** @type {HTMLElement[]} */ ([...(track?.children ?? [])]);
    bar?.style.setProperty("--share", String(of));
    if (label) label.textContent = share(of);
    for (const [place, text] of figures.entries()) {
      const cell = others[place];
      if (cell && cell.textContent !== text) cell.textContent = text;
    }
  }
}

/** @param {History} history */
export function showRewindTimes(history) {
  const { first, last, seconds } = history.window();
  const { upToMs, counts: since, sumMs } = last.rewinds;
  const counts = since.map((value, i) => value - (first.rewinds.counts[i] ?? 0));
  const all = counts.reduce((total, value) => total + value, 0);
  const most = Math.max(1, ...counts);
  say("rewinds-window", ago(seconds));
  const figure = part("rewinds");
  if (figure.children.length !== counts.length) {
    const labels = [...upToMs.map((ms) => shortTime(ms)), "more"];
    figure.replaceChildren(
      ...labels.map((label) =>
        element("div", { class: "column" }, [
          element("span", { class: "stick" }),
          element("small", {}, [label]),
        ]),
      ),
    );
  }
  for (const [i, value] of counts.entries()) {
    const column = /** @type {HTMLElement | undefined} */ (figure.children[i]);
    column?.style.setProperty("--share", String(value / most));
    column?.setAttribute("title", `${count(value)} of ${count(all)}`);
    column?.classList.toggle("empty", value === 0);
  }
  const meanMs = (sumMs - first.rewinds.sumMs) / all;
  const text =
    all === 0
      ? "No rewind in this time."
      : `${count(all)} rewinds, ${duration(meanMs)} on average; each column counts those up to its time, in milliseconds.`;
  say("rewinds-note", text);
  figure.setAttribute("aria-label", text);
}

/** Milliseconds as short as may be. @param {number} ms */
const shortTime = (ms) => String(Number(ms.toPrecision(3))).replace(/^0\./, ".");
