// The settings of this project, read from openwhisk-config/settings.json where each is explained.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One entry of settings.json. Sizes are in the entry's unit, durations too. */
export interface SettingEntry {
  readonly key: string;
  readonly type: "integer" | "size" | "duration" | "boolean" | "string" | "number";
  readonly unit?: "ms" | "B" | "MB";
  readonly default: number | boolean | string | null;
  readonly meaning: string;
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

/** All entries by key. */
export function settingEntries(): ReadonlyMap<string, SettingEntry> {
  const file = readConfigFile("settings.json") as { readonly settings: readonly SettingEntry[] };
  return new Map(file.settings.map((entry) => [entry.key, entry]));
}

/** Gives the default of a key as a number; an absent one is a fault of the installation and throws. */
export function numberDefaults(): (key: string) => number {
  const entries = settingEntries();
  return (key) => {
    const value = entries.get(key)?.default;
    if (typeof value !== "number") {
      throw new Error(`openwhisk-config/settings.json has no number for ${key}`);
    }
    return value;
  };
}

/** The defaults of settings.json. */
export function defaultLimits(): SharedLimits {
  const number = numberDefaults();
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
