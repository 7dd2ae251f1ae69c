// The page's words and numbers.
// @ts-check

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */

/** What each state of a container means, in the order of a life. */
export const states = /** @type {const} */ ({
  starting: "being made",
  clean: "ready for anybody",
  running: "runs an activation",
  warm: "kept for its action",
  rewinding: "being put back",
  tainted: "not trusted any more",
  removing: "being removed",
});

/** How a job came by its container, the cheapest first. */
export const starts = /** @type {const} */ ({
  warm: "same action again",
  rewound: "used before, put back",
  clean: "prewarmed, never used",
  cold: "had to be made",
});

/** By status code. */
export const outcomes = ["success", "application error", "developer error", "whisk error"];

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} value */
export const share = (value) => (value > 0 && value < 0.01 ? "< 1%" : percent.format(value));

/** Below ten with a decimal. @param {number} value */
export const rate = (value) =>
  value >= 10 ? whole.format(value) : precise.format(Math.round(value * 10) / 10);

/** @param {number} timeMs epoch milliseconds */
export const timeOfDay = (timeMs) => clock.format(timeMs);

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${precise.format(ms)} ms`;
  return ms < 60_000 ? `${precise.format(ms / 1000)} s` : longDuration(ms);
}

/** @param {number} ms */
export function longDuration(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** @param {number} MB */
export const memory = (MB) => (MB < 10_000 ? `${whole.format(MB)} MB` : `${precise.format(MB / 1024)} GB`);
