// Records on their way to the activations database: to disk first, then to the database, as often as it takes.

import { within } from "../../../pool/index.ts";
import { countWithin } from "../../batches.ts";
import type { ActivationDocument } from "../../wire/documents.ts";
import type { ActivationStore } from "../stores.ts";
import type { CouchConnection } from "./connection.ts";
import { Delivery, type Outgoing } from "./delivery.ts";
import { databaseText } from "./document-text.ts";
import { reasonOf, type TellEvent } from "./events.ts";
import { Intake } from "./intake.ts";
import { type DatabaseMeter, noMeter } from "./meter.ts";
import type { Segment, Spool } from "./spool.ts";

export interface RecordsSettings {
  readonly database: string;
  /** For records in memory because the database is slow or away, so much again for those that wait for the disk, and once more for those that it does not take. */
  readonly memoryBytes: number;
}

/** For operators. Nothing waits anywhere iff `waiting` and `spooledBytes` are 0. */
export interface RecordsStatus {
  /** Records in memory that are not stored yet. */
  readonly waiting: number;
  /** Of the files with records that are not stored yet. */
  readonly spooledBytes: number;
  /** Lost for want of room on disk and in memory. */
  readonly dropped: number;
  /** Lost because the database never takes such documents. */
  readonly refused: number;
  readonly isDatabaseAway: boolean;
  readonly lastError: string | undefined;
}

/** A record is kept nowhere. */
export class RecordLostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RecordLostError";
  }
}

interface Waiting extends Outgoing {
  /** Undefined: it is in memory alone. */
  segment: Segment | undefined;
  /** Stored, or given up. */
  isDone: boolean;
  /** Of a monotonic clock; undefined: it was on disk alone in between. */
  readonly sinceMs: number | undefined;
  readonly kept: () => void;
  readonly lost: (error: RecordLostError) => void;
}

/** A process whose records nobody has any more is noticed so long after its end at most. */
const adoptEveryMs = 5_000;
/** An orderly end waits so long for each thing that the disk is to do. */
const farewellMs = 1_000;

/** `store` resolves when the record outlives this process, wherever it is then. */
export class CouchRecords implements ActivationStore {
  readonly #settings: RecordsSettings;
  readonly #tell: TellEvent;
  readonly #meter: DatabaseMeter;
  readonly #spool: Spool;
  readonly #delivery: Delivery<Waiting>;
  readonly #intake: Intake<Waiting>;
  #reading: Promise<void> | undefined;
  #spoolFails = false;
  #dropped = 0;
  #refused = 0;
  #idle: (() => void)[] = [];
  #adoption: NodeJS.Timeout;
  #cannotAdopt = false;
  #isClosed: boolean = false;

