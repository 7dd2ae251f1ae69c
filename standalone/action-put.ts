// Creating and updating an action: what the request states, what the action keeps, what the controller adds.

import type { ActionDocument, ActionLimits, KeyValue } from "../invoker/index.ts";
import { requireActionsReadable, requireKindAllowed } from "./access.ts";
import { entityBase, findReplaced } from "./collection.ts";
import { ApiError, texts } from "./errors.ts";
import { execForDocument, execForResponse, type RequestedExec, readExec, refuseDeprecated } from "./exec.ts";
import { readLimits } from "./limits.ts";
import type { QualifiedName } from "./names.ts";
import { merged, parameterValue } from "./parameters.ts";
import { type PutFields, readPutFields } from "./put-fields.ts";
import { type ApiRequest, ok, type Reply, readFlag, readObject } from "./request.ts";
import { checkComponents } from "./sequence-check.ts";
import type { Services } from "./services.ts";
import { readCode } from "./store/actions.ts";

/** What a PUT asks for; what it leaves out is undefined. */
interface ActionRequest extends PutFields {
  readonly exec: RequestedExec | undefined;
  readonly removedAnnotations: readonly string[];
  readonly limits: unknown;
}

/** Creates the action, or updates it with `?overwrite=true`; gives it back with its code. */
export async function putAction(
  services: Services,
  request: ApiRequest,
  name: QualifiedName,
): Promise<Reply> {
  const { entities, settings } = services;
  const overwrite = readFlag(request.query, "overwrite", false);
  const asked = readActionRequest(services, request);
  const own = request.user.namespace.name;
  if (asked.exec !== undefined && "components" in asked.exec) {
    await requireActionsReadable(entities, request.user, asked.exec.components);
  }
  if (asked.exec !== undefined) {
    requireKindAllowed(request.user, asked.exec.kind);
  }
  const before = await findReplaced(entities, "action", { name, overwrite });
  if (before === undefined && asked.exec === undefined) {
    throw new ApiError(400, texts.execUndefined);
  }
  if (asked.exec !== undefined && "components" in asked.exec) {
    await checkComponents(entities, name, asked.exec.components, { own, lengthMax: settings.sequenceLength });
  } else {
    refuseOldRuntime(services, asked.exec, before);
  }
  const limits = readLimits(asked.limits, before?.limits, request.user.limits, settings);
  const placed = asked.exec && execForDocument(asked.exec, settings.inlineCodeBytes);
  const document = actionDocument(name, asked, { before, limits, exec: placed?.exec });
  const stored = await entities.put(document, placed?.attachment);
  return ok(actionForCaller(stored, await readCode(entities, stored)));
}

function refuseOldRuntime(
  services: Services,
  exec: RequestedExec | undefined,
  before: ActionDocument | undefined,
): void {
  const kind = exec?.kind ?? before?.exec.kind;
  if (kind !== undefined && services.manifest.resolve(kind)?.deprecated === true) {
    throw refuseDeprecated(kind);
  }
}

function readActionRequest(services: Services, request: ApiRequest): ActionRequest {
  const { manifest, settings } = services;
  const body = readObject(request);
  const { exec, limits, delAnnotations } = body;
  const own = request.user.namespace.name;
  return {
    exec:
      exec === undefined || exec === null
        ? undefined
        : readExec(exec, { manifest, own, maxBytes: settings.execBytes }),
    ...readPutFields(body, request.user, settings),
    removedAnnotations: Array.isArray(delAnnotations) ? delAnnotations.map(String) : [],
    limits: limits ?? undefined,
  };
}

function actionDocument(
  name: QualifiedName,
  asked: ActionRequest,
  made: {
    readonly before: ActionDocument | undefined;
    readonly limits: ActionLimits;
    readonly exec: ActionDocument["exec"] | undefined;
  },
): ActionDocument {
  const { before, limits } = made;
  const exec = made.exec ?? before?.exec;
  if (exec === undefined) {
    throw new ApiError(400, texts.execUndefined);
  }
  return {
    ...entityBase(name, asked, before),
    ...(before?._attachments === undefined || made.exec !== undefined
      ? {}
      : { _attachments: before._attachments }),
    exec,
    parameters: parametersAfter(asked, before, exec),
    limits,
    annotations: annotationsAfter(asked, before, exec.kind),
    entityType: "action",
  };
}

/** A sequence's one parameter is the list of its components; it neither takes others nor leaves them behind. */
function parametersAfter(
  asked: ActionRequest,
  before: ActionDocument | undefined,
  exec: ActionDocument["exec"],
): readonly KeyValue[] {
  if ("components" in exec) {
    return [{ key: "_actions", value: exec.components }];
  }
  const wasSequence = before !== undefined && "components" in before.exec;
  return asked.parameters ?? (before === undefined || wasSequence ? [] : before.parameters);
}

/** What was asked for or was there, with the controller's own: no API key unless wanted, and the kind. */
function annotationsAfter(
  asked: ActionRequest,
  before: ActionDocument | undefined,
  kind: string,
): readonly KeyValue[] {
  const base = (asked.annotations ?? before?.annotations ?? []).filter(
    (annotation) => !asked.removedAnnotations.includes(annotation.key),
  );
  const isNew = before === undefined && parameterValue(base, "provide-api-key") === undefined;
  return merged(base, [
    ...(isNew ? [{ key: "provide-api-key", value: false }] : []),
    { key: "exec", value: kind },
  ]);
}

/** The document without what only the database needs. */
export function actionForCaller(
  document: ActionDocument,
  code: Buffer | undefined,
): { readonly [field: string]: unknown } {
  return {
    annotations: document.annotations,
    exec: execForResponse(document, code),
    limits: document.limits,
    name: document.name,
    namespace: document.namespace,
    parameters: document.parameters,
    publish: document.publish,
    updated: document.updated,
    version: document.version,
  };
}
