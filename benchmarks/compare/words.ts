// Numbers as people read them.

const msPerSecond = 1000;

/** With about three digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** Milliseconds, from a second on as seconds. */
export function time(valueMs: number): string {
  return valueMs >= msPerSecond ? `${short(valueMs / msPerSecond)} s` : `${short(valueMs)} ms`;
}

/** The same beside an axis, where values are round: `10 ms`. */
export function roundTime(valueMs: number): string {
  return valueMs >= msPerSecond ? `${valueMs / msPerSecond} s` : `${valueMs} ms`;
}

/** Such as `12.3 ×`. */
export function times(value: number): string {
  return Number.isFinite(value) ? `${short(value)}\u202f×` : "–";
}

/** A time of day's worth of it, such as `12 min 5 s`. */
export function period(valueMs: number): string {
  const seconds = Math.round(valueMs / msPerSecond);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `1 call`, `2 calls`. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number.toLocaleString("en").replaceAll(",", "\u202f")} ${number === 1 ? one : many}`;
}
