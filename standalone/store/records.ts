// Activation records: written in batches, found at once, and listed by time however many there are.

import { LRUCache } from "lru-cache";
import type { ActivationRecord, ActivationStore } from "../../invoker/index.ts";
import { StoreError } from "../errors.ts";
import type { OrderRange, RecordOrder } from "./activation-order.ts";
import type { Databases } from "./databases.ts";
import type { DocumentDatabase } from "./document-database.ts";
import { statusOf } from "./document-database.ts";
import { fromStored, toStored } from "./exact-documents.ts";

/** A record of an action, a sequence, or a trigger (which has no duration, and 0 as its end). */
export type AnyRecord = Omit<ActivationRecord, "duration"> & { readonly duration?: number };

/** A record as it is kept. `_id` is `<namespace>/<activationId>`. */
export type RecordDocument = AnyRecord & {
  readonly _id: string;
  readonly updated: number;
  readonly entityType: "activation";
};

/** Makes the document of a record; `updated` is now, in epoch milliseconds. */
export function recordDocument(record: AnyRecord, updated: number): RecordDocument {
  return { _id: `${record.namespace}/${record.activationId}`, ...record, updated, entityType: "activation" };
}

interface Waiting {
  readonly document: RecordDocument;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

const batchDelayMs = 10;
const batchSize = 500;
/** How long a reader waits for a record whose activation was acknowledged: it comes within the time logs take. */
const expectedForMs = 5_000;
/** How many ids are remembered as stored: an acknowledgement may be read after the record was written. */
const rememberedIds = 20_000;

/** The activations database with its order. */
export class ActivationRecords implements ActivationStore {
  readonly #database: DocumentDatabase;
  readonly #room: Databases["room"];
  readonly #order: RecordOrder;
  readonly #areShared: boolean;
  /** Given to us and not yet written, by document id. */
  readonly #pending = new Map<string, RecordDocument>();
  /** Acknowledged to a caller and not yet given to us, by document id. */
  readonly #expected = new Map<string, { readonly arrived: Promise<void>; readonly arrive: () => void }>();
  readonly #stored = new LRUCache<string, true>({ max: rememberedIds });
  #queue: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor({ activations, order, room, areShared }: Databases) {
    this.#database = activations;
    this.#room = room;
    this.#order = order;
    this.#areShared = areShared;
  }

  /** Opens the records, and first puts in order what a former life wrote without getting to that. */
  static async open(databases: Databases): Promise<ActivationRecords> {
    await databases.order.catchUp(databases.activations);
    return new ActivationRecords(databases);
  }

  /** Keeps the record; resolves when it is in the database. Readers see it from now on. */
  store(document: RecordDocument): Promise<void> {
    this.#pending.set(document._id, document);
    this.#expected.get(document._id)?.arrive();
    return new Promise((stored, failed) => {
      this.#queue.push({ document, stored, failed });
      if (this.#queue.length >= batchSize) {
        this.#startWriting();
      } else {
        this.#timer ??= setTimeout(() => this.#startWriting(), batchDelayMs);
      }
    });
  }

  /**
   * Says that a record will come: from now on a reader waits for it a while rather than not find it. A record that another
   * process writes is not waited for: nobody says here when it is there.
   */
  expect(namespace: string, activationId: string): void {
    if (this.#areShared) {
      return;
    }
    const id = `${namespace}/${activationId}`;
    if (this.#stored.has(id) || this.#pending.has(id) || this.#expected.has(id)) {
      return;
    }
    const { promise, resolve } = withResolvers();
    const timer = setTimeout(resolve, expectedForMs);
    this.#expected.set(id, { arrived: promise, arrive: resolve });
    void promise.then(() => {
      clearTimeout(timer);
      this.#expected.delete(id);
    });
  }

  /** The record, or undefined when there is none. */
  async get(namespace: string, activationId: string): Promise<RecordDocument | undefined> {
    const id = `${namespace}/${activationId}`;
    await this.#expected.get(id)?.arrived;
    const pending = this.#pending.get(id);
    if (pending !== undefined) {
      return pending;
    }
    try {
      return fromStored<RecordDocument>(await this.#database.get(id));
    } catch (error) {
      if (statusOf(error) === 404) {
        return undefined;
      }
      throw new StoreError("unavailable", `reading activation ${id}: ${String(error)}`, { cause: error });
    }
  }

  /** Summaries of the activations in the range, latest first. */
  async list(range: OrderRange): Promise<readonly unknown[]> {
    await this.#settle(range.namespace);
    return await this.#order.summaries(range);
  }

  /** Whole records of the activations in the range, latest first. */
  async listDocuments(range: OrderRange): Promise<readonly RecordDocument[]> {
    await this.#settle(range.namespace);
    const keys = await this.#order.ids(range);
    const found = await this.#database.allDocs({ keys, include_docs: true });
    return found.rows.flatMap((row) => (row.doc ? [fromStored<RecordDocument>(row.doc)] : []));
  }

  /** How many activations the range holds, `skip` of them not counted. */
  async count(range: Omit<OrderRange, "limit">): Promise<number> {
    await this.#settle(range.namespace);
    return await this.#order.count(range);
  }

  /** Writes what is pending; resolves when all of it is kept. */
  async flush(): Promise<void> {
    this.#startWriting();
    await this.#writing;
  }

  /** Nothing acknowledged or pending is missing from the order afterwards. */
  async #settle(namespace: string): Promise<void> {
    const prefix = `${namespace}/`;
    const awaited = [...this.#expected]
      .filter(([id]) => id.startsWith(prefix))
      .map(([, entry]) => entry.arrived);
    await Promise.all(awaited);
    if (this.#pending.size > 0) {
      await this.flush();
    }
  }

  #startWriting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      this.#writing = this.#writing.then(() => this.#write(batch));
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      this.#room.requireForRest();
      const documents = batch.map((waiting) => toStored(waiting.document));
      // Conflicts come back as values: a record that is there already (the same activation stored twice) stays.
      await this.#database.bulkDocs(documents);
      await this.#order.add(batch.map((waiting) => waiting.document));
      await this.#order.noteProgress(this.#database);
    } catch (error) {
      const full = this.#room.failure(error);
      for (const { document, failed } of batch) {
        this.#pending.delete(document._id);
        const what = `storing ${document._id}: ${String(error)}`;
        failed(full ?? new StoreError("unavailable", what, { cause: error }));
      }
      return;
    }
    for (const { document, stored } of batch) {
      this.#stored.set(document._id, true);
      this.#pending.delete(document._id);
      stored();
    }
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
