// Finds values of the wrong shape: where a section or a list belongs, and below a single value.

import { type SettingEntry, settingEntries, variableOf } from "./entries.ts";
import type { Scalar } from "./hocon.ts";

/**
 * A line for each value that stands where none can be read, be it that another one hides it. It holds no value: that may be a secret.
 * A null sets nothing.
 */
export function shapeProblems(given: Iterable<readonly [key: string, value: Scalar]>): readonly string[] {
  const entries = [...settingEntries().values()].filter(({ here }) => here === undefined);
  return [...given].flatMap(([key, { text, origin }]) => {
    const problem = text === null ? undefined : shapeProblem(key, entries);
    return problem === undefined ? [] : `${placeOf(key, origin)}: ${problem}`;
  });
}

/** A variable names its key, a line of a text does not. */
export function placeOf(key: string, origin: string): string {
  return origin.includes(" line ") ? `${origin}, ${key}` : origin;
}

function shapeProblem(key: string, entries: readonly SettingEntry[]): string | undefined {
  const inside = entries.find((entry) => entry.key.startsWith(`${key}.`));
  if (inside !== undefined) return `${key} is a section: set what is in it, such as ${inside.key}`;
  const entry = entries.find((one) => key === one.key || key.startsWith(`${one.key}.`));
  if (entry === undefined) return undefined;
  const rest = key.slice(entry.key.length);
  const variable = variableOf(entry.key);
  switch (entry.type) {
    case "list":
      return /^\.\d+$/.test(rest)
        ? undefined
        : `${entry.key} is a list: number its items, as in ${variable}_0`;
    case "lists":
      return /^\.[^.]+\.\d+$/.test(rest)
        ? undefined
        : `${entry.key} has a list for each name: set ${variable}_<name>_0 and so on`;
    default:
      return rest === "" ? undefined : `${entry.key} is a single value, and nothing can be below it`;
  }
}
