// Sends records to the activations database, in batches where it is slow, again and again where it is away.

import { countWithin } from "../../batches.ts";
import { type CouchConnection, CouchError, type StoreResult } from "./connection.ts";
import { reasonOf } from "./events.ts";

export interface Outgoing {
  readonly id: string;
  /** The document as JSON. */
  readonly text: string;
  readonly bytes: number;
}

export interface DeliveryParts<Item extends Outgoing> {
  readonly connection: CouchConnection;
  readonly database: string;
  readonly onStored: (items: readonly Item[]) => void;
  /** The database will never take it. */
  readonly onRefused: (item: Item, reason: string) => void;
  readonly onAway: (reason: string) => void;
  readonly onBack: () => void;
  /** Nothing more to send just now. */
  readonly onEmpty: () => void;
}

const batchRecords = 500;
const batchBytes = 1 << 20;
const requestsAtOnce = 4;
const shortestPauseMs = 100;
const longestPauseMs = 2_000;
/** Answers about one document that repeating would not change. */
const refusals = new Set([
  "bad_request",
  "doc_validation",
  "document_too_large",
  "forbidden",
  "illegal_docid",
]);

/** From the beginning of one request to that of the next, unless that is full: many small ones cost everybody much more. */
const restMs = 20;

/** A record is sent at once if the last request began a while ago; what comes until then goes together. */
export class Delivery<Item extends Outgoing> {
  readonly #parts: DeliveryParts<Item>;
  /** Oldest first. */
  #queue: Item[] = [];
  #queueBytes = 0;
  #underWay = 0;
  #requests = 0;
  /** Set from the beginning of a request until the next may begin. */
  #rest: NodeJS.Timeout | undefined;
  #away: { pauses: number; timer: NodeJS.Timeout | undefined } | undefined;
  #isClosed: boolean = false;
  #whenEnded = (): void => {};
  #lastError: string | undefined;

  constructor(parts: DeliveryParts<Item>) {
    this.#parts = parts;
  }

  /** Of what is not under way. */
  get queueBytes(): number {
    return this.#queueBytes;
  }

  get waiting(): number {
    return this.#queue.length + this.#underWay;
  }

  /** True: the last attempt failed for a reason that will pass. */
  get isAway(): boolean {
    return this.#away !== undefined;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  add(items: readonly Item[]): void {
    this.#queue.push(...items);
    this.#queueBytes += bytesOf(items);
    this.#send();
  }

  /** Takes out what fits the description and is not under way. */
  takeBack(fits: (item: Item) => boolean): readonly Item[] {
    const taken = this.#queue.filter(fits);
    this.#queue = this.#queue.filter((item) => !fits(item));
    this.#queueBytes -= bytesOf(taken);
    return taken;
  }

  /** Starts no more requests. Resolves when none is under way any more. */
  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#away?.timer);
    clearTimeout(this.#rest);
    return new Promise((resolve) => {
      this.#whenEnded = resolve;
      this.#send();
    });
  }

  #send(): void {
    while (!this.#isClosed && this.#queue.length > 0 && this.#mayRequest()) {
      void this.#deliver(this.#nextBatch());
    }
    if (this.#isClosed) {
      if (this.#requests === 0) this.#whenEnded();
    } else if (this.#queue.length === 0) this.#parts.onEmpty();
  }

  #mayRequest(): boolean {
    if (this.#away !== undefined) return this.#requests === 0 && this.#away.timer === undefined;
    const isFull = this.#queue.length >= batchRecords || this.#queueBytes >= batchBytes;
    return this.#requests < requestsAtOnce && (isFull || this.#rest === undefined);
  }

  #nextBatch(): readonly Item[] {
    const count = countWithin(batchBytes, this.#queue.slice(0, batchRecords), ({ bytes }) => bytes);
    const batch = this.#queue.splice(0, count);
    this.#queueBytes -= bytesOf(batch);
    return batch;
  }

  async #deliver(batch: readonly Item[]): Promise<void> {
    this.#requests++;
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined;
      this.#send();
    }, restMs).unref();
    this.#underWay += batch.length;
    const again = await this.#post(batch);
    this.#requests--;
    this.#underWay -= batch.length;
    if (again.length > 0) {
      this.#queue.unshift(...again);
      this.#queueBytes += bytesOf(again);
      this.#pause();
    } else {
      this.#resume();
    }
    this.#send();
  }

  /** Gives those that must be sent again. Never rejects. */
  async #post(batch: readonly Item[]): Promise<readonly Item[]> {
    const { connection, database, onStored, onRefused } = this.#parts;
    let results: readonly StoreResult[];
    try {
      const texts = batch.map(({ text }) => text);
      results = await connection.storeAll(database, texts);
    } catch (error) {
      this.#lastError = reasonOf(error);
      if (!(error instanceof CouchError && error.code === "unfit")) return batch;
      const [only] = batch;
      if (batch.length > 1) return await this.#postHalves(batch);
      if (only !== undefined) onRefused(only, this.#lastError);
      return [];
    }
    const again: Item[] = [];
    const stored: Item[] = [];
    for (const [i, item] of batch.entries()) {
      const { error, reason } = results[i] ?? {};
      // A conflict: an earlier request, whose answer was lost, has stored it.
      if (error === undefined || error === "conflict") {
        stored.push(item);
        continue;
      }
      const what = `${item.id}: ${error}: ${reason}`;
      this.#lastError = what;
      if (refusals.has(error)) onRefused(item, what);
      else again.push(item);
    }
    onStored(stored);
    return again;
  }

  /** One of them spoils the request: all others must not suffer for it. */
  async #postHalves(batch: readonly Item[]): Promise<readonly Item[]> {
    const middle = batch.length >> 1;
    const first = await this.#post(batch.slice(0, middle));
    return [...first, ...(await this.#post(batch.slice(middle)))];
  }

  #pause(): void {
    if (this.#isClosed) return;
    if (this.#away === undefined) {
      this.#away = { pauses: 0, timer: undefined };
      this.#parts.onAway(this.#lastError ?? "");
    }
    const away = this.#away;
    if (away.timer !== undefined) return;
    const fullMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** away.pauses++);
    // Several invokers must not come back all at once.
    const pauseMs = fullMs * (0.5 + Math.random() / 2);
    away.timer = setTimeout(() => {
      away.timer = undefined;
      this.#send();
    }, pauseMs);
    away.timer.unref();
  }

  #resume(): void {
    if (this.#away === undefined) return;
    clearTimeout(this.#away.timer);
    this.#away = undefined;
    this.#parts.onBack();
  }
}

export function bytesOf(items: readonly Outgoing[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}
