// Whether a namespace may run an action with such limits.

import type { SharedLimits } from "./config/entries.ts";
import type { ActionLimits } from "./wire/documents.ts";
import type { JsonObject } from "./wire/json.ts";

/** What holds for namespaces whose identity says nothing else; what is absent is as for the whole system. */
export interface NamespaceDefaults {
  readonly timeoutMs?: Bounds;
  readonly memoryMB?: Bounds;
  readonly logsMB?: Bounds;
  readonly concurrency?: Bounds;
  /** `activation.payload.max` and `.truncation`. */
  readonly payloadBytes?: number;
  readonly truncationBytes?: number;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export interface LimitSettings extends SharedLimits {
  /** `whisk.namespace-default-limit` */
  readonly namespaceDefaults: NamespaceDefaults;
}

/** The limits of an action with the defaults filled in: older documents lack some. */
export function completeLimits(limits: Partial<ActionLimits>, settings: SharedLimits): ActionLimits {
  return {
    timeout: limits.timeout ?? settings.timeoutMs.std,
    memory: limits.memory ?? settings.memoryMB.std,
    logs: limits.logs ?? settings.logsMB.std,
    concurrency: limits.concurrency ?? settings.concurrency.std,
    ...(limits.instances === undefined ? {} : { instances: limits.instances }),
  };
}

type LimitName = "timeoutMs" | "memoryMB" | "concurrency" | "logsMB";

interface Check {
  readonly is: number;
  readonly limit: LimitName;
  /** In the identity's `minAction…` and `maxAction…`. */
  readonly user: "Timeout" | "Memory" | "Concurrency" | "Logs";
  readonly what: string;
  readonly unit: string;
}

/** What the caller is told about the first limit that the user or the system does not allow; undefined if there is none. */
export function limitViolation(
  { timeout, memory, concurrency, logs }: ActionLimits,
  user: JsonObject,
  settings: LimitSettings,
): string | undefined {
  const checks: readonly Check[] = [
    { is: timeout, limit: "timeoutMs", user: "Timeout", what: "duration", unit: " milliseconds" },
    { is: memory, limit: "memoryMB", user: "Memory", what: "memory size", unit: " MB" },
    { is: concurrency, limit: "concurrency", user: "Concurrency", what: "concurrency", unit: "" },
    { is: logs, limit: "logsMB", user: "Logs", what: "log size", unit: " MB" },
  ];
  for (const { is, limit, user: name, what, unit } of checks) {
    const system = settings[limit];
    const usual = { ...system, ...settings.namespaceDefaults[limit] };
    const max = Math.min(numberOr(user[`maxAction${name}`], usual.max), system.max);
    const min = Math.max(numberOr(user[`minAction${name}`], usual.min), system.min);
    if (is > max) return `${what} ${is}${unit} exceeds allowed threshold of ${max}${unit}`;
    if (is < min) return `${what} ${is}${unit} below allowed threshold of ${min}${unit}`;
  }
  return undefined;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
