// Invoking an action through the API: reading the request, checking it, and turning the outcome into a reply.

import type { Json } from "../invoker/index.ts";
import { requireActionsReadable } from "./access.ts";
import { recordForCaller } from "./activations.ts";
import { ApiError, entityTooLarge, malformedQuery, texts } from "./errors.ts";
import { refuseDeprecated } from "./exec.ts";
import { readQualifiedName } from "./names.ts";
import { overridesFinal } from "./parameters.ts";
import { type ApiRequest, type Reply, readFlag, readPayload } from "./request.ts";
import type { ResolvedAction } from "./resolve.ts";
import type { Services } from "./services.ts";

/** How to invoke, as query and body say. */
export interface InvocationRequest {
  readonly blocking: boolean;
  readonly resultOnly: boolean;
  readonly waitMs: number;
  readonly payload: Json | undefined;
}

/** Reads it. ApiError 400 or 413 when it cannot be read or is too large. */
export function readInvocation(services: Services, request: ApiRequest): InvocationRequest {
  const { settings } = services;
  if (request.body.length > settings.payloadBytes) {
    throw entityTooLarge("Request", request.body.length, settings.payloadBytes);
  }
  const timeout = request.query.get("timeout");
  const waitMs = timeout === null ? settings.blockingWaitMs : Number(timeout);
  if (!(Number.isInteger(waitMs) && waitMs > 0 && waitMs <= settings.blockingWaitMs)) {
    throw malformedQuery(
      "timeout",
      `Timeout must be number of milliseconds up to ${settings.blockingWaitMs}.`,
    );
  }
  return {
    blocking: readFlag(request.query, "blocking", false),
    resultOnly: readFlag(request.query, "result", false),
    waitMs,
    payload: readPayload(request),
  };
}

const httpStatus = [200, 502, 502, 500] as const;

/** Invokes the action: 200, 502 or 500 with its outcome, 202 when there is none yet or nobody waits for it. */
export async function invokeAction(
  services: Services,
  request: ApiRequest,
  action: ResolvedAction,
): Promise<Reply> {
  const { user, transid } = request;
  const { blocking, resultOnly, waitMs, payload } = readInvocation(services, request);
  const { exec } = action.document;
  if ("components" in exec) {
    const components = exec.components.map((component) => readQualifiedName(component, user.namespace.name));
    await requireActionsReadable(services.entities, user, components);
  } else if (services.manifest.resolve(exec.kind)?.deprecated === true) {
    throw refuseDeprecated(exec.kind);
  }
  if (overridesFinal(action.document.annotations, action.parameters, payload)) {
    throw new ApiError(400, texts.parametersNotAllowed);
  }
  const { activationId, record } = await services.runner.invoke({
    user,
    transid,
    action,
    payload,
    waitMs: blocking ? waitMs : undefined,
  });
  const headers = { "x-openwhisk-activation-id": activationId };
  if (record === undefined) {
    return { status: 202, headers, body: { activationId } };
  }
  return {
    status: httpStatus[record.response.statusCode],
    headers,
    body: resultOnly ? (record.response.result ?? {}) : recordForCaller(record),
  };
}
