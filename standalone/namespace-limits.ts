// What holds for a namespace: its own limits, and the usual ones where it has none.

import { type Identity, type Json, type JsonObject, type Range, sizeBytes } from "../invoker/index.ts";
import { requireOwner } from "./access.ts";
import { requireGet } from "./collection.ts";
import { ApiError, texts } from "./errors.ts";
import { parameterBytesMax } from "./limits.ts";
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
    maxParameterSize: sizeText(limits.maxParameterSize, parameterBytesMax(limits, settings)),
  };
}

/** As stock writes sizes: in the unit in which it was `given`. */
function sizeText(given: Json | undefined, bytes: number): string {
  if (typeof given !== "string" || sizeBytes(given) !== bytes) return `${bytes} B`;
  const [, digits, unit = ""] = /(\d+)\s?([KMG]?)/i.exec(given) ?? [];
  return `${Number(digits)} ${unit.toUpperCase()}B`;
}
