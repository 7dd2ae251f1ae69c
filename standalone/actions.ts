// The actions collection: lists, and single actions in the default package, in packages and through bindings.

import type { ActionDocument, KeyValue } from "../invoker/index.ts";
import { bindingOf, packageParameters, type ReachedPackage, reachPackage, requireOwner } from "./access.ts";
import { invokeAction, readInvocation } from "./action-invoke.ts";
import { actionForCaller, putAction } from "./action-put.ts";
import { listEntities, requireEntity, requireGet } from "./collection.ts";
import { ApiError, methodNotAllowed, notFound, texts } from "./errors.ts";
import { checkedName, entityId, type QualifiedName } from "./names.ts";
import { merged } from "./parameters.ts";
import { type ApiRequest, ok, type Reply, readFlag } from "./request.ts";
import { type ResolvedAction, resolveInPackage, unbound } from "./resolve.ts";
import type { Services } from "./services.ts";
import { readCode } from "./store/actions.ts";

const entityMethods = ["PUT", "GET", "DELETE", "POST"] as const;

/** Answers `.../actions` and below: `[]`, `[name]`, `[package, ""]` (its list) or `[package, name]`. */
export async function actionsApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  const [outer = "", inner, ...rest] = segments;
  if (rest.length > 0) {
    throw new ApiError(404, texts.noRoute);
  }
  if (outer === "") {
    requireGet(request);
    requireOwner(request.user, namespace, namespace);
    return await listEntities(services, request, { type: "action", path: namespace });
  }
  checkedName(outer);
  if (request.method === "POST") {
    services.throttle.invocation(request.user);
  }
  if (inner === undefined) {
    return await plainAction(services, request, { path: namespace, name: outer });
  }
  const packageName = { path: namespace, name: outer };
  if (inner === "") {
    requireGet(request);
    const { provider } = await reachPackage(services.entities, request.user, packageName);
    return await listEntities(services, request, { type: "action", path: provider._id });
  }
  return await packagedAction(services, request, packageName, checkedName(inner));
}

async function plainAction(services: Services, request: ApiRequest, name: QualifiedName): Promise<Reply> {
  requireOwner(request.user, name.path, entityId(name));
  if (request.method === "PUT") {
    return await putAction(services, request, name);
  }
  const document = await services.entities.get("action", entityId(name));
  if (document === undefined) {
    // An invocation is refused for what is wrong with it before the action is looked up, as OpenWhisk does.
    if (request.method === "POST") {
      readInvocation(services, request);
    }
    throw notFound();
  }
  return await existingAction(services, request, unbound(document));
}

async function packagedAction(
  services: Services,
  request: ApiRequest,
  packageName: QualifiedName,
  name: string,
): Promise<Reply> {
  if (request.method === "PUT" || request.method === "DELETE") {
    const action = { path: entityId(packageName), name };
    requireOwner(request.user, packageName.path, entityId(action));
    if (bindingOf(await requireEntity(services.entities, "package", packageName)) !== undefined) {
      throw new ApiError(400, texts.notOnBinding);
    }
    if (request.method === "PUT") {
      return await putAction(services, request, action);
    }
    return await existingAction(
      services,
      request,
      unbound(await requireEntity(services.entities, "action", action)),
    );
  }
  const reached = await reachPackage(services.entities, request.user, packageName);
  const resolved = await resolveInPackage(services.entities, reached, name);
  if (resolved === undefined) {
    throw notFound();
  }
  return await existingAction(services, request, resolved, reached);
}

async function existingAction(
  services: Services,
  request: ApiRequest,
  action: ResolvedAction,
  reached?: ReachedPackage,
): Promise<Reply> {
  switch (request.method) {
    case "GET": {
      const code = readFlag(request.query, "code", true)
        ? await readCode(services.entities, action.document)
        : undefined;
      const parameters =
        reached === undefined ? action.document.parameters : inherited(reached, action.document);
      return ok(actionForCaller({ ...action.document, parameters }, code));
    }
    case "DELETE": {
      const code = await readCode(services.entities, action.document);
      await services.entities.remove(action.document);
      return ok(actionForCaller(action.document, code));
    }
    case "POST":
      return await invokeAction(services, request, action);
    default:
      throw methodNotAllowed(entityMethods);
  }
}

function inherited(reached: ReachedPackage, document: ActionDocument): readonly KeyValue[] {
  return merged(packageParameters(reached), document.parameters);
}
