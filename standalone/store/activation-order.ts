// The order of activations by time, as keys of a sorted database: what OpenWhisk's two activation views give.

import type { OrderDatabase } from "./databases.ts";
import type { DocumentDatabase } from "./document-database.ts";
import type { RecordDocument } from "./records.ts";

/** Which activations: of a namespace, perhaps of one action, within a time. Times are epoch milliseconds, inclusive. */
export interface OrderRange {
  readonly namespace: string;
  /** `name` or `package/name`. */
  readonly action?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly uptoMs?: number | undefined;
  readonly skip: number;
  readonly limit: number;
}

/** Who keeps the order, and what it is asked. Latest activations come first. */
export interface RecordOrder {
  /** Adds what was stored without it. */
  catchUp(activations: DocumentDatabase): Promise<void>;
  /** Adds records. Adding one again changes nothing. */
  add(records: readonly RecordDocument[]): Promise<void>;
  /** Remembers that everything in the activations database so far is ordered. */
  noteProgress(activations: DocumentDatabase): Promise<void>;
  summaries(range: OrderRange): Promise<readonly unknown[]>;
  /** Document ids. */
  ids(range: OrderRange): Promise<string[]>;
  /** How many there are, without the first `skip`. */
  count(range: Omit<OrderRange, "limit">): Promise<number>;
}

/*
 * Keys, sorted bytewise; neither names nor digits contain the separator:
 *   t!<namespace>!<start, 15 digits>!<activation id>                    -> the summary, JSON
 *   n!<namespace>!<[package/]action>!<start, 15 digits>!<activation id> -> empty
 *   progress                                                            -> the database sequence up to which all is in here
 */
const separator = "!";
const afterDigits = ":";
const startDigits = 15;
const latestStart = 10 ** startDigits - 1;
const progressKey = "progress";
const catchUpBatch = 500;

/** The index; it never holds less than the activations database, once caught up. */
export class ActivationOrder implements RecordOrder {
  readonly #database: OrderDatabase;

  constructor(database: OrderDatabase) {
    this.#database = database;
  }

  /** Adds records. Adding one again changes nothing. */
  async add(records: readonly RecordDocument[]): Promise<void> {
    const batch = this.#database.batch();
    for (const record of records) {
      const moment = `${startText(record.start)}${separator}${record.activationId}`;
      const value = JSON.stringify(activationSummary(record));
      batch.put(`t!${record.namespace}!${moment}`, value);
      batch.put(`n!${record.namespace}!${filterName(record)}!${moment}`, "");
    }
    await batch.write();
  }

  /** Remembers that everything in the activations database so far is ordered. */
  async noteProgress(activations: DocumentDatabase): Promise<void> {
    const { update_seq } = await activations.info();
    await this.#database.put(progressKey, String(update_seq));
  }

  /** Adds what the activations database got without us: a process may end between the two writes. */
  async catchUp(activations: DocumentDatabase): Promise<void> {
    const progress = await this.#database.get(progressKey);
    let since = progress === undefined ? 0 : Number(progress);
    for (;;) {
      const changes = await activations.changes({ since, limit: catchUpBatch, include_docs: true });
      const records = changes.results.flatMap((change) =>
        change.doc !== undefined && "activationId" in change.doc ? [change.doc as RecordDocument] : [],
      );
      if (records.length > 0) {
        await this.add(records);
      }
      since = Number(changes.last_seq);
      if (changes.results.length < catchUpBatch) {
        break;
      }
    }
    await this.#database.put(progressKey, String(since));
  }

  /** Summaries, latest first. */
  async summaries(range: OrderRange): Promise<readonly unknown[]> {
    const keys = (await this.#moments(range)).map((moment) => `t!${range.namespace}!${moment}`);
    const values = await this.#database.getMany(keys);
    return values.flatMap((value) => (value === undefined ? [] : [JSON.parse(value) as unknown]));
  }

  /** Document ids, latest first. */
  async ids(range: OrderRange): Promise<string[]> {
    const moments = await this.#moments(range);
    return moments.map((moment) => `${range.namespace}/${moment.slice(startDigits + 1)}`);
  }

  /** How many there are, without the first `skip`. */
  async count(range: Omit<OrderRange, "limit">): Promise<number> {
    let count = 0;
    for await (const _key of this.#database.keys(bounds(range))) {
      count++;
    }
    return Math.max(0, count - range.skip);
  }

  /** The `<start>!<id>` ends of the keys in the range. */
  async #moments(range: OrderRange): Promise<string[]> {
    const limits = { ...bounds(range), reverse: true, limit: range.skip + range.limit };
    const iterator = this.#database.keys(limits);
    try {
      const keys = await iterator.all();
      const length = startDigits + 1 + 32;
      return keys.slice(range.skip).map((key) => key.slice(-length));
    } finally {
      await iterator.close();
    }
  }
}

function bounds(range: Omit<OrderRange, "limit">): { gte: string; lt: string } {
  const prefix =
    range.action === undefined ? `t!${range.namespace}!` : `n!${range.namespace}!${range.action}!`;
  return {
    gte: `${prefix}${startText(range.sinceMs ?? 0)}${separator}`,
    lt: `${prefix}${startText(range.uptoMs ?? latestStart)}${afterDigits}`,
  };
}

function startText(startMs: number): string {
  return String(Math.min(latestStart, Math.max(0, Math.trunc(startMs)))).padStart(startDigits, "0");
}

/** The name that `?name=` finds the activation by: of the binding if it was reached by one, with its package if any. */
function filterName(record: RecordDocument): string {
  const text = (key: string): string | undefined => {
    const value = record.annotations.find((annotation) => annotation.key === key)?.value;
    return typeof value === "string" ? value : undefined;
  };
  const binding = text("binding")?.split("/")[1];
  if (binding !== undefined) {
    return `${binding}/${record.name}`;
  }
  const path = text("path")?.split("/") ?? [];
  return path.length === 3 ? `${path[1]}/${record.name}` : record.name;
}

/** What the list of activations shows: for one without an end (a trigger's) neither end nor outcome. */
export function activationSummary(record: RecordDocument): { readonly [field: string]: unknown } {
  const ended = record.end !== 0;
  return {
    namespace: record.namespace,
    name: record.name,
    version: record.version,
    publish: record.publish,
    annotations: record.annotations,
    activationId: record.activationId,
    start: record.start,
    ...(ended ? { end: record.end, duration: record.duration ?? record.end - record.start } : {}),
    ...(record.cause === undefined ? {} : { cause: record.cause }),
    ...(ended ? { statusCode: record.response.statusCode } : {}),
  };
}
