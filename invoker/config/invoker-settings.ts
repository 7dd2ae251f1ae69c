// The invoker's settings, named and bounded as in OpenWhisk.

import {
  defaultPoolSettings,
  type LibrarySet,
  type PoolSettings,
  type RewindPolicy,
  rewindPolicies,
} from "../../pool/index.ts";
import { choiceDefault, defaultLimits, numberDefaults, type SharedLimits } from "./entries.ts";
import { defaultWireSettings, type WireSettings } from "./wire-settings.ts";

/** Which records of activations are kept (`whisk.activation.store-…-result-level`). */
export type StoreLevel = (typeof storeLevels)[number];
export const storeLevels = [
  "STORE_ALWAYS",
  "STORE_FAILURES",
  "STORE_FAILURES_NOT_APPLICATION_ERRORS",
] as const;

export interface InvokerSettings extends SharedLimits, WireSettings {
  /** The id in `invoker<N>`. */
  readonly instance: number;
  readonly uniqueName?: string;
  readonly displayedName?: string;
  /** `whisk.kafka.topics.prefix` */
  readonly topicPrefix: string;
  readonly pool: PoolSettings;
  /** `whisk.container-pool.concurrent-peek-factor` */
  readonly peekFactor: number;
  /** `whisk.activation.payload.truncation`: how much of a longer one is shown. */
  readonly truncationBytes: number;
  readonly storeBlocking: StoreLevel;
  readonly storeNonBlocking: StoreLevel;
  /** What `<family>:default` stands for. */
  readonly defaultKinds: { readonly [family: string]: string };
  /** `trace` to `fatal`, or `silent`. */
  readonly logLevel: string;
}

/** Below it a machine would do little else than start containers. */
const shortestAgeMs = 10_000;

/** A look takes a fraction of a millisecond. */
const shortestLookMs = 100;

/** The standalone server's defaults, from openwhisk-config/settings.json. */
export function defaultInvokerSettings(): InvokerSettings {
  const number = numberDefaults();
  return invokerSettings({
    limits: defaultLimits(number),
    number,
    rewind: choiceDefault("rewhisk.rewind", rewindPolicies),
    boots: defaultPoolSettings.boots,
    sharesLevels: defaultPoolSettings.sharesLevels,
    predicts: defaultPoolSettings.predicts,
    libraries: defaultPoolSettings.libraries,
    idleMs: defaultPoolSettings.idleMs,
  });
}

/** An invoker's settings of which the numbers come from anywhere. */
export function invokerSettings({
  limits,
  number,
  rewind,
  boots,
  sharesLevels,
  predicts,
  libraries,
  idleMs,
}: {
  readonly limits: SharedLimits;
  /** Gives the value of a key of settings.json, in its unit. */
  readonly number: (key: string) => number;
  readonly rewind: RewindPolicy;
  readonly boots: boolean;
  readonly sharesLevels: boolean;
  readonly predicts: boolean;
  readonly libraries: readonly LibrarySet[];
  readonly idleMs: number;
}): InvokerSettings {
  return {
    ...limits,
    ...defaultWireSettings,
    instance: 0,
    topicPrefix: "",
    pool: {
      ...defaultPoolSettings,
      userMemoryMB: number("whisk.container-pool.user-memory"),
      usesBeforeRetirement: Math.max(1, number("rewhisk.retirement.uses")),
      ageBeforeRetirementMs: Math.max(shortestAgeMs, number("rewhisk.retirement.age")),
      levelMemoryMB: number("rewhisk.action-checkpoints.memory"),
      levelInitMs: number("rewhisk.action-checkpoints.init"),
      leastMemoryMB: number("rewhisk.memory-pressure.available"),
      memoryLookMs: Math.max(shortestLookMs, number("rewhisk.memory-pressure.interval")),
      learntMemoryMB: number("rewhisk.learnt-libraries.memory"),
      rewind,
      boots,
      sharesLevels,
      predicts,
      libraries,
      idleMs,
    },
    peekFactor: number("whisk.container-pool.concurrent-peek-factor"),
    truncationBytes: number("whisk.activation.payload.truncation"),
    storeBlocking: "STORE_ALWAYS",
    storeNonBlocking: "STORE_ALWAYS",
    defaultKinds: { nodejs: "nodejs:20", python: "python:3", ruby: "ruby:3" },
    logLevel: "info",
  };
}

/** Messages under way at a time: stock's maxPeek, from as many containers as the smallest actions have room. */
export function feedCapacity({ pool, memoryMB, concurrency, peekFactor }: InvokerSettings): number {
  const containers = Math.floor(pool.userMemoryMB / memoryMB.min);
  return Math.max(1, containers, Math.floor(containers * concurrency.max * peekFactor));
}

const units: { readonly [unit: string]: number } = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes of a size text such as `1 MB`; undefined where it is none. */
export function sizeBytes(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const [, digits, unit] = /^\s?(\d+)\s?(GB|MB|KB|B|G|M|K)\s?$/i.exec(text) ?? [];
  const factor = units[unit?.[0]?.toUpperCase() ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
