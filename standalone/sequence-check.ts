// What a sequence consists of, and whether it may: not empty, not too long, not part of itself.

import type { ActionDocument } from "../invoker/index.ts";
import { ApiError, texts } from "./errors.ts";
import { entityId, type QualifiedName, readQualifiedName } from "./names.ts";
import { resolveName } from "./resolve.ts";
import type { EntityStore } from "./store/entities.ts";

/** The action names in a sequence document; `_` stands for the namespace of whoever invokes it. */
export function componentsOf(document: ActionDocument, own: string): readonly QualifiedName[] | undefined {
  return "components" in document.exec
    ? document.exec.components.map((component) => readQualifiedName(component, own))
    : undefined;
}

/**
 * Refuses (ApiError 400) components that are none, too many, missing, or lead back to the sequence itself, counting
 * the actions of inner sequences. `own` is the namespace for `_` in stored sequences.
 */
export async function checkComponents(
  entities: EntityStore,
  sequence: QualifiedName,
  components: readonly QualifiedName[],
  options: { readonly own: string; readonly lengthMax: number },
): Promise<void> {
  if (components.length === 0) {
    throw new ApiError(400, texts.sequenceEmpty);
  }
  let count = 0;
  const visit = async (names: readonly QualifiedName[]): Promise<void> => {
    for (const name of names) {
      const real = await resolveName(entities, name);
      if (real !== undefined && entityId(real) === entityId(sequence)) {
        throw new ApiError(400, texts.sequenceCyclic);
      }
      const document = real && (await entities.get("action", entityId(real)));
      if (document === undefined) {
        throw new ApiError(400, texts.sequenceComponentMissing);
      }
      const inner = componentsOf(document, options.own);
      if (inner === undefined) {
        count++;
      } else {
        await visit(inner);
      }
      if (count > options.lengthMax) {
        throw new ApiError(400, texts.sequenceTooLong);
      }
    }
  };
  if (components.length > options.lengthMax) {
    throw new ApiError(400, texts.sequenceTooLong);
  }
  await visit(components);
}
