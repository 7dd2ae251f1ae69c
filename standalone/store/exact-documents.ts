// Documents in PouchDB, whose numbers are doubles: one that holds others is kept together with its exact text.

import { holdsExactNumber, type JsonObject, parseExact, printExact } from "../../invoker/index.ts";

/** The fields that belong to the database, which it changes by itself. */
interface Stored {
  readonly _id: string;
  readonly _rev?: string;
  readonly _attachments?: unknown;
  /** All other fields as JSON, where some number in them is no double; there the field itself holds the nearest. */
  readonly exactText?: string;
}

/** The document as the database can keep it. */
export function toStored<D extends { readonly _id: string }>(document: D): D & Stored {
  const { _id, _rev, _attachments, ...fields } = document as D & Stored;
  return holdsExactNumber(fields) ? { ...document, exactText: printExact(fields) } : document;
}

/** The document that was given to `toStored`, at the revision that the database has. */
export function fromStored<D>(stored: object): D {
  const { exactText, ...document } = stored as Stored;
  return (exactText === undefined ? stored : { ...document, ...(parseExact(exactText) as JsonObject) }) as D;
}
