// The invoker's settings, named and bounded as in OpenWhisk.

import { defaultPoolSettings, type PoolSettings } from "../pool/index.ts";
import { defaultLimits, numberDefaults, type SharedLimits } from "./settings.ts";

/** Which records of activations are kept (`whisk.activation.store-…-result-level`). */
export type StoreLevel = "STORE_ALWAYS" | "STORE_FAILURES" | "STORE_FAILURES_NOT_APPLICATION_ERRORS";

export interface InvokerSettings extends SharedLimits {
  /** The id in `invoker<N>`. */
  readonly instance: number;
  readonly uniqueName?: string;
  readonly displayedName?: string;
  /** `whisk.kafka.topics.prefix` */
  readonly topicPrefix: string;
  readonly pool: PoolSettings;
  /** `whisk.activation.payload.truncation`: how much of a longer one is shown. */
  readonly truncationBytes: number;
  readonly storeBlocking: StoreLevel;
  readonly storeNonBlocking: StoreLevel;
  /** What `<family>:default` stands for. */
  readonly defaultKinds: { readonly [family: string]: string };
  /** `trace` to `fatal`, or `silent`. */
  readonly logLevel: string;
}

/** OpenWhisk's defaults, from openwhisk-config/settings.json. */
export function defaultInvokerSettings(): InvokerSettings {
  const number = numberDefaults();
  return {
    ...defaultLimits(),
    instance: 0,
    topicPrefix: "",
    pool: { ...defaultPoolSettings, userMemoryMB: number("whisk.container-pool.user-memory") },
    truncationBytes: number("whisk.activation.payload.truncation"),
    storeBlocking: "STORE_ALWAYS",
    storeNonBlocking: "STORE_ALWAYS",
    defaultKinds: { nodejs: "nodejs:20", python: "python:3" },
    logLevel: "info",
  };
}

/** Messages under way at a time: as many as the smallest actions have room (stock's maxPeek at concurrency 1). */
export function feedCapacity(settings: InvokerSettings): number {
  return Math.max(1, Math.floor(settings.pool.userMemoryMB / settings.memoryMB.min));
}

const units: { readonly [unit: string]: number } = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes of a size text such as `1 MB`; undefined where it is none. */
export function sizeBytes(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const [, digits, unit] = /^\s?(\d+)\s?(GB|MB|KB|B|G|M|K)\s?$/i.exec(text) ?? [];
  const factor = units[unit?.[0]?.toUpperCase() ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
