// Sizes, durations, truth and numbers as texts of configuration files and variables spell them.

/** Decimal and binary units of HOCON: `MB` is 10^6 bytes, `M`, `m` and `MiB` are 2^20. */
const sizeUnits = new Map<string, number>();
for (const [i, [letter, decimal, binary]] of [
  ["k", "kilo", "kibi"],
  ["m", "mega", "mebi"],
  ["g", "giga", "gibi"],
  ["t", "tera", "tebi"],
].entries()) {
  const [large = "", small = ""] = [letter?.toUpperCase(), letter];
  const thousands = 1000 ** (i + 1);
  const kibis = 1024 ** (i + 1);
  const decimals = [i === 0 ? "kB" : `${large}B`, `${decimal}byte`, `${decimal}bytes`];
  for (const name of decimals) sizeUnits.set(name, thousands);
  for (const name of [small, large, `${large}i`, `${large}iB`, `${binary}byte`, `${binary}bytes`]) {
    sizeUnits.set(name, kibis);
  }
}
for (const name of ["", "B", "b", "byte", "bytes"]) sizeUnits.set(name, 1);

const durationUnits = new Map(
  [
    { names: ["ns", "nano", "nanos", "nanosecond", "nanoseconds"], ms: 1e-6 },
    { names: ["us", "µs", "micro", "micros", "microsecond", "microseconds"], ms: 1e-3 },
    { names: ["ms", "milli", "millis", "millisecond", "milliseconds"], ms: 1 },
    { names: ["s", "sec", "secs", "second", "seconds"], ms: 1000 },
    { names: ["m", "min", "mins", "minute", "minutes"], ms: 60_000 },
    { names: ["h", "hr", "hrs", "hour", "hours"], ms: 3_600_000 },
    { names: ["d", "day", "days"], ms: 86_400_000 },
  ].flatMap(({ names, ms }) => names.map((name) => [name, ms] as const)),
);

/** `2048m` is 2048 * 2^20, `1 MB` is 10^6, a bare number is bytes; undefined where it is no size. */
export function readSizeBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  const factor = sizeUnits.get(unit ?? "");
  return digits === undefined || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}

/** `10 minutes`, `100ms`, `10.seconds` in milliseconds, `Inf` as Infinity; undefined where it is no duration, or has no unit. */
export function readDurationMs(text: string): number | undefined {
  if (/^(Plus)?Inf$/.test(text)) return Number.POSITIVE_INFINITY;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*\.?\s*([a-zµ]+)$/.exec(text) ?? [];
  const factor = durationUnits.get(unit ?? "");
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** As HOCON has them, and in any case (`True`). */
export function readBoolean(text: string): boolean | undefined {
  if (/^(true|yes|on)$/i.test(text)) return true;
  return /^(false|no|off)$/i.test(text) ? false : undefined;
}

export function readNumber(text: string): number | undefined {
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Names between commas, as the playbook writes them: blanks and quotes around the whole and around each are dropped. */
export function readNames(text: string): readonly string[] {
  const bare = (part: string): string =>
    part
      .trim()
      .replace(/^(['"])([^'"]*)\1$/, "$2")
      .trim();
  return bare(text)
    .split(",")
    .map(bare)
    .filter((name) => name !== "");
}
