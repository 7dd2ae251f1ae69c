// Names of namespaces, packages and entities: their grammar, their paths, and the versions of what they name.

import { ApiError, malformed, texts } from "./errors.ts";

const nameLengthMax = 256;
const nameGrammar = /^(\w|\w[\w@ .&-]{0,254}[\w@.&-])$/;

/** Where an entity lives: `namespace` or `namespace/package`, and its simple name. */
export interface QualifiedName {
  readonly path: string;
  readonly name: string;
}

/** Does the text follow OpenWhisk's grammar of entity names (letters, digits, `_`, and `@ .&-` inside)? */
export function isEntityName(text: string): boolean {
  return nameGrammar.test(text);
}

/** The name, or ApiError 400 saying what is wrong with it. */
export function checkedName(name: string): string {
  if (isEntityName(name)) {
    return name;
  }
  throw new ApiError(
    400,
    name.length > nameLengthMax
      ? `Name segement longer than allowed: ${name.length} > ${nameLengthMax}.`
      : texts.nameIllegal,
  );
}

/** The namespace of a request path, with `_` standing for the caller's own. ApiError 400 when it is none. */
export function checkedNamespace(segment: string, own: string): string {
  if (segment === "_") {
    return own;
  }
  if (isEntityName(segment)) {
    return segment;
  }
  throw new ApiError(
    400,
    segment.length > nameLengthMax
      ? `Namespace longer than allowed: ${segment.length} > ${nameLengthMax}.`
      : texts.namespaceIllegal,
  );
}

/**
 * Reads a reference to an entity: `/ns/name`, `/ns/package/name`, the same without the first slash, or
 * `{path, name}`; `_` as namespace becomes `own`. ApiError 400 when it is none of these.
 */
export function readQualifiedName(value: unknown, own: string): QualifiedName {
  const text = typeof value === "string" ? value : objectName(value);
  const segments = text.replace(/^\//, "").split("/");
  if (segments.length < 2) {
    throw malformed(texts.qualifiedNameMalformed);
  }
  if (segments.length > 3 || !segments.every(isEntityName)) {
    throw malformed(texts.nameIllegal);
  }
  const [namespace, ...rest] = segments;
  const resolved = [namespace === "_" ? own : namespace, ...rest];
  return { path: resolved.slice(0, -1).join("/"), name: resolved.at(-1) ?? "" };
}

function objectName(value: unknown): string {
  if (typeof value === "object" && value !== null && "path" in value && "name" in value) {
    return `${String(value.path)}/${String(value.name)}`;
  }
  throw malformed("fully qualified name malformed");
}

/** The document id (and full name) of an entity. */
export function entityId(name: QualifiedName): string {
  return `${name.path}/${name.name}`;
}

/** Splits `namespace[/package]` into its two parts. */
export function splitPath(path: string): {
  readonly namespace: string;
  readonly packageName: string | undefined;
} {
  const slash = path.indexOf("/");
  return slash < 0
    ? { namespace: path, packageName: undefined }
    : { namespace: path.slice(0, slash), packageName: path.slice(slash + 1) };
}

/** The version of something new. */
export const firstVersion = "0.0.1";

/** The version after an update that names none: one patch level higher. */
export function nextVersion(version: string): string {
  const [major = "0", minor = "0", patch = "0"] = version.split(".");
  return `${major}.${minor}.${Number(patch) + 1}`;
}

/** A version as a request may state it, filled up to three parts. ApiError 400 when it is none. */
export function readVersion(value: unknown): string {
  const parts = typeof value === "string" ? /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(value) : null;
  if (parts === null) {
    throw malformed("bad semantic version");
  }
  const numbers = parts.slice(1).map((part: string | undefined) => Number(part ?? 0));
  if (numbers.every((number) => number === 0)) {
    throw malformed("bad semantic version");
  }
  return numbers.join(".");
}
