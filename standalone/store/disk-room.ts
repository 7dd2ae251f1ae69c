// Room on the disk: LevelDB must never meet a full one, for what it writes after that is lost at the next start.

import { statfsSync } from "node:fs";
import { StoreError, texts } from "../errors.ts";

const megabyte = 1 << 20;
/** What new data leaves free, so that what is there can be removed and records of what runs can be kept. */
const reserveBytes = 16 * megabyte;
/** With less than this nothing at all is written. It must be there at the start, too. */
export const leastBytes = 4 * megabyte;
/** Data is written to LevelDB's log, and again to its tables before the log is removed. */
const copies = 2;

/** Whether there is room for what is to be written. */
export interface Room {
  /** Throws StoreError `full` unless so many bytes can be added and the reserve is still there. */
  requireForNew(bytes: number): void;
  /** Throws StoreError `full` unless there is room for the little that removing and recording take. */
  requireForRest(): void;
  /** The StoreError `full` of a write that failed for want of room, all the same; undefined for another failure. */
  failure(error: unknown): StoreError | undefined;
}

/** A disk elsewhere, that somebody else watches. */
export const unwatchedRoom: Room = {
  requireForNew() {},
  requireForRest() {},
  failure: () => undefined,
};

/** Watches the disk that holds the data folder. A change is said in one line, not in one per request. */
export class DiskRoom implements Room {
  readonly #folder: string;
  readonly #say: (line: string) => void;
  #state: "enough" | "short" | "failed" = "enough";

  constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  requireForNew(bytes: number): void {
    this.#require(reserveBytes + copies * bytes);
  }

  requireForRest(): void {
    this.#require(leastBytes);
  }

  failure(error: unknown): StoreError | undefined {
    if (!isDiskFull(error)) {
      return undefined;
    }
    if (this.#state !== "failed") {
      this.#state = "failed";
      this.#say(
        `The disk that holds ${this.#folder} was full while it was written to. Nothing is stored or run any more: free some space and start again.`,
      );
    }
    return new StoreError("full", texts.diskFailed, { cause: error });
  }

  #require(bytes: number): void {
    if (this.#state === "failed") {
      throw new StoreError("full", texts.diskFailed);
    }
    const { bavail, bsize } = statfsSync(this.#folder);
    const freeBytes = bavail * bsize;
    if (this.#state === "enough" && freeBytes < reserveBytes) {
      this.#state = "short";
      this.#say(
        `The disk that holds ${this.#folder} is full: nothing new is stored or run until there are ${reserveBytes / megabyte} MB again.`,
      );
    } else if (this.#state === "short" && freeBytes >= reserveBytes) {
      this.#state = "enough";
      this.#say(`The disk that holds ${this.#folder} has room again.`);
    }
    if (freeBytes < bytes) {
      throw new StoreError("full", texts.diskFull);
    }
  }
}

/** Is a full disk, or a quota used up, the reason? LevelDB says so only in words. */
export function isDiskFull(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = "code" in current ? current.code : undefined;
    if (code === "ENOSPC" || code === "EDQUOT" || /No space left|quota exceeded/i.test(current.message)) {
      return true;
    }
  }
  return false;
}
