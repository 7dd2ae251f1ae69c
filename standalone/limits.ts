// Limits of actions: what a request may set, and the texts that refuse what is outside; how large parameters may be.

import {
  type ActionLimits,
  ExactNumber,
  isJsonObject,
  type Json,
  type JsonObject,
  limitViolation,
  type SharedLimits,
  sizeBytes,
} from "../invoker/index.ts";
import { ApiError, malformed } from "./errors.ts";
import type { ControllerSettings } from "./settings.ts";

/**
 * The limits of an action after a request that sets some of them: absent ones stay as they `are`, or become the usual
 * ones for a new action. ApiError 400 with OpenWhisk's text when one is malformed or outside what the namespace's `own`
 * limits and the system's allow.
 */
export function readLimits(
  value: unknown,
  are: ActionLimits | undefined,
  own: JsonObject,
  settings: SharedLimits,
): ActionLimits {
  if (value !== undefined && !isJsonObject(value)) {
    throw malformed("Object expected in field 'limits'");
  }
  const asked = value ?? {};
  const limits = {
    timeout: whole(asked.timeout, "time") ?? are?.timeout ?? settings.timeoutMs.std,
    memory: whole(asked.memory, "memory") ?? are?.memory ?? settings.memoryMB.std,
    logs: whole(asked.logs, "log") ?? are?.logs ?? settings.logsMB.std,
    concurrency: whole(asked.concurrency, "concurrency") ?? are?.concurrency ?? settings.concurrency.std,
  };
  const violation = limitViolation(limits, own, { ...settings, namespaceDefaults: {} });
  if (violation !== undefined) {
    throw new ApiError(400, violation);
  }
  return limits;
}

function whole(asked: Json | undefined, what: string): number | undefined {
  if (asked === undefined || asked === null) {
    return undefined;
  }
  const value = asked instanceof ExactNumber ? asked.toJSON() : asked;
  if (typeof value !== "number") {
    throw malformed(`${what} limit malformed`);
  }
  if (!Number.isSafeInteger(value)) {
    throw malformed(`${what} limit must be whole number`);
  }
  return value;
}

/**
 * How large the parameters of an entity may be, and its annotations: what the namespace's `own` limits say, but never beyond
 * what the system allows (common/scala entity/Identity.scala, allowedMaxParameterSize).
 */
export function parameterBytesMax(
  own: JsonObject,
  { parameterBytes }: Pick<ControllerSettings, "parameterBytes">,
): number {
  return Math.min(sizeBytes(own.maxParameterSize) ?? parameterBytes, parameterBytes);
}
