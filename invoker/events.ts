// User events: what metric consumers are told of activations and of namespaces, as stock tells it.

import { isJsonObject, type Json } from "./wire/json.ts";
import type { ActivationRecord, Identity } from "./wire/messages.ts";

/** For a status code of the action's own that is none. */
const badRequest = 400;

/** Who tells (`invoker0`, `controller0`), of whose activation or namespace, and when (epoch milliseconds). */
export interface EventOrigin {
  readonly source: string;
  readonly user: Identity;
  readonly nowMs: number;
}

/** The text of an `Activation` event: an invoker sends it when the activation's slot is freed, a controller for its own records. */
export function activationEvent(
  origin: EventOrigin,
  record: Pick<ActivationRecord, "activationId" | "response" | "annotations"> & {
    readonly duration?: number;
  },
): string {
  const { activationId, duration = 0, response } = record;
  const annotation = (key: string): Json | undefined =>
    record.annotations.find((entry) => entry.key === key)?.value;
  const limits = annotation("limits");
  const body = {
    name: annotation("path"),
    activationId,
    statusCode: response.statusCode,
    duration,
    waitTime: annotation("waitTime") ?? 0,
    initTime: annotation("initTime") ?? 0,
    kind: annotation("kind"),
    conductor: annotation("conductor") ?? false,
    memory: isJsonObject(limits) ? limits.memory : 0,
    causedBy: annotation("causedBy"),
    size: response.size,
    userDefinedStatusCode: ownStatusCode(response.result),
  };
  return eventText(origin, "Activation", body);
}

/** Of a namespace: how many of its activations are under way with a new one, or that one was refused for a limit. */
export type MetricName = "ConcurrentInvocations" | "ConcurrentRateLimit" | "TimedRateLimit";

/** The text of a `Metric` event, which controllers send. */
export function metricEvent(origin: EventOrigin, metricName: MetricName, metricValue: number): string {
  return eventText(origin, "Metric", { metricName, metricValue });
}

function eventText({ source, user, nowMs }: EventOrigin, eventType: string, body: object): string {
  const { subject, namespace } = user;
  const { name, uuid } = namespace;
  return JSON.stringify({
    source,
    body,
    subject,
    namespace: name,
    userId: uuid,
    eventType,
    timestamp: nowMs,
  });
}

/** `error.statusCode` of the result, else `statusCode`; undefined where it has none. */
function ownStatusCode(result: Json | undefined): number | undefined {
  if (!isJsonObject(result)) return undefined;
  const { error } = result;
  const holder = isJsonObject(error) && Object.hasOwn(error, "statusCode") ? error : result;
  if (!Object.hasOwn(holder, "statusCode")) return undefined;
  const { statusCode } = holder;
  return typeof statusCode === "number" && Number.isInteger(statusCode) ? statusCode : badRequest;
}
