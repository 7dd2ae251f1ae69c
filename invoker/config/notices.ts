// What operators should hear once of their settings: those without effect here, and those nobody knows.

import { allEntries, type IgnoredEntry, type SettingEntry } from "./entries.ts";
import type { Scalar } from "./hocon.ts";

/** Never holds a value: it may be a secret. */
export interface Notice {
  readonly code: "not-applicable" | "unknown";
  /** Where it is set: a variable, or a line of the text in OPENWHISK_CONFIG. */
  readonly setBy: string;
  readonly key: string;
  /** Why it has no effect, or which key may be meant. */
  readonly text: string;
}

/** One for each key that is set and has no effect, in the order of the keys. */
export function noticesOf(values: ReadonlyMap<string, Scalar>): readonly Notice[] {
  const entries = new Map(allEntries().map((entry) => [entry.key, entry]));
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, { origin }]): readonly Notice[] => {
      const entry = entryOf(key, entries);
      if (entry === undefined) {
        return [{ code: "unknown", setBy: origin, key, text: nearest(key, [...entries.keys()]) }];
      }
      const text = reasonOf(entry);
      return text === undefined ? [] : [{ code: "not-applicable", setBy: origin, key, text }];
    });
}

type Entry = SettingEntry | IgnoredEntry;

function reasonOf(entry: Entry): string | undefined {
  if ("reason" in entry) return entry.reason;
  return entry.here === "standalone" ? "A matter of the controller." : undefined;
}

/** The entry of the key itself, of the list it is an item of, or of the nearest section around it. */
function entryOf(key: string, entries: ReadonlyMap<string, Entry>): Entry | undefined {
  const exact = entries.get(key);
  if (exact !== undefined) return exact;
  const parts = key.split(".");
  for (let count = parts.length - 1; count > 0; count--) {
    const section = parts.slice(0, count).join(".");
    const entry = entries.get(`${section}.*`) ?? entries.get(section);
    if (entry !== undefined && isSection(entry)) return entry;
  }
  return undefined;
}

function isSection(entry: Entry): boolean {
  return entry.key.endsWith(".*") || ("type" in entry && (entry.type === "list" || entry.type === "lists"));
}

function nearest(key: string, known: readonly string[]): string {
  const distances = known.map((one) => ({ one, distance: distance(key, one) }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  const isNear = best !== undefined && best.distance <= key.length / 4;
  return isNear ? `No such key is known; ${best.one} is.` : "No such key is known.";
}

/** Letters to insert, remove or replace. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...left].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...right].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
