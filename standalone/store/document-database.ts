// A database of documents: PouchDB on LevelDB, or on a CouchDB over HTTP.

import type PouchDB from "pouchdb";

export type DocumentDatabase = PouchDB;

/** The HTTP-like status of a rejected database call: 404 missing, 409 conflict; undefined for other faults. */
export function statusOf(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "status" in error && typeof error.status === "number"
    ? error.status
    : undefined;
}
