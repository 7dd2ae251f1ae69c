// The head of the page and its tiles: how the invoker is, in words and a few large numbers.
// @ts-check

import { failures, quantile, sum } from "./history.js";
import { glyph, part, say } from "./parts.js";
import { count, duration, longDuration, memory, rate, share } from "./words.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("./history.js").History} History */

const obstacles = { bus: "no bus", topic: "topic not read", database: "no database", pool: "no pool" };

/** @param {Snapshot} snapshot @param {History} history */
export function showSummary(snapshot, history) {
  const { name, rung, underWay, done, waiting, unread, memory: used } = snapshot;
  document.title = `${name} · rewhisk`;
  say("name", name);
  showPhase(snapshot);
  say("rung", rung === "none" ? "no rewinding here" : `rung: ${rung}`);
  say("uptime", `up for ${longDuration(snapshot.takenMs - snapshot.startedMs)}`);

  const now = history.rates().at(-1);
  say("rate", now === undefined ? "–" : rate(now.ended));
  say("ended", `${count(sum(snapshot.activations))} ended, ${count(failures(snapshot))} failed`);
  say("under-way", count(underWay));
  say("done", `${count(done)} done since the start`);
  say("waiting", count(waiting));
  say("unread", unread === undefined ? "jobs in the queue" : `and ${count(unread)} unread on the bus`);
  showRewinds(history);

  const reserved = used.budgetMB > 0 ? used.reservedMB / used.budgetMB : 0;
  say("memory-share", share(reserved));
  say("memory-sum", `of ${memory(used.budgetMB)}`);
  say("process", `invoker process: ${memory(used.processMB)}`);
  const bar = /** @type {HTMLProgressElement} */ (part("memory"));
  bar.value = Math.min(1, reserved);
}

/** @param {Snapshot} snapshot */
function showPhase(snapshot) {
  const { text, tone } = phaseOf(snapshot);
  const pill = part("phase");
  pill.hidden = false;
  if (pill.dataset.text === text) return;
  pill.dataset.text = text;
  pill.dataset.tone = tone;
  pill.replaceChildren(glyph(tone), text);
}

/** @param {Snapshot} snapshot @returns {{ text: string, tone: "good" | "starting" | "tainted" }} */
function phaseOf({ phase, isEnabled, notReady }) {
  if (phase === "draining" || phase === "drained") return { text: phase, tone: "starting" };
  const others = notReady.filter((one) => one !== "pool");
  if (others.length > 0) return { text: others.map((one) => obstacles[one]).join(", "), tone: "tainted" };
  if (phase === "starting") return { text: phase, tone: "starting" };
  return isEnabled ? { text: "ready", tone: "good" } : { text: "disabled", tone: "starting" };
}

/** @param {History} history */
function showRewinds(history) {
  const { first, last } = history.window();
  const counts = last.rewinds.counts.map((value, i) => value - (first.rewinds.counts[i] ?? 0));
  const { upToMs } = last.rewinds;
  const bound = (/** @type {number} */ share) => {
    const ms = quantile(counts, upToMs, share);
    if (ms === undefined) return "–";
    return ms === Number.POSITIVE_INFINITY ? `> ${duration(upToMs.at(-1) ?? 0)}` : `≤ ${duration(ms)}`;
  };
  say("rewind-half", bound(0.5));
  say("rewind-most", `95% ${bound(0.95)}, 99% ${bound(0.99)}`);
}
