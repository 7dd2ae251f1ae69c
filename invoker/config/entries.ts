// The settings this project knows, read from openwhisk-config/settings.json where each is explained.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How the value of a key is written: `names` between commas, a `list` by index, `lists` one list per name, a `block` of free keys. */
export type SettingType =
  | "integer"
  | "number"
  | "size"
  | "duration"
  | "boolean"
  | "string"
  | "class"
  | "names"
  | "list"
  | "lists"
  | "block";

interface Key {
  /** OpenWhisk's own, in capitals for a variable; one that ends in `.*` stands for all below it. */
  readonly key: string;
  /** A variable of the environment that sets it as well; the CONFIG_ variable wins. */
  readonly variable?: string;
}

/** A key that is heeded. Sizes and durations are in the entry's unit. */
export interface SettingEntry extends Key {
  readonly type: SettingType;
  readonly unit?: "ms" | "B" | "MB";
  readonly default:
    | number
    | boolean
    | string
    | null
    | readonly string[]
    | { readonly [key: string]: number | boolean | string };
  /** The default of the standalone server, where it is another one. */
  readonly standalone?: number;
  readonly meaning: string;
  /** Only the standalone server's controller heeds it. */
  readonly here?: "standalone";
  readonly required?: boolean;
  readonly least?: number;
  /** As `least`, but the bound itself is no value. */
  readonly above?: number;
  readonly most?: number;
  readonly infinite?: boolean;
  readonly secret?: boolean;
  readonly choices?: readonly string[];
  /** The choices, which are in capitals, may be written in any case. */
  readonly anyCase?: boolean;
}

/** A key of stock that has no effect here. */
export interface IgnoredEntry extends Key {
  readonly here: "not applicable";
  readonly reason: string;
}

/** Smallest, largest and usual value of one limit of actions. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly std: number;
}

/** What controllers and invokers enforce alike. */
export interface SharedLimits {
  /** `whisk.time-limit`, `whisk.memory`, `whisk.log-limit`, `whisk.concurrency-limit`. */
  readonly timeoutMs: Range;
  readonly memoryMB: Range;
  readonly logsMB: Range;
  readonly concurrency: Range;
  /** `whisk.activation.payload.max`: the longest arguments, the longest result. */
  readonly payloadBytes: number;
}

/** The folder that holds package.json, wherever the compiled code lies below it. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new Error("package.json is in no folder above the program: the installation is incomplete");
    }
    folder = parent;
  }
  return folder;
}

/** A file below openwhisk-config/, parsed. */
export function readConfigFile(name: string): unknown {
  return JSON.parse(readFileSync(join(projectFolder(), "openwhisk-config", name), "utf8"));
}

/** All of settings.json, in its order. */
export function allEntries(): readonly (SettingEntry | IgnoredEntry)[] {
  const file = readConfigFile("settings.json") as {
    readonly settings: readonly (SettingEntry | IgnoredEntry)[];
  };
  return file.settings;
}

/** The entries that are heeded, by key. */
export function settingEntries(): ReadonlyMap<string, SettingEntry> {
  return new Map(allEntries().flatMap((entry) => ("type" in entry ? [[entry.key, entry]] : [])));
}

/** The variable that sets a key. */
export function variableOf(key: string): string {
  if (/^[A-Z_]+$/.test(key)) return key;
  const camel = (part: string): string =>
    part.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `CONFIG_${key.split(".").map(camel).join("_")}`;
}

/** Gives the standalone server's default of a key; an absent one is a fault of the installation and throws. */
export function numberDefaults(): (key: string) => number {
  const entries = settingEntries();
  return (key) => {
    const entry = entries.get(key);
    const value = entry?.standalone ?? entry?.default;
    if (typeof value !== "number") {
      throw new Error(`openwhisk-config/settings.json has no number for ${key}`);
    }
    return value;
  };
}

/** The default of a key that is one of `choices`; anything else is a fault of the installation and throws. */
export function choiceDefault<Choice extends string>(key: string, choices: readonly Choice[]): Choice {
  const value = settingEntries().get(key)?.default;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) {
    throw new Error(`openwhisk-config/settings.json has none of ${choices.join(", ")} for ${key}`);
  }
  return choice;
}

/** The limits that `number` gives, by default those of settings.json. */
export function defaultLimits(number: (key: string) => number = numberDefaults()): SharedLimits {
  const range = (key: string): Range => ({
    min: number(`${key}.min`),
    max: number(`${key}.max`),
    std: number(`${key}.std`),
  });
  return {
    timeoutMs: range("whisk.time-limit"),
    memoryMB: range("whisk.memory"),
    logsMB: range("whisk.log-limit"),
    concurrency: range("whisk.concurrency-limit"),
    payloadBytes: number("whisk.activation.payload.max"),
  };
}
