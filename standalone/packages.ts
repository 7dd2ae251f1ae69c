// The packages collection: packages, bindings to packages of others, and what they contain.

import { isJsonObject, type Json } from "../invoker/index.ts";
import { bindingOf, packageParameters, reachPackage, requireOwner } from "./access.ts";
import {
  entityBase,
  entityForCaller,
  findReplaced,
  listEntities,
  readEntityName,
  requireEntity,
} from "./collection.ts";
import { ApiError, malformed, methodNotAllowed, StoreError, texts } from "./errors.ts";
import { checkedName, checkedNamespace, entityId, type QualifiedName } from "./names.ts";
import { merged, parameterValue } from "./parameters.ts";
import { type PutFields, readPutFields } from "./put-fields.ts";
import { type ApiRequest, ok, type Reply, readFlag, readObject } from "./request.ts";
import type { Services } from "./services.ts";
import type { Binding, PackageDocument, Summary } from "./store/entity-documents.ts";

const entityMethods = ["PUT", "GET", "DELETE"] as const;
const reservedNames: readonly string[] = ["default"];

/** Answers `.../packages` and below. */
export async function packagesApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  const simpleName = readEntityName(request, segments);
  if (simpleName === undefined) {
    return await list(services, request, namespace);
  }
  const packageName = { path: namespace, name: simpleName };
  switch (request.method) {
    case "GET":
      return await get(services, request, packageName);
    case "PUT":
      requireOwner(request.user, namespace, entityId(packageName));
      return await put(services, request, packageName);
    case "DELETE":
      requireOwner(request.user, namespace, entityId(packageName));
      return await remove(services, packageName);
    default:
      throw methodNotAllowed(entityMethods);
  }
}

/** Others see the shared packages of a namespace; only its owner sees all, and the bindings. */
async function list(services: Services, request: ApiRequest, namespace: string): Promise<Reply> {
  const isOwner = request.user.namespace.name === namespace;
  const isVisible = (summary: Summary): boolean =>
    isOwner || (summary.publish === true && summary.binding === false);
  return await listEntities(services, request, { type: "package", path: namespace, isVisible });
}

async function get(services: Services, request: ApiRequest, name: QualifiedName): Promise<Reply> {
  const { entities } = services;
  let reached: Awaited<ReturnType<typeof reachPackage>>;
  try {
    reached = await reachPackage(entities, request.user, name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      throw new ApiError(404, `The requested resource '${entityId(name)}' does not exist.`);
    }
    throw error;
  }
  const { provider } = reached;
  const summaries = await entities.list("action", `${provider.namespace}/${provider.name}`);
  const members = summaries.map((summary) => ({
    name: summary.name,
    version: summary.version,
    annotations: summary.annotations as PackageDocument["annotations"],
  }));
  const isFeed = (member: (typeof members)[number]): boolean =>
    parameterValue(member.annotations, "feed") !== undefined;
  return ok({
    ...entityForCaller({ ...reached.named, parameters: packageParameters(reached) }),
    actions: members.filter((member) => !isFeed(member)),
    feeds: members.filter(isFeed),
  });
}

async function put(services: Services, request: ApiRequest, name: QualifiedName): Promise<Reply> {
  const { entities, settings } = services;
  const overwrite = readFlag(request.query, "overwrite", false);
  if (reservedNames.includes(name.name)) {
    throw new ApiError(400, `Package name '${name.name}' is reserved.`);
  }
  const body = readObject(request);
  const asked = readPutFields(body, request.user, settings);
  const binding = readBinding(body.binding, name.path);
  if (binding !== undefined) {
    await requireBindable(services, request, binding);
  }
  const before = await findReplaced(entities, "package", { name, overwrite });
  if (before !== undefined && binding !== undefined && bindingOf(before) === undefined) {
    throw new ApiError(409, texts.packageNotBinding);
  }
  return ok(entityForCaller(await entities.put(packageDocument(name, asked, binding, before))));
}

function readBinding(value: Json | undefined, own: string): Binding | undefined {
  if (value === undefined || value === null || (isJsonObject(value) && Object.keys(value).length === 0)) {
    return undefined;
  }
  if (!isJsonObject(value) || typeof value.namespace !== "string" || typeof value.name !== "string") {
    throw malformed("Object is missing required member 'namespace'");
  }
  return { namespace: checkedNamespace(value.namespace, own), name: checkedName(value.name) };
}

/** Only a package, not a binding, that the caller may read can be bound to. */
async function requireBindable(services: Services, request: ApiRequest, binding: Binding): Promise<void> {
  const target = { path: binding.namespace, name: binding.name };
  try {
    const { named } = await reachPackage(services.entities, request.user, target);
    if (bindingOf(named) !== undefined) {
      throw new ApiError(400, texts.bindingToBinding);
    }
  } catch (error) {
    if (error instanceof StoreError && error.code === "wrong-type") {
      throw new ApiError(409, texts.bindingNotPackage);
    }
    if (error instanceof ApiError && error.status === 404) {
      throw new ApiError(400, texts.bindingMissing);
    }
    throw error;
  }
}

function packageDocument(
  name: QualifiedName,
  asked: PutFields,
  newBinding: Binding | undefined,
  before: PackageDocument | undefined,
): PackageDocument {
  const binding = newBinding ?? (before && bindingOf(before));
  const base = entityBase(name, asked, before);
  const annotations = base.annotations.filter(({ key }) => key !== "binding");
  return {
    ...base,
    binding: binding ?? {},
    parameters: asked.parameters ?? before?.parameters ?? [],
    annotations:
      binding === undefined ? annotations : merged(annotations, [{ key: "binding", value: { ...binding } }]),
    entityType: "package",
  };
}

async function remove(services: Services, name: QualifiedName): Promise<Reply> {
  const { entities } = services;
  const document = await requireEntity(entities, "package", name);
  const isBinding = bindingOf(document) !== undefined;
  const { length } = isBinding ? [] : await entities.list("action", entityId(name));
  if (length > 0) {
    throw new ApiError(409, `Package not empty (contains ${length} ${length === 1 ? "entity" : "entities"})`);
  }
  await entities.remove(document);
  return ok(entityForCaller(document));
}
