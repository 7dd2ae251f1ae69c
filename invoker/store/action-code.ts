// Where the code of an action is: in its document, beside it as an attachment, or in a store of attachments.

import type { ActionDocument } from "../wire/documents.ts";
import { ActionFetchError } from "./stores.ts";

export type CodePlace =
  /** In hand; undefined where the action has none. */
  | { readonly is: "here"; readonly bytes: Buffer | undefined }
  /** In the attachment of this name, of the same document at the same revision; or in the store of attachments. */
  | { readonly is: "attached"; readonly name: string; readonly inStore?: true };

/**
 * Finds the code that the document names; `store` is the scheme of the store of attachments that there is. ActionFetchError
 * `unavailable` where the code is in another.
 */
export function placeOfCode(document: ActionDocument, store?: string): CodePlace {
  if (!("code" in document.exec) || document.exec.code === undefined) {
    return { is: "here", bytes: undefined };
  }
  const { code, binary } = document.exec;
  if (typeof code === "string") {
    return { is: "here", bytes: Buffer.from(code, binary === true ? "base64" : "utf8") };
  }
  requireSameName(document, code.attachmentName);
  const [, scheme, path = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(code.attachmentName) ?? [];
  switch (scheme) {
    case "mem":
      return { is: "here", bytes: Buffer.from(path, "base64url") };
    case "couch":
    case undefined:
      return { is: "attached", name: path };
    case store:
      return { is: "attached", name: path, inStore: true };
    default: {
      const why = `its code is in an attachment store of the scheme ${scheme}:, which is not read here`;
      throw new ActionFetchError(
        "unavailable",
        `${document._id}: ${why}. ${remedies[scheme === "s3" ? "s3" : "others"]}`,
      );
    }
  }
}

const remedies = {
  s3: "Give this invoker the controllers' whisk.spi.AttachmentStoreProvider and whisk.s3.",
  others:
    "Let the cluster keep code in CouchDB or S3 (whisk.spi.AttachmentStoreProvider), and update the action.",
} as const;

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An attachment of another name belongs to another revision of the code. */
function requireSameName({ _id, _attachments }: ActionDocument, name: string): void {
  const [attached] = Object.keys(_attachments ?? {});
  if (attached === undefined || name === (uuid.test(attached) ? `couch:${attached}` : attached)) return;
  // What follows mem: is the code.
  const shown = name.startsWith("mem:") ? "mem:…" : name;
  throw new ActionFetchError(
    "unavailable",
    `${_id}: its code is named ${shown}, but the attachment ${attached}. Update the action.`,
  );
}
