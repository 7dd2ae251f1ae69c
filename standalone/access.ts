// Who may do what: a namespace's owner everything in it, everyone else what lies in a shared package.

import type { Identity } from "../invoker/index.ts";
import { ApiError, forbidden, notFound, StoreError, texts } from "./errors.ts";
import { entityId, type QualifiedName, splitPath } from "./names.ts";
import { merged } from "./parameters.ts";
import type { EntityStore } from "./store/entities.ts";
import type { Binding, PackageDocument } from "./store/entity-documents.ts";

/** A package as a caller reaches it: what was named, and what it stands for (the same unless a binding). */
export interface ReachedPackage {
  readonly named: PackageDocument;
  readonly provider: PackageDocument;
}

/** The package a binding refers to, undefined for a package of its own. */
export function bindingOf(document: PackageDocument): Binding | undefined {
  return "name" in document.binding ? (document.binding as Binding) : undefined;
}

/** Refuses (403) everyone but the owner of the namespace; `resource` is what the refusal names. */
export function requireOwner(user: Identity, namespace: string, resource: string): void {
  if (user.namespace.name !== namespace) {
    throw forbidden(resource);
  }
}

/** Refuses (403) actions of a kind that the namespace's own limits leave out; an empty list leaves out none. */
export function requireKindAllowed({ limits }: Pick<Identity, "limits">, kind: string): void {
  const { allowedKinds } = limits;
  if (Array.isArray(allowedKinds) && allowedKinds.length > 0 && !allowedKinds.includes(kind)) {
    const message = `The supplied authentication is not authorized to access actions of kind '${kind}'.`;
    throw new ApiError(403, message);
  }
}

/**
 * The package, if the caller may read it: their own, a shared one, or their binding to one they may read. Others are
 * refused (403) whether it exists or not, so that nobody learns the names of others; the owner is told (404, 409).
 */
export async function reachPackage(
  entities: EntityStore,
  user: Identity,
  name: QualifiedName,
): Promise<ReachedPackage> {
  const named = await readablePackage(entities, user, name, entityId(name));
  const binding = bindingOf(named);
  if (binding === undefined) {
    return { named, provider: named };
  }
  requireOwner(user, name.path, entityId(name));
  const target = { path: binding.namespace, name: binding.name };
  const provider = await readablePackage(entities, user, target, entityId(name));
  if (bindingOf(provider) !== undefined) {
    throw new ApiError(422, `Package binding '${entityId(target)}' contains a circular reference.`);
  }
  return { named, provider };
}

async function readablePackage(
  entities: EntityStore,
  user: Identity,
  name: QualifiedName,
  resource: string,
): Promise<PackageDocument> {
  const isOwner = user.namespace.name === name.path;
  let document: PackageDocument | undefined;
  try {
    document = await entities.get("package", entityId(name));
  } catch (error) {
    if (error instanceof StoreError && error.code === "wrong-type" && !isOwner) {
      throw forbidden(resource);
    }
    throw error;
  }
  if (document === undefined) {
    throw isOwner ? notFound() : forbidden(resource);
  }
  if (!isOwner && !(document.publish && bindingOf(document) === undefined)) {
    throw forbidden(resource);
  }
  return document;
}

/** Refuses unless the caller may read, and so invoke, every one of the actions; all that fail are named. */
export async function requireActionsReadable(
  entities: EntityStore,
  user: Identity,
  actions: readonly QualifiedName[],
): Promise<void> {
  const refused = new Set<string>();
  for (const action of actions) {
    const { namespace, packageName } = splitPath(action.path);
    try {
      if (packageName === undefined) {
        requireOwner(user, namespace, entityId(action));
      } else {
        await reachPackage(entities, user, { path: namespace, name: packageName });
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 403)) {
        throw error;
      }
      refused.add(entityId(action));
    }
  }
  if (refused.size > 0) {
    throw forbidden([...refused].sort((a, b) => (a < b ? -1 : 1)).join(", "));
  }
}

/** The parameters that actions of the package inherit: the package's, overridden by the binding's. */
export function packageParameters(reached: ReachedPackage): PackageDocument["parameters"] {
  return reached.named === reached.provider
    ? reached.provider.parameters
    : merged(reached.provider.parameters, reached.named.parameters);
}

/** The error to give when the store could not do it. */
export function storeFailure(error: StoreError): ApiError {
  switch (error.code) {
    case "conflict":
      return new ApiError(409, texts.conflict);
    case "wrong-type":
      return new ApiError(409, texts.wrongCollection);
    case "full":
      return new ApiError(507, error.message);
    case "unavailable":
      return new ApiError(500, texts.internal);
  }
}
