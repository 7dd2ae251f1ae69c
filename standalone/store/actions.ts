// The code of actions: how it is kept in documents and attachments, and how the invoker gets it back.

import { createHash, randomUUID } from "node:crypto";
import {
  type ActionDocument,
  ActionFetchError,
  type ActionStore,
  type AttachedCode,
  placeOfCode,
  type StoredAction,
} from "../../invoker/index.ts";
import { StoreError } from "../errors.ts";
import type { EntityStore, NewAttachment } from "./entities.ts";

/** Code ready to be written: the entry for `exec.code`, and bytes for an attachment when it is too large for it. */
export interface PlacedCode {
  readonly code: AttachedCode;
  readonly attachment: NewAttachment | "none";
}

const textType = "text/plain; charset=UTF-8";
const archiveType = "application/octet-stream";

/** Source text, or an archive in base64 when `binary`, laid out as OpenWhisk's controller writes it. */
export function placeCode(code: string, binary: boolean, inlineBelowBytes: number): PlacedCode {
  const bytes = binary ? Buffer.from(code.trim(), "base64") : Buffer.from(code, "utf8");
  const attachmentType = binary ? archiveType : textType;
  if (bytes.length < inlineBelowBytes) {
    const base64 = bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
    const digest = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
    return {
      code: { attachmentName: `mem:${base64}`, attachmentType, length: bytes.length, digest },
      attachment: "none",
    };
  }
  const name = randomUUID();
  return {
    code: { attachmentName: `couch:${name}`, attachmentType },
    attachment: { name, contentType: attachmentType, bytes },
  };
}

/** The bytes of an action's code, undefined when it has none. ActionFetchError when they cannot be had. */
export async function readCode(entities: EntityStore, document: ActionDocument): Promise<Buffer | undefined> {
  const place = placeOfCode(document);
  if (place.is === "here") {
    return place.bytes;
  }
  const bytes = await entities.attachment(document._id, place.name, document._rev);
  if (bytes === undefined) {
    throw new ActionFetchError("not-found", `${document._id}: its code is gone`);
  }
  return bytes;
}

/** The invoker's view of the whisks database. */
export function actionStore(entities: EntityStore): ActionStore {
  return {
    async fetch(id, _revision): Promise<StoredAction> {
      // A revision that is gone means the current one, and only the current one is kept.
      let document: ActionDocument | undefined;
      try {
        document = await entities.get("action", id);
      } catch (error) {
        const code =
          error instanceof StoreError && error.code === "wrong-type" ? "unreadable" : "unavailable";
        throw new ActionFetchError(code, `${id}: ${String(error)}`, { cause: error });
      }
      if (document === undefined) {
        throw new ActionFetchError("not-found", `${id} is not in the database`);
      }
      const code = await readCode(entities, document);
      return { document, code, binary: "binary" in document.exec && document.exec.binary === true };
    },
  };
}
