// Records that are not in the database yet, on disk: segment files in one folder, a record a line.

import { existsSync } from "node:fs";
import { type FileHandle, mkdtemp, open, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Outgoing } from "./delivery.ts";
import { reasonOf, type TellEvent } from "./events.ts";
import { nameOf, numberOf, parseSegment, segmentNames, syncPath } from "./spool-files.ts";
import { SpoolFolder } from "./spool-folder.ts";

export interface SpoolSettings {
  /** Of this invoker; each of its processes has a folder of its own in it. */
  readonly folder: string;
  /** The files of one process together take no more. */
  readonly maxBytes: number;
}

/** One file. It goes when none of its records waits any more. */
export interface Segment {
  readonly path: string;
  /** All that was written completely. */
  bytes: number;
  /** Records that somebody who has them in hand has not released yet. */
  waiting: number;
  /** From here on its records are in nobody's hands; undefined: there are no such. */
  unreadFrom: number | undefined;
}

export interface AppendOptions {
  /** The records leave the caller's hands, until `readNext` gives them back. */
  readonly forget: boolean;
  readonly durably: boolean;
}

/** The spool takes nothing now. */
export class SpoolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SpoolError";
  }
}

/** A file of this size gets no more: so much is read at once, and so much is stored twice after a sudden death at most. */
const segmentBytes = 4 << 20;

function unusable(folder: string, cause: unknown): SpoolError {
  const what = `The folder ${folder}, where records wait for the database, cannot be used`;
  const remedy = "Change its owner or mode, or choose another.";
  return new SpoolError(`${what}: ${reasonOf(cause)}. ${remedy}`, { cause });
}

/** Tries whether a spool could be made or opened there, and leaves nothing behind. Throws SpoolError. */
export async function trySpool(folder: string): Promise<void> {
  let there = resolve(folder);
  while (!existsSync(there)) there = dirname(there);
  try {
    await rmdir(await mkdtemp(join(there, "check-")));
  } catch (error) {
    throw unusable(folder, error);
  }
}

