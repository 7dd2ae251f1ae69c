// Takes records to the spool, one write after the other, and past it while its disk does not keep up.

import { countWithin } from "../../batches.ts";
import { bytesOf, type Outgoing } from "./delivery.ts";
import { type AppendOptions, type Segment, type Spool, SpoolError } from "./spool.ts";

export interface IntakeParts<Item extends Outgoing> {
  readonly spool: Spool;
  /** What comes beyond while the disk is busy does not wait for it; a write's worth always may. */
  readonly limitBytes: number;
  /** For the next write. */
  readonly options: () => AppendOptions;
  readonly onWritten: (items: readonly Item[], segment: Segment, how: AppendOptions) => void;
  /** The disk takes them not, or not in good time. */
  readonly onRefused: (items: readonly Item[], error: unknown) => void;
  /** Written after all, long after they were refused. */
  readonly onLate: (items: readonly Item[], segment: Segment, how: AppendOptions) => void;
  /** Nothing waits for the disk any more. */
  readonly onEmpty: () => void;
}

/** What has come during one write goes into the next, so much at most. */
const writeBytes = 1 << 20;
/** A disk that hangs is gone on without from then on. */
const longestWriteMs = 2_000;

/** Every record is written or refused before long, whatever the disk does. */
export class Intake<Item extends Outgoing> {
  readonly #parts: IntakeParts<Item>;
  /** Oldest first. */
  #incoming: Item[] = [];
  #incomingBytes = 0;
  /** In the write that is under way, and not refused meanwhile. */
  #offered: readonly Item[] = [];
  #writing: Promise<void> | undefined;
  /** Why nothing is waited for; undefined as soon as the write that is under way has ended. */
  #stall: SpoolError | undefined;

  constructor(parts: IntakeParts<Item>) {
    this.#parts = parts;
  }

  /** Records that wait for the disk. */
  get waiting(): number {
    return this.#incoming.length + this.#offered.length;
  }

  /** Settles when nothing waits for the disk; undefined: nothing does. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  add(items: readonly Item[]): void {
    if (this.#stall !== undefined) {
      this.#parts.onRefused(items, this.#stall);
      return;
    }
    this.#incoming.push(...items);
    this.#incomingBytes += bytesOf(items);
    const isTooMuch = this.#incomingBytes > Math.max(this.#parts.limitBytes, writeBytes);
    if (isTooMuch && this.#offered.length > 0) this.goOn("is slower than records come");
    this.#writing ??= this.#writeAll();
  }

  /** Refuses what waits, and what comes until the write that is under way has ended. */
  goOn(why: string): void {
    if (this.#writing === undefined || this.#stall !== undefined) return;
    this.#stall = new SpoolError(
      `The disk of the spool ${why}. See what else it has to do, or choose another.`,
    );
    const refused = [...this.#offered, ...this.#incoming];
    this.#offered = [];
    this.#incoming = [];
    this.#incomingBytes = 0;
    this.#parts.onRefused(refused, this.#stall);
  }

  async #writeAll(): Promise<void> {
    while (this.#incoming.length > 0) await this.#write();
    // In the same breath as the last look at what is incoming: nothing can come in between.
    this.#writing = undefined;
    this.#parts.onEmpty();
  }

  async #write(): Promise<void> {
    const { spool, options, onWritten, onRefused, onLate } = this.#parts;
    const batch = this.#incoming.splice(
      0,
      countWithin(writeBytes, this.#incoming, ({ bytes }) => bytes),
    );
    this.#incomingBytes -= bytesOf(batch);
    this.#offered = batch;
    const how = options();
    const patience = setTimeout(() => this.goOn("does not answer"), longestWriteMs).unref();
    const texts = batch.map(({ text }) => text);
    const written = await spool.append(texts, how).catch((error: unknown) => ({ error }));
    clearTimeout(patience);
    const isLate = this.#stall !== undefined;
    this.#stall = undefined;
    this.#offered = [];
    if ("error" in written) onRefused(isLate ? [] : batch, written.error);
    else if (isLate) onLate(batch, written, how);
    else onWritten(batch, written, how);
  }
}
