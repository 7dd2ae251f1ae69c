// Reads action documents as controllers write them, old ones too: all that an invoker relies on is checked here.

import { type ActionDocument, type Exec, isVersion } from "../wire/documents.ts";
import { isJsonObject, type JsonObject, withoutNulls } from "../wire/json.ts";
import { ActionFetchError } from "./stores.ts";

/** What the runtimes manifest says of the code of a kind. */
export interface KindRules {
  /** Code may be kept beside the document; else it is a string in it. */
  readonly attached: boolean;
  readonly requireMain: boolean;
}

/** The rules of `nodejs:20` or `nodejs:default`; undefined where the manifest has no such kind. */
export type RulesOfKind = (kind: string) => KindRules | undefined;

/** An image of the user's own, without a place in the manifest. */
const imageRules: KindRules = { attached: true, requireMain: false };

/**
 * The document of the action `id`, its exec in today's form: kind in lower case, `code` also where it was called `jar`,
 * `binary` as it is. Throws ActionFetchError `unreadable`.
 */
export function readActionDocument(id: string, value: unknown, rulesOf: RulesOfKind): ActionDocument {
  const check: Check = (claim, why) => {
    if (!claim) {
      const remedy = "Update the action, or give this invoker the cluster's runtimes manifest.";
      throw new ActionFetchError("unreadable", `${id} cannot be read as an action: ${why}. ${remedy}`);
    }
  };
  check(isJsonObject(value), "it is no object");
  check(isJsonObject(value.limits), "limits are missing");
  const limits = withoutNulls(value.limits);
  const document: JsonObject = { ...withoutNulls(value), limits };
  const { entityType = "action" } = document;
  check(entityType === "action", `its entityType is ${String(entityType)}`);
  for (const name of ["namespace", "name"]) {
    check(typeof document[name] === "string", `${name} is no string`);
  }
  check(isVersion(document.version), "version is not of the form major.minor.patch");
  check(typeof document.publish === "boolean", "publish is neither true nor false");
  for (const name of ["parameters", "annotations"]) {
    check(isKeyValueList(document[name]), `${name} is no list of keys and values`);
  }
  for (const name of ["timeout", "memory"]) {
    check(Number.isInteger(limits[name]), `limits.${name} is no whole number`);
  }
  for (const name of ["logs", "concurrency"]) {
    check(limits[name] === undefined || Number.isInteger(limits[name]), `limits.${name} is no whole number`);
  }
  checkAttachments(document._attachments, check);
  check(isJsonObject(document.exec), "exec is missing");
  const exec = readExec(document.exec, rulesOf, check);
  return { ...document, exec } as unknown as ActionDocument;
}

type Check = (claim: boolean, why: string) => asserts claim;

function isKeyValueList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((entry) => isJsonObject(entry) && typeof entry.key === "string" && "value" in entry)
  );
}

function checkAttachments(attachments: unknown, check: Check): void {
  if (attachments === undefined) return;
  check(isJsonObject(attachments), "_attachments is no object");
  const entries = Object.values(attachments);
  check(entries.length === 1, `it has ${entries.length} attachments`);
  const [entry] = entries;
  check(
    isJsonObject(entry) && ["content_type", "digest", "length"].every((name) => name in entry),
    "its attachment has no content_type, digest or length",
  );
}

function readExec(exec: JsonObject, rulesOf: RulesOfKind, check: Check): Exec {
  check(typeof exec.kind === "string", "exec.kind is no string");
  const kind = exec.kind.trim().toLowerCase();
  if (kind === "sequence") {
    check(Array.isArray(exec.components), "exec.components is no list");
    return { ...exec, kind } as unknown as Exec;
  }
  const isImage = kind === "blackbox";
  const rules = isImage ? imageRules : rulesOf(kind);
  check(rules !== undefined, `the manifest has no kind ${kind}`);
  check(!isImage || typeof exec.image === "string", "exec.image is no string");
  const { jar, code: plainCode, main, binary, ...rest } = withoutNulls(exec);
  check(main === undefined || typeof main === "string", "exec.main is no string");
  check(!rules.requireMain || typeof main === "string", `exec.main is missing, which ${kind} needs`);
  const code = plainCode ?? jar;
  const isText = typeof code === "string";
  if (isImage && (code === undefined || (isText && code.trim() === ""))) return { ...rest, kind } as Exec;
  check(isText || (rules.attached && isAttachment(code)), "exec.code is neither text nor an attachment");
  return {
    ...rest,
    kind,
    code,
    ...(typeof main === "string" ? { main } : {}),
    binary: isText ? isArchiveText(code) : binary === true,
  } as unknown as Exec;
}

function isAttachment(code: unknown): boolean {
  return (
    isJsonObject(code) && typeof code.attachmentName === "string" && typeof code.attachmentType === "string"
  );
}

/** Is the code an archive in base64? As stock decides it, whatever the document says. */
function isArchiveText(code: string): boolean {
  const text = code.trim();
  if (text === "" || text.length % 4 !== 0) return false;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}
