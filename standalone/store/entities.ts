// Actions, packages, triggers and rules in the whisks database, with the views OpenWhisk lists them by.

import { LRUCache } from "lru-cache";
import { StoreError } from "../errors.ts";
import { splitPath } from "../names.ts";
import { type Databases, type DocumentDatabase, statusOf } from "./databases.ts";
import {
  type EntityDocument,
  type EntityType,
  type EntityTypes,
  type Summary,
  summaryOf,
} from "./entity-documents.ts";
import { fromStored, toStored } from "./exact-documents.ts";

/** Bytes to be kept beside a document, under the name its `exec.code` states. */
export interface NewAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const cachedDocuments = 2_000;
const cachedBytes = 64 << 20;
const pageSize = 500;

/** Reads and writes entities. All writes of this process go through one instance: it is its own cache and index. */
export class EntityStore {
  readonly #database: DocumentDatabase;
  readonly #room: Databases["room"];
  readonly #documents = new LRUCache<string, EntityDocument>({
    max: cachedDocuments,
    maxSize: cachedBytes,
    sizeCalculation: (document) => 512 + inlineCodeLength(document),
  });
  readonly #summaries: { readonly [type in EntityType]: Map<string, Summary> } = {
    action: new Map(),
    package: new Map(),
    trigger: new Map(),
    rule: new Map(),
  };

  private constructor({ whisks, room }: Databases) {
    this.#database = whisks;
    this.#room = room;
  }

  /** Reads the index of what is there. */
  static async open(databases: Databases): Promise<EntityStore> {
    const store = new EntityStore(databases);
    let startkey = "";
    for (;;) {
      const page = await databases.whisks.allDocs({ include_docs: true, limit: pageSize, startkey });
      for (const row of page.rows) {
        if (row.doc) {
          store.#index(fromStored<EntityDocument>(row.doc));
        }
      }
      const last = page.rows.at(-1);
      if (last === undefined || page.rows.length < pageSize) {
        return store;
      }
      startkey = `${last.id}\u0000`;
    }
  }

  /** The entity, or undefined when there is none. StoreError `wrong-type` when the name belongs to something else. */
  async get<T extends EntityType>(type: T, id: string): Promise<EntityTypes[T] | undefined> {
    let document = this.#documents.get(id);
    if (document === undefined) {
      try {
        document = fromStored<EntityDocument>(await this.#database.get(id));
      } catch (error) {
        if (statusOf(error) === 404) {
          return undefined;
        }
        throw unavailable(`reading ${id}`, error);
      }
      this.#documents.set(id, document);
    }
    if (document.entityType !== type) {
      throw new StoreError("wrong-type", `${id} is a ${document.entityType}, not a ${type}`);
    }
    return document as EntityTypes[T];
  }

  /**
   * Writes the entity and gives it back with its new revision. `attachment`: bytes to keep; undefined: those of the
   * revision before stay. StoreError `conflict` when the stored revision is not the document's `_rev`.
   */
  async put<D extends EntityDocument>(document: D, attachment?: NewAttachment | "none"): Promise<D> {
    const attachments = newAttachments(document, attachment);
    const { _attachments: _, ...plain } = document as D & { readonly _attachments?: unknown };
    const next = {
      ...plain,
      ...(attachments === undefined ? {} : { _attachments: attachments }),
    } as unknown as EntityDocument;
    let stored: D;
    try {
      const { rev } = await this.#database.put(toStored(next));
      stored =
        attachments === undefined
          ? ({ ...plain, _rev: rev } as D)
          : fromStored<D>(await this.#database.get(document._id));
    } catch (error) {
      this.#documents.delete(document._id);
      throw statusOf(error) === 409
        ? new StoreError("conflict", `${document._id} was changed meanwhile`)
        : (this.#room.failure(error) ?? unavailable(`writing ${document._id}`, error));
    }
    this.#documents.set(document._id, stored);
    this.#index(stored);
    return stored;
  }

  /** Removes the entity at the revision it has. StoreError `conflict` when it was changed meanwhile. */
  async remove(document: EntityDocument): Promise<void> {
    this.#documents.delete(document._id);
    try {
      await this.#database.remove(document._id, document._rev ?? "");
    } catch (error) {
      throw statusOf(error) === 409 || statusOf(error) === 404
        ? new StoreError("conflict", `${document._id} was changed meanwhile`)
        : (this.#room.failure(error) ?? unavailable(`removing ${document._id}`, error));
    }
    this.#summaries[document.entityType].delete(document._id);
  }

  /** Bytes kept beside the document; undefined when there are none of that name. */
  async attachment(id: string, name: string, rev?: string): Promise<Buffer | undefined> {
    try {
      return await this.#database.getAttachment(id, name, rev === undefined ? {} : { rev });
    } catch (error) {
      if (statusOf(error) === 404) {
        return undefined;
      }
      throw unavailable(`reading the attachment of ${id}`, error);
    }
  }

  /**
   * Summaries of the entities in `path` (`namespace`, which includes its packages, or `namespace/package`), latest
   * update first.
   */
  list(type: EntityType, path: string): readonly Summary[] {
    const found: Summary[] = [];
    for (const summary of this.#summaries[type].values()) {
      if (summary.namespace === path || splitPath(summary.namespace).namespace === path) {
        found.push(summary);
      }
    }
    return found.sort((a, b) => b.updated - a.updated);
  }

  #index(document: EntityDocument): void {
    if (document.entityType in this.#summaries) {
      this.#summaries[document.entityType].set(document._id, summaryOf(document));
    }
  }
}

function newAttachments(document: EntityDocument, attachment: NewAttachment | "none" | undefined): unknown {
  if (attachment === undefined) {
    return "_attachments" in document ? document._attachments : undefined;
  }
  return attachment === "none"
    ? undefined
    : { [attachment.name]: { content_type: attachment.contentType, data: attachment.bytes } };
}

function inlineCodeLength(document: EntityDocument): number {
  if (document.entityType !== "action" || !("code" in document.exec) || document.exec.code === undefined) {
    return 0;
  }
  const code = document.exec.code;
  return typeof code === "string" ? code.length : code.attachmentName.length;
}

function unavailable(what: string, error: unknown): StoreError {
  const why = error instanceof Error ? error.message : JSON.stringify(error);
  return new StoreError("unavailable", `${what}: ${why}`, { cause: error });
}
