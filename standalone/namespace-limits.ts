// What holds for a namespace: its own limits, and the usual ones where it has none.

import type { Identity, JsonObject, Range } from "../invoker/index.ts";
import { requireOwner } from "./access.ts";
import { requireGet } from "./collection.ts";
import { ApiError, texts } from "./errors.ts";
import { type ApiRequest, ok, type Reply } from "./request.ts";
import type { Services } from "./services.ts";
import type { ControllerSettings } from "./settings.ts";

/** Answers `.../limits`. */
export async function namespaceLimitsApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  requireGet(request);
  if (segments.some((segment) => segment !== "")) {
    throw new ApiError(400, texts.limitsTogether);
  }
  requireOwner(request.user, namespace, namespace);
  return ok(namespaceLimits(request.user, services.settings));
}

/** By stock's names (common/scala entity/Identity.scala, UserLimits): of actions in megabytes and milliseconds. */
export function namespaceLimits(
  { limits }: Pick<Identity, "limits">,
  settings: Pick<
    ControllerSettings,
    "concurrentInvocations" | "parameterBytes" | "memoryMB" | "logsMB" | "timeoutMs" | "concurrency"
  >,
): JsonObject {
  const own = (name: string, usual: number): number => {
    const limit = limits[name];
    return typeof limit === "number" ? limit : usual;
  };
  const ofActions = (what: string, { min, max }: Range): JsonObject => ({
    [`minAction${what}`]: Math.max(own(`minAction${what}`, min), min),
    [`maxAction${what}`]: Math.min(own(`maxAction${what}`, max), max),
  });
  return {
    ...limits,
    concurrentInvocations: own("concurrentInvocations", settings.concurrentInvocations),
    ...ofActions("Memory", settings.memoryMB),
    ...ofActions("Logs", settings.logsMB),
    ...ofActions("Timeout", settings.timeoutMs),
    ...ofActions("Concurrency", settings.concurrency),
    maxParameterSize: `${settings.parameterBytes} B`,
  };
}
