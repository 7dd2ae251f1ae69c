// Whether a namespace may run an action with such limits.

import type { Range, SharedLimits } from "./settings.ts";
import type { ActionLimits } from "./wire/documents.ts";
import type { JsonObject } from "./wire/json.ts";

/** The limits of an action with the defaults filled in: older documents lack some. */
export function completeLimits(limits: Partial<ActionLimits>, settings: SharedLimits): ActionLimits {
  return {
    timeout: limits.timeout ?? settings.timeoutMs.std,
    memory: limits.memory ?? settings.memoryMB.std,
    logs: limits.logs ?? settings.logsMB.std,
    concurrency: limits.concurrency ?? settings.concurrency.std,
  };
}

interface Check {
  readonly is: number;
  readonly range: Range;
  readonly user: "Timeout" | "Memory" | "Concurrency" | "Logs";
  readonly what: string;
  readonly unit: string;
}

/** What the caller is told about the first limit that the user or the system does not allow; undefined if there is none. */
export function limitViolation(
  limits: ActionLimits,
  user: JsonObject,
  settings: SharedLimits,
): string | undefined {
  const checks: readonly Check[] = [
    {
      is: limits.timeout,
      range: settings.timeoutMs,
      user: "Timeout",
      what: "duration",
      unit: " milliseconds",
    },
    { is: limits.memory, range: settings.memoryMB, user: "Memory", what: "memory size", unit: " MB" },
    {
      is: limits.concurrency,
      range: settings.concurrency,
      user: "Concurrency",
      what: "concurrency",
      unit: "",
    },
    { is: limits.logs, range: settings.logsMB, user: "Logs", what: "log size", unit: " MB" },
  ];
  for (const { is, range, user: name, what, unit } of checks) {
    const max = Math.min(numberOr(user[`maxAction${name}`], range.max), range.max);
    const min = Math.max(numberOr(user[`minAction${name}`], range.min), range.min);
    if (is > max) return `${what} ${is}${unit} exceeds allowed threshold of ${max}${unit}`;
    if (is < min) return `${what} ${is}${unit} below allowed threshold of ${min}${unit}`;
  }
  return undefined;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
