// What the collections of entities have in common: their paths, their lists, finding an entity, and replacing it.

import { ApiError, methodNotAllowed, notFound, texts } from "./errors.ts";
import { checkedName, entityId, firstVersion, nextVersion, type QualifiedName } from "./names.ts";
import type { PutFields } from "./put-fields.ts";
import { type ApiRequest, listReply, type Reply, readListQuery } from "./request.ts";
import type { Services } from "./services.ts";
import type { EntityStore } from "./store/entities.ts";
import type {
  EntityBase,
  EntityDocument,
  EntityType,
  EntityTypes,
  Summary,
} from "./store/entity-documents.ts";

/** The name in `.../COLLECTION/NAME`; undefined for the collection itself. ApiError 400, 404 or 405 for other paths. */
export function readEntityName(request: ApiRequest, segments: readonly string[]): string | undefined {
  const [segment = "", ...rest] = segments;
  if (rest.length > 0) {
    throw new ApiError(404, texts.noRoute);
  }
  if (segment !== "") {
    return checkedName(segment);
  }
  requireGet(request);
  return undefined;
}

/** A list can only be read: ApiError 405. */
export function requireGet(request: ApiRequest): void {
  if (request.method !== "GET") {
    throw methodNotAllowed(["GET"]);
  }
}

/** The asked part of the entities in `path` that the caller is to see. ApiError 400 for a query that cannot be read. */
export async function listEntities(
  services: Services,
  request: ApiRequest,
  asked: {
    readonly type: EntityType;
    readonly path: string;
    readonly isVisible?: (summary: Summary) => boolean;
  },
): Promise<Reply> {
  const { type, path, isVisible = () => true } = asked;
  const collection = `${type}s`;
  const query = readListQuery(request.query, collection);
  const all = await services.entities.list(type, path);
  return listReply(all.filter(isVisible), query, collection);
}

/** The entity. ApiError 404 when there is none. */
export async function requireEntity<T extends EntityType>(
  entities: EntityStore,
  type: T,
  name: QualifiedName,
): Promise<EntityTypes[T]> {
  const document = await entities.get(type, entityId(name));
  if (document === undefined) {
    throw notFound();
  }
  return document;
}

/** What a PUT would replace, undefined when there is nothing. ApiError 409 when it must not be replaced. */
export async function findReplaced<T extends EntityType>(
  entities: EntityStore,
  type: T,
  replacement: { readonly name: QualifiedName; readonly overwrite: boolean },
): Promise<EntityTypes[T] | undefined> {
  const before = await entities.get(type, entityId(replacement.name));
  if (before !== undefined && !replacement.overwrite) {
    throw new ApiError(409, texts.exists);
  }
  return before;
}

/** The fields that every entity has: as asked for, else as they were, else as of something new. */
export function entityBase(
  name: QualifiedName,
  asked: PutFields,
  before: EntityDocument | undefined,
): EntityBase {
  return {
    _id: entityId(name),
    ...(before?._rev === undefined ? {} : { _rev: before._rev }),
    namespace: name.path,
    name: name.name,
    version: asked.version ?? (before === undefined ? firstVersion : nextVersion(before.version)),
    publish: asked.publish ?? before?.publish ?? false,
    annotations: asked.annotations ?? before?.annotations ?? [],
    updated: Date.now(),
  };
}

/** The document without what only the database needs. */
export function entityForCaller(document: Exclude<EntityDocument, EntityTypes["action"]>): {
  readonly [field: string]: unknown;
} {
  const { _id, _rev, entityType, ...fields } = document;
  return fields;
}
