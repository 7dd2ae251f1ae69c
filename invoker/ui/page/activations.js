// The activations that ended last: which, when, how long; and a way to hold the list still.
// @ts-check

import { element, glyph, part } from "./parts.js";
import { duration, outcomes, timeOfDay } from "./words.js";

/** @typedef {import("../snapshot.ts").Snapshot["recent"][number]} Ended */

let isPaused = false;

/** @param {readonly Ended[]} recent */
export function showRecent(recent) {
  if (isPaused) return;
  const body = part("recent");
  const ids = recent.map(({ activationId }) => activationId).join();
  if (body.dataset.ids === ids) return;
  body.dataset.ids = ids;
  part("recent-table").hidden = recent.length === 0;
  part("recent-none").hidden = recent.length > 0;
  body.replaceChildren(...recent.map(row));
}

/** @param {Ended} ended */
function row({ activationId, endedMs, status, start, place, hasLibraries, initMs, runMs }) {
  const isGood = status === 0;
  const time = element("time", { datetime: new Date(endedMs).toISOString() }, [timeOfDay(endedMs)]);
  const outcome = [glyph(isGood ? "good" : "tainted"), word(outcomes[status] ?? String(status))];
  return element("tr", {}, [
    element("td", {}, [time]),
    element("td", { class: "id" }, [activationId]),
    element("td", { "data-tone": isGood ? "good" : "tainted" }, outcome),
    element(
      "td",
      start ? { "data-name": start } : {},
      start
        ? [glyph(start), word(`${place ?? start}${hasLibraries ? ", with libraries" : ""}`)]
        : [word("not run")],
    ),
    element("td", { class: "number" }, [initMs === undefined ? "" : duration(initMs)]),
    element("td", { class: "number" }, [runMs === undefined ? "" : duration(runMs)]),
  ]);
}

/** Beside a glyph: on a narrow page it is only heard. @param {string} text */
const word = (text) => element("span", { class: "word" }, [text]);

export function followPause() {
  const button = part("pause");
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(isPaused));
  });
}
