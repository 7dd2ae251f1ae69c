// The triggers collection: create, update, get, delete, list, and fire, which invokes the actions of active rules.

import type { Json } from "../invoker/index.ts";
import { requireActionsReadable, requireOwner } from "./access.ts";
import {
  entityBase,
  entityForCaller,
  findReplaced,
  listEntities,
  readEntityName,
  requireEntity,
} from "./collection.ts";
import { ApiError, methodNotAllowed, texts } from "./errors.ts";
import { newActivationId } from "./ids.ts";
import { entityId, isEntityName, type QualifiedName } from "./names.ts";
import { argumentsOf, parameterValue } from "./parameters.ts";
import { readPutFields } from "./put-fields.ts";
import { type ApiRequest, ok, type Reply, readFlag, readObject, readPayload } from "./request.ts";
import { resolveAction } from "./resolve.ts";
import type { Services } from "./services.ts";
import type { TriggerDocument } from "./store/entity-documents.ts";
import { recordDocument } from "./store/records.ts";

const entityMethods = ["PUT", "GET", "DELETE", "POST"] as const;

/** Answers `.../triggers` and below. */
export async function triggersApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  const simpleName = readEntityName(request, segments);
  if (simpleName === undefined) {
    requireOwner(request.user, namespace, namespace);
    return await listEntities(services, request, { type: "trigger", path: namespace });
  }
  const name = { path: namespace, name: simpleName };
  if (request.method === "POST") {
    services.throttle.fire(request.user);
  }
  requireOwner(request.user, namespace, entityId(name));
  if (request.method === "PUT") {
    return await put(services, request, name);
  }
  const trigger = await requireEntity(services.entities, "trigger", name);
  switch (request.method) {
    case "GET":
      return ok(entityForCaller(trigger));
    case "DELETE":
      await services.entities.remove(trigger);
      return ok(entityForCaller(trigger));
    case "POST":
      return fire(services, request, trigger);
    default:
      throw methodNotAllowed(entityMethods);
  }
}

async function put(services: Services, request: ApiRequest, name: QualifiedName): Promise<Reply> {
  const { entities, settings } = services;
  const overwrite = readFlag(request.query, "overwrite", false);
  const asked = readPutFields(readObject(request), request.user, settings);
  const before = await findReplaced(entities, "trigger", { name, overwrite });
  const feed = parameterValue(asked.annotations ?? [], "feed");
  if (before === undefined && feed !== undefined && !isFeedName(feed)) {
    throw new ApiError(400, texts.feedIllegal);
  }
  const trigger: TriggerDocument = {
    ...entityBase(name, asked, before),
    parameters: asked.parameters ?? before?.parameters ?? [],
    limits: {},
    rules: before?.rules ?? {},
    entityType: "trigger",
  };
  return ok(entityForCaller(await entities.put(trigger)));
}

function isFeedName(value: Json): boolean {
  return typeof value === "string" && value.replace(/^\//, "").split("/").every(isEntityName);
}

/** 202 with the id of the trigger's own activation, or 204 when no rule is active. */
function fire(services: Services, request: ApiRequest, trigger: TriggerDocument): Reply {
  const payload = readPayload(request);
  const rules = Object.entries(trigger.rules);
  if (!rules.some(([, rule]) => rule.status === "active")) {
    return { status: 204 };
  }
  const activationId = newActivationId();
  const start = Date.now();
  const { user } = request;
  services.records.expect(user.namespace.name, activationId);
  const recorded = Promise.all(
    rules.map(([rule, link]) =>
      activateRule(services, request, { rule, ...link }, argumentsOf(trigger.parameters, payload).content),
    ),
  ).then((results) => {
    const record = {
      namespace: user.namespace.name,
      name: trigger.name,
      subject: user.subject,
      activationId,
      start,
      end: 0,
      response: { statusCode: 0, result: payload ?? {} },
      logs: results.map((result) => JSON.stringify(result)),
      version: trigger.version,
      publish: false,
      annotations: [],
    } as const;
    return services.records.store(recordDocument(record, Date.now()));
  });
  services.background.track(`trigger ${activationId}`, recorded);
  return { status: 202, headers: { "x-openwhisk-activation-id": activationId }, body: { activationId } };
}

/** Invokes the action of one rule; what comes of that is a line in the trigger's log. */
async function activateRule(
  services: Services,
  request: ApiRequest,
  link: { readonly rule: string; readonly action: QualifiedName; readonly status: string },
  payload: Json,
): Promise<{ readonly [field: string]: unknown }> {
  const about = { rule: link.rule, action: entityId(link.action) };
  const failed = (statusCode: 1 | 3, error: string) => ({ statusCode, success: false, ...about, error });
  if (link.status !== "active") {
    return failed(1, `Rule '${about.rule}' is inactive, action '${about.action}' was not activated.`);
  }
  const { user, transid } = request;
  try {
    services.throttle.invocation(user);
    await requireActionsReadable(services.entities, user, [link.action]);
    const action = await resolveAction(services.entities, link.action);
    if (action === undefined) {
      return failed(1, texts.notFound);
    }
    const { activationId } = await services.runner.invoke({
      user,
      transid,
      action,
      payload,
      waitMs: undefined,
    });
    return { statusCode: 0, success: true, activationId, ...about };
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) {
      return failed(1, error.message);
    }
    services.onFault(`rule ${about.rule}`, error);
    return failed(3, texts.internal);
  }
}
