// Actions from the whisks database, each revision fetched once as long as it is in use.

import { LRUCache } from "lru-cache";
import type { ActionDocument } from "../../wire/documents.ts";
import { isJsonObject } from "../../wire/json.ts";
import { placeOfCode } from "../action-code.ts";
import { type RulesOfKind, readActionDocument } from "../action-document.ts";
import { ActionFetchError, type ActionStore, type AttachmentStore, type StoredAction } from "../stores.ts";
import { type CouchConnection, CouchError } from "./connection.ts";
import { reasonOf } from "./events.ts";
import { type DatabaseMeter, noMeter } from "./meter.ts";

export interface ActionsSettings {
  readonly database: string;
  /** Of code and documents that are kept at hand. */
  readonly cacheBytes: number;
  /** Absent: all code is in the database. */
  readonly attachments?: AttachmentStore | undefined;
}

const unusedForMs = 5 * 60_000;
/** Of any action in memory beside its texts, roughly. */
const overheadBytes = 2048;

/** The cluster's ActionStore. */
export class CouchActions implements ActionStore {
  readonly #connection: CouchConnection;
  readonly #settings: ActionsSettings;
  readonly #rulesOf: RulesOfKind;
  readonly #meter: DatabaseMeter;
  readonly #cache: LRUCache<string, StoredAction>;
  /** Being fetched, by the same key: who wants the same meanwhile waits for it. */
  readonly #underWay = new Map<string, Promise<StoredAction>>();

  constructor(
    connection: CouchConnection,
    settings: ActionsSettings,
    rulesOf: RulesOfKind,
    clock: { now(): number } = performance,
    meter: DatabaseMeter = noMeter,
  ) {
    this.#connection = connection;
    this.#settings = settings;
    this.#rulesOf = rulesOf;
    this.#meter = meter;
    this.#cache = new LRUCache({
      maxSize: settings.cacheBytes,
      sizeCalculation: ({ document, code }) =>
        overheadBytes + JSON.stringify(document).length + (code?.length ?? 0),
      ttl: unusedForMs,
      updateAgeOnGet: true,
      ttlResolution: 0,
      perf: clock,
    });
  }

  async fetch(id: string, revision: string | null): Promise<StoredAction> {
    if (revision === null) return await this.#load(id, undefined);
    const key = keyOf(id, revision);
    const cached = this.#cache.get(key);
    let loading = this.#underWay.get(key);
    this.#meter.cacheAsked(cached !== undefined || loading !== undefined);
    if (cached !== undefined) return cached;
    if (loading === undefined) {
      loading = this.#load(id, revision).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, loading);
    }
    return await loading;
  }

  /** Forgets all revisions of the action. */
  invalidate(id: string): void {
    for (const key of this.#cache.keys()) {
      if (key.startsWith(keyOf(id, ""))) this.#cache.delete(key);
    }
  }

  async #load(id: string, revision: string | undefined): Promise<StoredAction> {
    try {
      const document = readActionDocument(id, await this.#document(id, revision), this.#rulesOf);
      const code = await this.#code(id, document);
      const action = { document: lightened(document), code, binary: isBinary(document) };
      // What is current now need not be when the message that asked for another revision is read again.
      if (revision !== undefined && document._rev === revision) this.#cache.set(keyOf(id, revision), action);
      return action;
    } catch (error) {
      throw fetchError(id, error);
    }
  }

  async #code(id: string, document: ActionDocument): Promise<Buffer | undefined> {
    const { database, attachments } = this.#settings;
    const place = placeOfCode(document, attachments?.scheme);
    if (place.is === "here") return place.bytes;
    if (place.inStore === true) return await attachments?.read(id, place.name);
    return await this.#connection.attachment(database, id, place.name, document._rev ?? "");
  }

  /** At the revision, or at the current one where that is gone. */
  async #document(id: string, revision: string | undefined): Promise<unknown> {
    const { database } = this.#settings;
    const found = await this.#connection.document(database, id, revision).catch((error: unknown) => {
      if (revision !== undefined && error instanceof CouchError && error.code === "mismatch")
        return undefined;
      throw error;
    });
    if (revision === undefined || (isJsonObject(found) && found._rev === revision)) return found;
    // A replica may be behind; else the wanted revision is gone, and the current one is run.
    return await this.#connection.document(database, id, undefined);
  }
}

const keyOf = (id: string, revision: string): string => `${id}\n${revision}`;

function isBinary({ exec }: ActionDocument): boolean {
  return "binary" in exec && exec.binary === true;
}

/** Without what nobody needs: the code, which is in hand, and the parameters, which are in the messages. */
function lightened(document: ActionDocument): ActionDocument {
  const { code: _, ...exec } = { code: undefined, ...document.exec };
  return { ...document, exec, parameters: [] };
}

function fetchError(id: string, error: unknown): ActionFetchError {
  if (error instanceof ActionFetchError) return error;
  const code = error instanceof CouchError && error.code === "missing" ? "not-found" : "unavailable";
  return new ActionFetchError(code, `${id} could not be fetched: ${reasonOf(error)}`, { cause: error });
}

/** The id of the entity that a message of the topic `cacheInvalidation` is about; undefined where it names none. */
export function invalidatedId(message: string): string | undefined {
  try {
    const { key } = JSON.parse(message) as { readonly key?: { readonly mainId?: unknown } };
    return typeof key?.mainId === "string" ? key.mainId : undefined;
  } catch {
    return undefined;
  }
}
