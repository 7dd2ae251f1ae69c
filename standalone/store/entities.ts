// Actions, packages, triggers and rules in the whisks database.

import { LRUCache } from "lru-cache";
import { StoreError } from "../errors.ts";
import type { Databases } from "./databases.ts";
import { type DocumentDatabase, statusOf } from "./document-database.ts";
import type { EntityDocument, EntityType, EntityTypes, Summary } from "./entity-documents.ts";
import type { EntityIndex } from "./entity-index.ts";
import { fromStored, toStored } from "./exact-documents.ts";

/** Bytes to be kept beside a document, under the name its `exec.code` states. */
export interface NewAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const cachedDocuments = 2_000;
const cachedBytes = 64 << 20;

/** Reads and writes entities. All writes of this process go through one instance, which is its own cache. */
export class EntityStore {
  readonly #database: DocumentDatabase;
  readonly #index: EntityIndex;
  readonly #room: Databases["room"];
  #changed: (id: string) => void = () => {};
  readonly #documents = new LRUCache<string, EntityDocument>({
    max: cachedDocuments,
    maxSize: cachedBytes,
    sizeCalculation: (document) => 512 + inlineCodeLength(document),
  });

  constructor({ whisks, entityIndex, room }: Pick<Databases, "whisks" | "entityIndex" | "room">) {
    this.#database = whisks;
    this.#index = entityIndex;
    this.#room = room;
  }

  /** From now on `listener` hears of every entity that is written or removed here. */
  onChange(listener: (id: string) => void): void {
    this.#changed = listener;
  }

  /** Another controller has changed it: the next reader gets it from the database. */
  forget(id: string): void {
    this.#documents.delete(id);
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
    this.#index.written(stored);
    this.#changed(document._id);
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
    this.#index.removed(document);
    this.#changed(document._id);
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
  list(type: EntityType, path: string): Promise<readonly Summary[]> {
    return this.#index.list(type, path);
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
