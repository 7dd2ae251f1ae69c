// The settings of this project as numbers, read from openwhisk-config/settings.json where each is explained.

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

/** What the standalone controller enforces. */
export interface ControllerSettings {
  readonly timeoutMs: Range;
  readonly memoryMB: Range;
  readonly logsMB: Range;
  readonly concurrency: Range;
  readonly execBytes: number;
  readonly parameterBytes: number;
  readonly payloadBytes: number;
  readonly serdesOverheadBytes: number;
  readonly inlineCodeBytes: number;
  readonly sequenceLength: number;
  readonly concurrentInvocations: number;
  readonly blockingWaitMs: number;
  readonly loadBalancerTimeoutFactor: number;
  readonly loadBalancerTimeoutAddonMs: number;
  readonly userMemoryMB: number;
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

/** The defaults of settings.json; an absent key is a fault of the installation and throws. */
export function defaultSettings(): ControllerSettings {
  const entries = settingEntries();
  const number = (key: string): number => {
    const value = entries.get(key)?.default;
    if (typeof value !== "number") {
      throw new Error(`openwhisk-config/settings.json has no number for ${key}`);
    }
    return value;
  };
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
    execBytes: number("whisk.exec-size-limit"),
    parameterBytes: number("whisk.parameter-size-limit"),
    payloadBytes: number("whisk.activation.payload.max"),
    serdesOverheadBytes: number("whisk.activation.serdes-overhead"),
    inlineCodeBytes: number("whisk.db.max-inline-size"),
    sequenceLength: number("limits.actions.sequence.maxLength"),
    concurrentInvocations: number("limits.actions.invokes.concurrent"),
    blockingWaitMs: number("whisk.controller.activation.max-wait-for-blocking-activation"),
    loadBalancerTimeoutFactor: number("whisk.loadbalancer.timeout-factor"),
    loadBalancerTimeoutAddonMs: number("whisk.loadbalancer.timeout-addon"),
    userMemoryMB: number("whisk.container-pool.user-memory"),
  };
}
