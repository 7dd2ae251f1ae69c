// Which action the path of a web request names, and in whose name it runs.

import type { Identity } from "../../invoker/index.ts";
import { requireActionsReadable } from "../access.ts";
import { notFound, StoreError } from "../errors.ts";
import { isEntityName, type QualifiedName } from "../names.ts";
import { parameterValue } from "../parameters.ts";
import { type ResolvedAction, resolveAction } from "../resolve.ts";
import type { Services } from "../services.ts";
import { splitExtension, type Transcoder } from "./extensions.ts";

export interface Target {
  readonly namespace: string;
  readonly action: QualifiedName;
  readonly transcode: Transcoder;
  /** What follows the action in the path, as it was sent. */
  readonly path: string;
}

/** Reads `/{namespace}/{package or "default"}/{action}[.extension]` and what follows; undefined: the path is no such. */
export function readTarget(path: string): Target | undefined {
  const [, ...parts] = /^\/([^/]+)\/([^/]+)\/([^/]+)(.*)$/s.exec(path) ?? [];
  const [namespace = "", packageName = "", segment = ""] = parts.slice(0, 3).map(decoded);
  if (![namespace, packageName, segment].every(isEntityName)) {
    return undefined;
  }
  const { name, transcode } = splitExtension(segment);
  const actionPath = packageName === "default" ? namespace : `${namespace}/${packageName}`;
  return { namespace, action: { path: actionPath, name }, transcode, path: parts[3] ?? "" };
}

/** Empty, which names nothing, where it cannot be decoded. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

/**
 * The action and the owner of the namespace. ApiError 404 where there is no action that is exported, 403 where the owner may not
 * invoke it either: a binding may lead to a package that is no longer shared.
 */
export async function findWebAction(
  { subjects, entities }: Services,
  target: Target,
): Promise<{ readonly owner: Identity; readonly action: ResolvedAction }> {
  const owner = await subjects.ownerOf(target.namespace);
  const action = await resolveAction(entities, target.action).catch((error: unknown) => {
    if (error instanceof StoreError && error.code === "wrong-type") {
      return undefined;
    }
    throw error;
  });
  if (owner === undefined || action === undefined) {
    throw notFound();
  }
  const { namespace, name, annotations } = action.document;
  if (parameterValue(annotations, "web-export") !== true) {
    throw notFound();
  }
  await requireActionsReadable(entities, owner, [{ path: namespace, name }]);
  return { owner, action };
}
