// Turns gathered texts into typed values, key by key, and keeps a line for each one that is malformed.

import { type SettingEntry, settingEntries, variableOf } from "./entries.ts";
import type { Scalar } from "./hocon.ts";
import { placeOf } from "./shapes.ts";
import { readBoolean, readDurationMs, readNames, readNumber, readSizeBytes } from "./units.ts";

const bytesPerMB = 2 ** 20;
/** Timers of Node know no longer time; it is about 24 days. */
const longestMs = 2 ** 31 - 1;

/** What a value of the type looks like, for people. */
const shapes = {
  integer: "it must be a whole number",
  number: "it must be a number",
  size: "it must be a size, such as 2048m",
  duration: "it must be a duration with its unit, such as 10 seconds",
} as const;

/** Reads each key as settings.json describes it. A malformed value counts as the default, and makes a problem. */
export class SettingReader {
  readonly problems: string[] = [];
  readonly #values: ReadonlyMap<string, Scalar>;
  readonly #entries = settingEntries();

  constructor(values: ReadonlyMap<string, Scalar>) {
    this.#values = values;
  }

  isSet(key: string): boolean {
    return (this.#values.get(key)?.text ?? null) !== null;
  }

  /** Where a key is set; undefined: nowhere. */
  originOf(key: string): string | undefined {
    return this.#values.get(key)?.origin;
  }

  /** Can its text be read as one of its choices? */
  isChoice(key: string): boolean {
    const { choices = [] } = this.#entry(key);
    return choices.includes(this.#values.get(key)?.text?.trim().toUpperCase() ?? "");
  }

  /** In the entry's unit; an integer, number, size or duration. */
  number(key: string): number {
    return this.optionalNumber(key) ?? this.#fault(key, "a number");
  }

  optionalNumber(key: string): number | undefined {
    const entry = this.#entry(key);
    const text = this.#text(entry)?.trim();
    const usual = typeof entry.default === "number" ? entry.default : undefined;
    if (text === undefined) return usual;
    const value = numberOf(entry, text);
    const problem = value === undefined ? shapeOf(entry) : boundProblem(entry, value);
    if (value !== undefined && problem === undefined) return entry.unit === "MB" ? Math.floor(value) : value;
    this.#refuse(entry, text, problem ?? "");
    return usual;
  }

  boolean(key: string): boolean {
    const entry = this.#entry(key);
    const text = this.#text(entry)?.trim();
    const value = text === undefined ? undefined : readBoolean(text);
    if (text !== undefined && value === undefined) this.#refuse(entry, text, "it must be true or false");
    return value ?? entry.default === true;
  }

  /** The empty text where a required key is not set, which is a problem. */
  text(key: string): string {
    return this.optionalText(key) ?? "";
  }

  optionalText(key: string): string | undefined {
    const entry = this.#entry(key);
    const text = this.#text(entry);
    const { choices } = entry;
    const chosen = entry.anyCase === true ? text?.trim().toUpperCase() : text;
    if (chosen !== undefined && (choices === undefined || choices.includes(chosen))) return chosen;
    if (text !== undefined) this.#refuse(entry, text, `it must be ${choices?.filter(Boolean).join(" or ")}`);
    return typeof entry.default === "string" ? entry.default : undefined;
  }

  /** One of the choices of the entry, which the caller names once more for their type. */
  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice {
    const text = this.optionalText(key);
    return choices.find((one) => one === text) ?? this.#fault(key, `one of ${choices.join(", ")}`);
  }

  names(key: string): readonly string[] {
    return readNames(this.#text(this.#entry(key)) ?? "");
  }

  /** By index; empty items are left out. */
  list(key: string): readonly string[] {
    return this.#items(key).filter((text) => text !== "");
  }

  /** One list per name. */
  lists(key: string): { readonly [name: string]: readonly string[] } {
    const names = new Set(this.#below(key).map(([rest]) => rest.split(".")[0] ?? ""));
    return Object.fromEntries([...names].map((name) => [name, this.#items(`${key}.${name}`)]));
  }

  /** The default with what is set over it; `key` ends in `.*`. */
  block(key: string): { readonly [name: string]: string } {
    const usual = Object.entries((this.#entry(key).default ?? {}) as { [name: string]: unknown });
    const given = this.#below(key.slice(0, -2));
    const all = [...usual.map(([name, value]) => [name, String(value)] as const), ...given];
    return Object.fromEntries(all);
  }

  /** For a value that only its user can judge. */
  refuse(key: string, why: string): void {
    const entry = this.#entry(key);
    this.#refuse(entry, this.#values.get(key)?.text ?? "", why);
  }

  /** As `refuse`, for one of a list's texts; where `text` is absent for the whole list, whose texts are not shown. */
  refuseItem(list: string, text: string | undefined, why: string): void {
    const [item = ""] = this.#below(list).find(([, one]) => text === undefined || one === text) ?? [];
    this.#refuse({ key: `${list}.${item}`, secret: text === undefined }, text ?? "", why);
  }

  #items(key: string): readonly string[] {
    return this.#below(key)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, text]) => text);
  }

  #below(key: string): (readonly [string, string])[] {
    return [...this.#values].flatMap(([name, { text }]) =>
      name.startsWith(`${key}.`) && text !== null ? [[name.slice(key.length + 1), text] as const] : [],
    );
  }

  #entry(key: string): SettingEntry {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Error(`openwhisk-config/settings.json has no ${key}`);
    return entry;
  }

  #text(entry: SettingEntry): string | undefined {
    const text = this.#values.get(entry.key)?.text ?? undefined;
    if (text === undefined && entry.required === true) {
      this.problems.push(`${variableOf(entry.key)} is not set, and is needed. ${entry.meaning}`);
    }
    return text;
  }

  #refuse({ key, secret }: Pick<SettingEntry, "key" | "secret">, text: string, why: string): void {
    const origin = this.#values.get(key)?.origin ?? variableOf(key);
    this.problems.push(`${placeOf(key, origin)}${secret === true ? "" : ` is '${text}'`}: ${why}`);
  }

  #fault(key: string, what: string): never {
    throw new Error(`openwhisk-config/settings.json has no default for ${key}: it needs ${what}`);
  }
}

function numberOf({ type, unit }: SettingEntry, text: string): number | undefined {
  if (type === "duration") return readDurationMs(text);
  if (type === "size") {
    const bytes = readSizeBytes(text);
    return bytes === undefined || unit !== "MB" ? bytes : bytes / bytesPerMB;
  }
  const value = readNumber(text);
  return type === "integer" && !Number.isSafeInteger(value) ? undefined : value;
}

function shapeOf({ type }: SettingEntry): string {
  return type in shapes ? shapes[type as keyof typeof shapes] : "it cannot be read";
}

function boundProblem(entry: SettingEntry, value: number): string | undefined {
  const { type, least = 0, above, infinite, unit = "" } = entry;
  const most = entry.most ?? (type === "duration" ? longestMs : undefined);
  if (value === Number.POSITIVE_INFINITY) return infinite === true ? undefined : "it must be finite";
  if (value < least) return `it must be at least ${least}${unit}`;
  if (above !== undefined && value <= above) return `it must be above ${above}${unit}`;
  return most !== undefined && value > most ? `it must be at most ${most}${unit}` : undefined;
}

/** A field that is there only if it has a value. */
export function optional<Name extends string, Of>(
  name: Name,
  value: Of | undefined,
): { readonly [one in Name]?: Of } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [one in Name]: Of });
}