  /** Sends what former lives left in the spool, too, and closes it. */
  constructor(
    connection: CouchConnection,
    settings: RecordsSettings,
    spool: Spool,
    tell: TellEvent,
    meter: DatabaseMeter = noMeter,
  ) {
    this.#settings = settings;
    this.#tell = tell;
    this.#meter = meter;
    this.#spool = spool;
    this.#intake = new Intake({
      ...{ spool, limitBytes: settings.memoryBytes },
      options: () => ({
        forget: this.#delivery.queueBytes > settings.memoryBytes,
        durably: this.#delivery.isAway,
      }),
      onWritten: (items, segment, { forget }) => {
        for (const item of items) keptIn(segment, item);
        if (!forget) this.#delivery.add(items);
        this.#noteSpool(undefined);
      },
      onRefused: (items, error) => {
        this.#noteSpool(error);
        this.#keepInMemory(items);
      },
      onLate: (items, segment, { forget }) => {
        // What is in nobody's hands on disk as well is stored twice, which the database takes for once.
        if (!forget) this.#keptLate(items, segment);
        this.#noteSpool(undefined);
      },
      onEmpty: () => this.#readBack(),
    });
    this.#delivery = new Delivery({
      connection,
      database: settings.database,
      onStored: (items) => this.#done(items, false),
      onRefused: (item, reason) => {
        tell({ event: "record-refused", id: item.id, reason, refused: ++this.#refused });
        item.lost(new RecordLostError(`The database refuses ${reason}`));
        this.#done([item], true);
      },
      onAway: (reason) => {
        tell({ event: "database-away", reason });
        this.#spool.sync().catch((error: unknown) => this.#noteSpool(error));
      },
      onBack: () => tell({ event: "database-back", waiting: this.status().waiting }),
      onEmpty: () => this.#readBack(),
    });
    this.#adoption = setTimeout(() => void this.#adopt(), adoptEveryMs).unref();
    this.#readBack();
  }

  /** Rejects with RecordLostError where there is room nowhere, or where the database refuses a record that is in memory alone. */
  store(document: ActivationDocument): Promise<void> {
    const text = databaseText(document);
    this.#meter.begun("saveDocument");
    const sinceMs = performance.now();
    return new Promise((kept, lost) => {
      const bytes = Buffer.byteLength(text);
      const fresh = { segment: undefined, isDone: false };
      this.#intake.add([{ id: document._id, text, bytes, ...fresh, sinceMs, kept, lost }]);
    });
  }

  status(): RecordsStatus {
    return {
      waiting: this.#intake.waiting + this.#delivery.waiting,
      spooledBytes: this.#spool.bytes,
      dropped: this.#dropped,
      refused: this.#refused,
      isDatabaseAway: this.#delivery.isAway,
      lastError: this.#delivery.lastError,
    };
  }

  /** Waits up to `graceMs` until all is stored. */
  async settle(graceMs: number): Promise<void> {
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#readBack();
    await within(graceMs, idle);
  }

  /** Waits for the requests that are under way. What is not stored by then stays in the spool for the next life. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#adoption);
    await within(farewellMs, Promise.resolve(this.#intake.writing));
    this.#intake.goOn("does not answer");
    await this.#delivery.close();
    await within(farewellMs, Promise.resolve(this.#reading));
    for (const item of this.#delivery.takeBack(({ segment }) => segment === undefined)) this.#drop(item);
    await within(farewellMs, this.#spool.close());
  }

  /** What processes left that have ended since the start. */
  async #adopt(): Promise<void> {
    try {
      await this.#spool.adopt();
      this.#cannotAdopt = false;
    } catch (error) {
      if (!this.#cannotAdopt) this.#tell({ event: "spool-unreadable", reason: reasonOf(error) });
      this.#cannotAdopt = true;
    }
    this.#readBack();
    if (!this.#isClosed) this.#adoption.refresh();
  }

  /** Takes over the oldest records that are on disk alone, once no other is to be sent. */
  #readBack(): void {
    const { queueBytes, isAway, waiting } = this.#delivery;
    if (this.#reading !== undefined || queueBytes > 0 || isAway) return;
    if (!this.#spool.hasUnread) {
      if (waiting > 0 || this.#intake.writing !== undefined) return;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const read = async (): Promise<void> => {
      try {
        const found = await this.#spool.readNext();
        const segment = found?.segment;
        const items = found?.records.map((record) => ({ ...record, segment, ...nobodyAsks }));
        this.#delivery.add(items ?? []);
      } catch (error) {
        this.#tell({ event: "spool-unreadable", reason: reasonOf(error) });
      }
    };
    this.#reading = read().finally(() => {
      this.#reading = undefined;
      this.#readBack();
    });
  }

  /** They wait no more. */
  #done(items: readonly Waiting[], isRefused: boolean): void {
    const counts = new Map<Segment, number>();
    const nowMs = performance.now();
    for (const item of items) {
      const { segment, sinceMs, kept } = item;
      item.isDone = true;
      if (sinceMs !== undefined) this.#meter.ended("saveDocument", nowMs - sinceMs, isRefused);
      if (segment !== undefined) counts.set(segment, (counts.get(segment) ?? 0) + 1);
      kept();
    }
    for (const [segment, count] of counts) {
      this.#release(segment, count);
    }
  }

  #release(segment: Segment, count: number): void {
    this.#spool.release(segment, count).catch((error: unknown) => this.#noteSpool(error));
  }

  /** They have been in memory alone meanwhile, and some need the disk no more. */
  #keptLate(items: readonly Waiting[], segment: Segment): void {
    for (const item of items) if (!item.isDone) keptIn(segment, item);
    const done = items.filter(({ isDone }) => isDone).length;
    if (done > 0) this.#release(segment, done);
  }

  /** Says when the spool begins to fail, and when it takes records again: then also those that it could not take. */
  #noteSpool(error: unknown): void {
    if (error !== undefined && !this.#spoolFails) {
      this.#spoolFails = true;
      this.#tell({ event: "spool-failed", reason: reasonOf(error) });
    } else if (error === undefined && this.#spoolFails) {
      this.#spoolFails = false;
      this.#tell({ event: "spool-works-again" });
      this.#intake.add(this.#delivery.takeBack(({ segment }) => segment === undefined));
    }
  }

  /** Where the spool takes none. Of those that wait so, the newest stay. */
  #keepInMemory(batch: readonly Waiting[]): void {
    const alone = [...this.#delivery.takeBack(({ segment }) => segment === undefined), ...batch];
    const surplus =
      alone.length - countWithin(this.#settings.memoryBytes, alone.toReversed(), ({ bytes }) => bytes);
    for (const item of alone.slice(0, surplus)) this.#drop(item);
    this.#delivery.add(alone.slice(surplus));
  }

  #drop(item: Waiting): void {
    const { id, sinceMs, lost } = item;
    item.isDone = true;
    if (sinceMs !== undefined) this.#meter.ended("saveDocument", performance.now() - sinceMs, true);
    this.#tell({ event: "record-dropped", id, dropped: ++this.#dropped });
    lost(new RecordLostError(`There was room for ${id} neither on disk nor in memory.`));
  }
}

const nobodyAsks = { isDone: false, sinceMs: undefined, kept: (): void => {}, lost: (): void => {} };

function keptIn(segment: Segment, item: Waiting): void {
  item.segment = segment;
  item.kept();
}
