// The executable part of an action: read from a request, laid out for the database, shown to a caller.

import { type ActionDocument, type Exec, isJsonObject } from "../invoker/index.ts";
import { ApiError, entityTooLarge, malformed } from "./errors.ts";
import type { Manifest } from "./manifest.ts";
import { entityId, type QualifiedName, readQualifiedName } from "./names.ts";
import { type PlacedCode, placeCode } from "./store/actions.ts";

/** What a request wants to be executed. `code` is as sent: text, or an archive in base64 when `binary`. */
export type RequestedExec =
  | { readonly kind: "sequence"; readonly components: readonly QualifiedName[] }
  | {
      readonly kind: string;
      readonly code: string;
      readonly main: string | undefined;
      readonly binary: boolean;
      readonly deprecated: boolean;
      /** Kept beside the document or in an attachment's name; else as a string in the document. */
      readonly isAttached: boolean;
    }
  | {
      readonly kind: "blackbox";
      readonly image: string;
      readonly code: string | undefined;
      readonly main: string | undefined;
      readonly binary: boolean;
    };

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Is the code an archive in base64 (OpenWhisk decides by its look, whatever the request says)? */
export function isBinaryCode(code: string): boolean {
  const trimmed = code.trim();
  return trimmed.length > 0 && trimmed.length % 4 === 0 && base64.test(trimmed);
}

/** Reads `exec` of a request; `own` replaces `_` in components. ApiError 400 or 413 with OpenWhisk's texts. */
export function readExec(
  value: unknown,
  context: { manifest: Manifest; own: string; maxBytes: number },
): RequestedExec {
  if (!isJsonObject(value) || typeof value.kind !== "string") {
    throw malformed("'kind' must be a string defined in 'exec'");
  }
  const kind = value.kind.trim().toLowerCase();
  const exec =
    kind === "sequence" ? readSequence(value, context.own) : readCodeExec(kind, value, context.manifest);
  const bytes = sizeBytes(exec);
  if (bytes > context.maxBytes) {
    throw entityTooLarge("exec", bytes, context.maxBytes);
  }
  return exec;
}

function readSequence(value: { readonly [field: string]: unknown }, own: string): RequestedExec {
  const components = value.components;
  if (components === undefined) {
    throw malformed("'components' must be defined for sequence kind");
  }
  if (!Array.isArray(components)) {
    throw malformed("'components' must be an array");
  }
  return { kind: "sequence", components: components.map((component) => readQualifiedName(component, own)) };
}

function readCodeExec(
  kind: string,
  value: { readonly [field: string]: unknown },
  manifest: Manifest,
): RequestedExec {
  const { main, code = value.jar } = value;
  if (main !== undefined && typeof main !== "string") {
    throw malformed(`if defined, 'main' be a string in 'exec' for '${kind}' actions`);
  }
  if (kind === "blackbox") {
    return readBlackboxExec(value, main, manifest);
  }
  const runtime = manifest.resolve(kind);
  if (runtime === undefined) {
    throw malformed(`kind '${kind}' not in Set(${manifest.knownKinds().join(", ")})`);
  }
  if (typeof code !== "string") {
    throw malformed(`'code' must be a string or attachment object defined in 'exec' for '${kind}' actions`);
  }
  if (runtime.requireMain && main === undefined) {
    throw malformed(`'main' must be a string defined in 'exec' for '${kind}' actions`);
  }
  const binary = isBinaryCode(code);
  const { deprecated, attached } = runtime;
  return { kind: runtime.kind, code, main, binary, deprecated, isAttached: attached !== undefined };
}

function readBlackboxExec(
  { image, code }: { readonly [field: string]: unknown },
  main: string | undefined,
  manifest: Manifest,
): RequestedExec {
  if (manifest.blackboxes === undefined) {
    throw malformed(
      "actions of an image of their own ('blackbox') need invokers with Docker: none of these has it",
    );
  }
  if (typeof image !== "string" || image.trim() === "") {
    throw malformed("'image' must be a string defined in 'exec' for 'blackbox' actions");
  }
  const isCode = typeof code === "string" && code.trim() !== "";
  const binary = isCode && isBinaryCode(code);
  return { kind: "blackbox", image: image.trim(), code: isCode ? code : undefined, main, binary };
}

function sizeBytes(exec: RequestedExec): number {
  if ("components" in exec) {
    return exec.components.reduce((sum, component) => sum + Buffer.byteLength(entityId(component)), 0);
  }
  return Buffer.byteLength(exec.code ?? "") + Buffer.byteLength(exec.main ?? "");
}

/** ApiError 400 for a runtime that may no longer be used. */
export function refuseDeprecated(kind: string): ApiError {
  return new ApiError(
    400,
    `The '${kind}' runtime is no longer supported. You may read and delete but not update or invoke this action.`,
  );
}

/** The exec of a document, and what to keep beside it. */
export function execForDocument(
  exec: RequestedExec,
  inlineBelowBytes: number,
): { readonly exec: Exec; readonly attachment: PlacedCode["attachment"] } {
  if ("components" in exec) {
    const components = exec.components.map((component) => `/${entityId(component)}`);
    return { exec: { kind: "sequence", components }, attachment: "none" };
  }
  const { kind, code, binary, main } = exec;
  const rest = {
    ...{ kind, binary },
    ...("image" in exec ? { image: exec.image } : {}),
    ...(main === undefined ? {} : { main }),
  };
  if (code === undefined) {
    return { exec: rest, attachment: "none" };
  }
  if ("isAttached" in exec && !exec.isAttached) {
    return { exec: { ...rest, code }, attachment: "none" };
  }
  const placed = placeCode(code, binary, inlineBelowBytes);
  return { exec: { ...rest, code: placed.code }, attachment: placed.attachment };
}

/** The exec of a response; `code` undefined leaves the code out, as `?code=false` asks for. */
export function execForResponse(document: ActionDocument, code: Buffer | undefined): Exec {
  const { exec } = document;
  if ("components" in exec) {
    return exec;
  }
  const { code: _, ...rest } = exec;
  if (code === undefined) {
    return rest;
  }
  return { ...rest, code: code.toString(exec.binary === true ? "base64" : "utf8") };
}
