// What a conductor action gives back: which action to run next, on what, and what to remember meanwhile.

import { isJsonObject, type Json, type JsonObject } from "../invoker/index.ts";
import { isEntityName, type QualifiedName } from "./names.ts";

export interface Continuation {
  /** As it was given, whatever it is; undefined: the composition ends here. */
  readonly action: Json | undefined;
  /** For the next action or, at the end, the composition's result; undefined where none was given. */
  readonly params: JsonObject | undefined;
  /** Goes over the next action's result before the conductor runs again. */
  readonly state: JsonObject | undefined;
}

/** Reads it; what should be an object and is none becomes the one member of one. A result that is no object has no fields. */
export function readContinuation(result: Json | undefined): Continuation {
  const fields = isJsonObject(result) ? result : {};
  const boxed = (field: "params" | "state", name: string): JsonObject | undefined => {
    const value = fields[field];
    return value === undefined || isJsonObject(value) ? value : { [name]: value };
  };
  return { action: fields.action, params: boxed("params", "value"), state: boxed("state", "state") };
}

/**
 * The action that a conductor names: `/namespace/name`, `/namespace/package/name`, the latter without its first slash, or
 * `name` and `package/name` in the namespace of the caller, for which `_` stands too. Undefined: it is none of these.
 */
export function readNextAction(value: Json, own: string): QualifiedName | undefined {
  return typeof value === "string" ? parseName(value, own) : undefined;
}

function parseName(text: string, own: string): QualifiedName | undefined {
  const given = text.split("/").filter((segment) => segment !== "");
  const isAbsolute = text.startsWith("/");
  if (given.length > 3 || given.length < (isAbsolute ? 2 : 1) || !given.every(isEntityName)) {
    return undefined;
  }
  const [namespace = "", ...rest] = isAbsolute || given.length === 3 ? given : [own, ...given];
  const path = [namespace === "_" ? own : namespace, ...rest.slice(0, -1)].join("/");
  return { path, name: rest.at(-1) ?? "" };
}
