// From the name of an action to the action itself, through packages and bindings, with the parameters it inherits.

import type { ActionDocument, KeyValue } from "../invoker/index.ts";
import { bindingOf, packageParameters, type ReachedPackage } from "./access.ts";
import { entityId, type QualifiedName, splitPath } from "./names.ts";
import { merged } from "./parameters.ts";
import type { EntityStore } from "./store/entities.ts";
import type { PackageDocument } from "./store/entity-documents.ts";

/** An action ready to be invoked. */
export interface ResolvedAction {
  readonly document: ActionDocument;
  /** Of package, binding and action, later ones winning. */
  readonly parameters: readonly KeyValue[];
  /** `namespace/package` of the binding it was reached through. */
  readonly binding: string | undefined;
}

/** The real place of an action: the same name, in the package that a binding stands for. Undefined: no such package. */
export async function resolveName(
  entities: EntityStore,
  name: QualifiedName,
): Promise<QualifiedName | undefined> {
  const { namespace, packageName } = splitPath(name.path);
  if (packageName === undefined) {
    return name;
  }
  const reached = await followBinding(entities, { path: namespace, name: packageName });
  return (
    reached && {
      path: entityId({ path: reached.provider.namespace, name: reached.provider.name }),
      name: name.name,
    }
  );
}

/** The action with all it inherits; undefined when it, or its package, does not exist. No access is checked here. */
export async function resolveAction(
  entities: EntityStore,
  name: QualifiedName,
): Promise<ResolvedAction | undefined> {
  const { namespace, packageName } = splitPath(name.path);
  if (packageName === undefined) {
    const document = await entities.get("action", entityId(name));
    return document && unbound(document);
  }
  const reached = await followBinding(entities, { path: namespace, name: packageName });
  return reached && (await resolveInPackage(entities, reached, name.name));
}

/** An action with no parameters but its own. */
export function unbound(document: ActionDocument): ResolvedAction {
  return { document, parameters: document.parameters, binding: undefined };
}

/** The action of a package already reached. */
export async function resolveInPackage(
  entities: EntityStore,
  reached: ReachedPackage,
  name: string,
): Promise<ResolvedAction | undefined> {
  const { named, provider } = reached;
  const document = await entities.get("action", `${provider.namespace}/${provider.name}/${name}`);
  return (
    document && {
      document,
      parameters: merged(packageParameters(reached), document.parameters),
      binding: named === provider ? undefined : `${named.namespace}/${named.name}`,
    }
  );
}

async function followBinding(
  entities: EntityStore,
  name: QualifiedName,
): Promise<ReachedPackage | undefined> {
  const named: PackageDocument | undefined = await entities.get("package", entityId(name));
  const binding = named && bindingOf(named);
  if (named === undefined || binding === undefined) {
    return named && { named, provider: named };
  }
  const provider = await entities.get("package", `${binding.namespace}/${binding.name}`);
  return provider && { named, provider };
}
