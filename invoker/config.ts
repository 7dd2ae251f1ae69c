// The invoker's settings, named and bounded as in OpenWhisk.

import { defaultPoolSettings, type PoolSettings } from "../pool/index.ts";

/** Smallest and largest value that an action's limit may have, and what stands for a missing one. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly std: number;
}

/** Which records of activations are kept (`whisk.activation.store-…-result-level`). */
export type StoreLevel = "STORE_ALWAYS" | "STORE_FAILURES" | "STORE_FAILURES_NOT_APPLICATION_ERRORS";

export interface InvokerSettings {
  /** The id in `invoker<N>`. */
  readonly instance: number;
  readonly uniqueName?: string;
  readonly displayedName?: string;
  /** `whisk.kafka.topics.prefix` */
  readonly topicPrefix: string;
  readonly pool: PoolSettings;
  /** `whisk.time-limit`, `whisk.memory`, `whisk.log-limit`, `whisk.concurrency-limit`. */
  readonly timeoutMs: Range;
  readonly memoryMB: Range;
  readonly logsMB: Range;
  readonly concurrency: Range;
  /** `whisk.activation.payload.max`: the longest result. */
  readonly payloadBytes: number;
  /** `whisk.activation.payload.truncation`: how much of a longer one is shown. */
  readonly truncationBytes: number;
  readonly storeBlocking: StoreLevel;
  readonly storeNonBlocking: StoreLevel;
  /** What `<family>:default` stands for. */
  readonly defaultKinds: { readonly [family: string]: string };
  /** `trace` to `fatal`, or `silent`. */
  readonly logLevel: string;
}

/** OpenWhisk's defaults. */
export const defaultInvokerSettings: InvokerSettings = {
  instance: 0,
  topicPrefix: "",
  pool: defaultPoolSettings,
  timeoutMs: { min: 100, max: 300_000, std: 60_000 },
  memoryMB: { min: 128, max: 512, std: 256 },
  logsMB: { min: 0, max: 10, std: 10 },
  concurrency: { min: 1, max: 1, std: 1 },
  payloadBytes: 1_048_576,
  truncationBytes: 1_048_576,
  storeBlocking: "STORE_ALWAYS",
  storeNonBlocking: "STORE_ALWAYS",
  defaultKinds: { nodejs: "nodejs:20", python: "python:3" },
  logLevel: "info",
};

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
