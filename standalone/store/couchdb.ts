// The same databases on a CouchDB, over HTTP: shared with other controllers and with the invokers.

import PouchDB from "pouchdb";
import { parseExact } from "../../invoker/index.ts";
import { StartError } from "../errors.ts";
import type { Databases } from "./databases.ts";
import { installViews } from "./design-documents.ts";
import { unwatchedRoom } from "./disk-room.ts";
import { type DocumentDatabase, statusOf } from "./document-database.ts";
import { ViewIndex } from "./entity-index.ts";
import { ViewOrder } from "./view-order.ts";

export interface CouchSettings {
  /** Such as `http://user:password@127.0.0.1:5984`. */
  readonly url: string;
  /** Comes before `subjects`, `whisks` and `activations`, as in `whisk_local_whisks`. */
  readonly prefix: string;
}

/** Opens (or creates) the three databases, and the views that are missing. Throws StartError. */
export async function openCouchDatabases({ url, prefix }: CouchSettings): Promise<Databases> {
  const { origin, pathname, username, password } = readUrl(url);
  const auth =
    username === ""
      ? {}
      : { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } };
  const open = (name: string): DocumentDatabase =>
    new PouchDB(`${origin}${pathname.replace(/\/$/, "")}/${prefix}${name}`, { ...auth, fetch: fetchExact });
  const documents = { whisks: open("whisks"), activations: open("activations"), subjects: open("subjects") };
  try {
    await installViews(documents);
  } catch (error) {
    throw openingFailed(origin, error);
  }
  return {
    ...documents,
    areShared: true,
    entityIndex: new ViewIndex(documents.whisks),
    order: new ViewOrder(documents.activations),
    room: unwatchedRoom,
    async close() {
      await Promise.all(Object.values(documents).map((database) => database.close()));
    },
  };
}

/** For a whole request: a view of a large database may have to be brought up to date first. */
const requestTimeoutMs = 60_000;

/**
 * Node's own fetch: PouchDB's waits for ever for the rest of an answer that breaks off. Numbers in documents stay as they are
 * written there: other writers keep those that no double holds in the fields themselves.
 */
const fetchExact: typeof PouchDB.fetch = async (url, options) => {
  const signal = AbortSignal.timeout(requestTimeoutMs);
  const response = await fetch(url, { ...(options as RequestInit), signal }).catch((error: unknown) => {
    // "fetch failed" says less than its cause.
    throw error instanceof TypeError ? (error.cause ?? error) : error;
  });
  return Object.assign(response, {
    json: async () => parseExact(await response.text()),
    // So PouchDB reads attachments under Node.
    buffer: async () => Buffer.from(await response.arrayBuffer()),
  });
};

function readUrl(url: string): URL {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new StartError(
      "The URL of the CouchDB is none, one looks like http://user:password@127.0.0.1:5984",
    );
  }
  return new URL(url);
}

/** Never names the password. */
function openingFailed(origin: string, error: unknown): StartError {
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    return new StartError(
      `The CouchDB at ${origin} refuses the user or the password of its URL (${status}).`,
    );
  }
  const why = error instanceof Error ? error.message : JSON.stringify(error);
  return new StartError(`The CouchDB at ${origin} cannot be used: ${why}`, { cause: error });
}
