// The rules collection: each ties a trigger to an action; whether it is active stands in the trigger.

import { requireActionsReadable, requireOwner } from "./access.ts";
import {
  entityBase,
  entityForCaller,
  findReplaced,
  listEntities,
  readEntityName,
  requireEntity,
} from "./collection.ts";
import { ApiError, malformed, methodNotAllowed, texts } from "./errors.ts";
import { entityId, type QualifiedName, readQualifiedName } from "./names.ts";
import { readPutFields } from "./put-fields.ts";
import { type ApiRequest, ok, type Reply, readFlag, readObject } from "./request.ts";
import { resolveAction } from "./resolve.ts";
import type { Services } from "./services.ts";
import type { EntityStore } from "./store/entities.ts";
import type { RuleDocument, RuleStatus, TriggerDocument } from "./store/entity-documents.ts";

const entityMethods = ["PUT", "GET", "DELETE", "POST"] as const;

/** Answers `.../rules` and below. */
export async function rulesApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  const { entities } = services;
  const simpleName = readEntityName(request, segments);
  if (simpleName === undefined) {
    requireOwner(request.user, namespace, namespace);
    return await listEntities(services, request, { type: "rule", path: namespace });
  }
  const name = { path: namespace, name: simpleName };
  requireOwner(request.user, namespace, entityId(name));
  if (request.method === "PUT") {
    return await put(services, request, name);
  }
  const wanted = request.method === "POST" ? readStatus(request) : undefined;
  const rule = await requireEntity(entities, "rule", name);
  switch (request.method) {
    case "GET":
      return ok(ruleForCaller(rule, statusIn(await triggerOf(entities, rule), rule)));
    case "DELETE":
      await unlink(entities, rule);
      await entities.remove(rule);
      return ok(ruleForCaller(rule, "inactive"));
    case "POST":
      return await setStatus(entities, rule, wanted ?? "active");
    default:
      throw methodNotAllowed(entityMethods);
  }
}

function ruleForCaller(rule: RuleDocument, status: RuleStatus): { readonly [field: string]: unknown } {
  return { ...entityForCaller(rule), status };
}

async function triggerOf(entities: EntityStore, rule: RuleDocument): Promise<TriggerDocument | undefined> {
  return await entities.get("trigger", entityId(rule.trigger));
}

function statusIn(trigger: TriggerDocument | undefined, rule: RuleDocument): RuleStatus {
  return trigger?.rules[rule._id]?.status ?? "inactive";
}

function readStatus(request: ApiRequest): RuleStatus {
  const { status } = readObject(request);
  if (status !== "active" && status !== "inactive") {
    throw malformed(`'${String(status)}' is not a recognized rule state`);
  }
  return status;
}

async function setStatus(entities: EntityStore, rule: RuleDocument, status: RuleStatus): Promise<Reply> {
  const trigger = await triggerOf(entities, rule);
  if (statusIn(trigger, rule) === status) {
    return { status: 200 };
  }
  if (trigger === undefined) {
    throw new ApiError(404, texts.ruleTriggerMissing);
  }
  await link(entities, trigger, rule, status);
  return { status: 200 };
}

async function link(
  entities: EntityStore,
  trigger: TriggerDocument,
  rule: RuleDocument,
  status: RuleStatus,
): Promise<void> {
  const rules = { ...trigger.rules, [rule._id]: { action: rule.action, status } };
  await entities.put({ ...trigger, rules, updated: Date.now() });
}

async function unlink(entities: EntityStore, rule: RuleDocument): Promise<void> {
  const trigger = await triggerOf(entities, rule);
  if (trigger?.rules[rule._id] !== undefined) {
    const { [rule._id]: _, ...rules } = trigger.rules;
    await entities.put({ ...trigger, rules, updated: Date.now() });
  }
}

async function put(services: Services, request: ApiRequest, name: QualifiedName): Promise<Reply> {
  const { entities, settings } = services;
  const overwrite = readFlag(request.query, "overwrite", false);
  const body = readObject(request);
  const asked = readPutFields(body, request.user, settings);
  const reference = (field: "trigger" | "action"): QualifiedName | undefined => {
    const value = body[field];
    return value === undefined || value === null ? undefined : readQualifiedName(value, name.path);
  };
  const given = { trigger: reference("trigger"), action: reference("action") };
  await requireReferencesReadable(services, request, given);
  const before = await findReplaced(entities, "rule", { name, overwrite });
  const triggerName = given.trigger ?? before?.trigger;
  const action = given.action ?? before?.action;
  if (triggerName === undefined || action === undefined) {
    throw new ApiError(400, texts.ruleIncomplete);
  }
  const trigger = await existing(services, triggerName, action);
  const status = before === undefined ? "active" : statusIn(await triggerOf(entities, before), before);
  const rule: RuleDocument = {
    ...entityBase(name, asked, before),
    trigger: triggerName,
    action,
    entityType: "rule",
  };
  const stored = await entities.put(rule);
  if (before !== undefined && entityId(before.trigger) !== entityId(triggerName)) {
    await unlink(entities, before);
  }
  await link(entities, trigger, rule, status);
  return ok(ruleForCaller(stored, status));
}

async function requireReferencesReadable(
  services: Services,
  request: ApiRequest,
  given: { readonly trigger: QualifiedName | undefined; readonly action: QualifiedName | undefined },
): Promise<void> {
  if (given.trigger !== undefined) {
    requireOwner(request.user, given.trigger.path, entityId(given.trigger));
  }
  if (given.action !== undefined) {
    await requireActionsReadable(services.entities, request.user, [given.action]);
  }
}

/** The trigger; ApiError 400 when it or the action does not exist. */
async function existing(
  services: Services,
  triggerName: QualifiedName,
  action: QualifiedName,
): Promise<TriggerDocument> {
  const trigger = await services.entities.get("trigger", entityId(triggerName));
  if (trigger === undefined) {
    throw new ApiError(400, `trigger /${entityId(triggerName)} does not exist`);
  }
  if ((await resolveAction(services.entities, action)) === undefined) {
    throw new ApiError(400, `action /${entityId(action)} does not exist`);
  }
  return trigger;
}