/**
 * A record outlives this process from the moment `append` resolves: the kernel has it. It outlives the machine's
 * sudden end where it was appended `durably`, or before a `sync`.
 */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #tell: TellEvent;
  readonly #folder: SpoolFolder;
  /** Oldest first; what was adopted comes after what there was. */
  readonly #segments = new Set<Segment>();
  #nextNumber = 1;
  /** The one that is appended to. */
  #open: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed: boolean = false;

  private constructor(settings: SpoolSettings, folder: SpoolFolder, tell: TellEvent) {
    this.#settings = settings;
    this.#folder = folder;
    this.#tell = tell;
  }

  /** Finds and takes over what former lives could not store. Throws SpoolError. */
  static async open(settings: SpoolSettings, tell: TellEvent): Promise<Spool> {
    const { folder } = settings;
    let own: SpoolFolder | undefined;
    try {
      own = await SpoolFolder.take(folder);
      const spool = new Spool(settings, own, tell);
      await spool.#find();
      await spool.#adopt();
      return spool;
    } catch (error) {
      await own?.release();
      throw unusable(folder, error);
    }
  }

  /** Takes over what processes left that have ended since, into nobody's hands. Throws SpoolError. */
  async adopt(): Promise<void> {
    try {
      await this.#adopt();
    } catch (error) {
      const what = `What former lives left in ${this.#settings.folder} cannot be taken over`;
      throw new SpoolError(`${what}: ${reasonOf(error)}. Correct its owner or mode.`, { cause: error });
    }
  }

  /** Bytes of all files. */
  get bytes(): number {
    return [...this.#segments].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Are there records in nobody's hands? */
  get hasUnread(): boolean {
    return this.#firstUnread() !== undefined;
  }

  /**
   * Writes documents, each as JSON in one line, and gives the segment they are in. Throws SpoolError; then none of them
   * is kept.
   */
  append(texts: readonly string[], options: AppendOptions): Promise<Segment> {
    return this.#inTurn(async () => {
      const { folder, maxBytes } = this.#settings;
      const bytes = Buffer.from(`${texts.join("\n")}\n`);
      if (this.bytes + bytes.length > maxBytes) {
        throw new SpoolError(
          `${folder} holds as much as it may, ${maxBytes} bytes. Bring the database back, or raise the limit.`,
        );
      }
      try {
        const segment = await this.#write(bytes, options);
        if (!options.forget) segment.waiting += texts.length;
        else segment.unreadFrom ??= segment.bytes;
        segment.bytes += bytes.length;
        return segment;
      } catch (error) {
        throw new SpoolError(
          `${folder} cannot be written: ${reasonOf(error)}. Make room on its disk, or correct its mode.`,
          { cause: error },
        );
      }
    });
  }

  /** Puts the oldest records that are in nobody's hands into the caller's. Undefined: there are none. Throws SpoolError. */
  readNext(): Promise<{ readonly segment: Segment; readonly records: readonly Outgoing[] } | undefined> {
    return this.#inTurn(async () => {
      const segment = this.#firstUnread();
      if (segment === undefined) return undefined;
      if (segment === this.#open?.segment) await this.#closeFile();
      const from = segment.unreadFrom;
      // Whatever comes of it: this life does not try again, the next one does.
      segment.unreadFrom = undefined;
      let records: readonly Outgoing[];
      try {
        records = await this.#read(segment.path, from);
      } catch (error) {
        segment.waiting++;
        throw new SpoolError(`${segment.path} cannot be read: ${reasonOf(error)}.`, { cause: error });
      }
      segment.waiting += records.length;
      await this.#removeIfDone(segment);
      return { segment, records };
    });
  }

  /** So many records of the segment are stored, or given up. */
  async release(segment: Segment, count: number): Promise<void> {
    segment.waiting -= count;
    if (segment.waiting === 0) await this.#inTurn(() => this.#removeIfDone(segment));
  }

  /** All that was appended so far outlives the machine's sudden end from here on. */
  sync(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { path } of this.#segments) await syncPath(path);
      await syncPath(this.#folder.path);
      await syncPath(this.#settings.folder);
    });
  }

  /** What was not released stays for the next life. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isClosed = true;
      await this.#closeFile();
      await this.#folder.release();
    });
  }

  async #find(): Promise<void> {
    for (const name of await segmentNames(this.#folder.path)) {
      const path = join(this.#folder.path, name);
      await this.#addLeft(path);
      this.#nextNumber = numberOf(name) + 1;
    }
  }

  #adopt(): Promise<void> {
    return this.#folder.adopt((path) => this.#inTurn(() => this.#moveHere(path)));
  }

  async #moveHere(folder: string): Promise<void> {
    if (this.#isClosed) return;
    for (const name of await segmentNames(folder)) {
      const path = this.#nextPath();
      await rename(join(folder, name), path);
      await this.#addLeft(path);
    }
  }

  async #addLeft(path: string): Promise<void> {
    this.#segments.add({ path, bytes: (await stat(path)).size, waiting: 0, unreadFrom: 0 });
  }

  #nextPath(): string {
    return join(this.#folder.path, nameOf(this.#nextNumber++));
  }

  #firstUnread(): Segment | undefined {
    return [...this.#segments].find(({ unreadFrom }) => unreadFrom !== undefined);
  }

  /** One operation on files after the other. */
  #inTurn<Result>(operation: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #write(bytes: Buffer, { forget, durably }: AppendOptions): Promise<Segment> {
    const before = this.#open?.segment;
    const isFull = before !== undefined && before.bytes >= segmentBytes;
    // What is read back is a file to its end: nothing that somebody has in hand may follow there.
    if (isFull || (!forget && before?.unreadFrom !== undefined)) await this.#closeFile();
    this.#open ??= await this.#create();
    const { segment, file } = this.#open;
    try {
      await file.appendFile(bytes);
      if (durably) await file.datasync();
      if (durably && segment.bytes === 0) await syncPath(this.#folder.path);
    } catch (error) {
      // A torn line may only be the last of a file.
      await file.truncate(segment.bytes).catch(() => this.#closeFile());
      throw error;
    }
    return segment;
  }

  async #create(): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    const path = this.#nextPath();
    const file = await open(path, "ax", 0o600);
    const segment = { path, bytes: 0, waiting: 0, unreadFrom: undefined };
    this.#segments.add(segment);
    return { segment, file };
  }

  async #read(file: string, from: number | undefined): Promise<readonly Outgoing[]> {
    const { records, lostBytes } = parseSegment((await readFile(file)).subarray(from));
    if (lostBytes > 0) this.#tell({ event: "spool-torn", file, lostBytes });
    return records;
  }

  async #closeFile(): Promise<void> {
    const closing = this.#open;
    this.#open = undefined;
    if (closing === undefined) return;
    await closing.file.close();
    await this.#removeIfDone(closing.segment);
  }

  async #removeIfDone(segment: Segment): Promise<void> {
    if (segment.waiting > 0 || segment.unreadFrom !== undefined) return;
    if (segment === this.#open?.segment) {
      await this.#open.file.truncate(0);
      segment.bytes = 0;
    } else {
      await rm(segment.path, { force: true });
      this.#segments.delete(segment);
    }
  }
}
