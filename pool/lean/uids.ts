// The user ids of an invoker's containers, out of a range that no other invoker of this machine has at the same time.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hold } from "../hold.ts";
import { LeanError } from "./errors.ts";
import { NumberRange } from "./numbers.ts";

/** Where the invokers of a machine see each other's: a file for each range, named by its first id, and locked. */
const usualFolder = "/run/rewhisk/uids";
const lowestUid = 600_000;
const uidsEach = 4096;
const rangesMax = 256;

export interface UidOptions {
  /** Absent: of a range of its own. Given: nothing is locked. */
  readonly firstUid?: number;
  /** At most, and by default, 4096. */
  readonly uidCount?: number;
}

/** The kernel counts by user id what has no other owner: inotify's watches, pages of pipes, signals that wait, keys. */
export class Uids {
  readonly #options: UidOptions;
  readonly #folder: string;
  #opening: Promise<void> | undefined;
  #numbers: NumberRange | undefined;
  #hold: Hold | undefined;

  /** Nothing is taken yet. */
  constructor(options: UidOptions, folder: string = usualFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  /** One that no living container has. Throws LeanError: `no-uid` when all are taken, `uid-range` where none can be had. */
  async take(): Promise<number> {
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    return this.#range().take();
  }

  /** When nothing of its holder is left. */
  giveBack(uid: number): void {
    this.#range().giveBack(uid);
  }

  /** When no container is left. */
  async close(): Promise<void> {
    await this.#hold?.release();
  }

  #range(): NumberRange {
    if (this.#numbers === undefined) throw new LeanError("no-uid", "no user id has been taken");
    return this.#numbers;
  }

  async #open(): Promise<void> {
    const { uidCount = uidsEach } = this.#options;
    const firstUid = this.#options.firstUid ?? (await this.#holdLowest());
    const fullError = (count: number): LeanError =>
      new LeanError("no-uid", `all ${count} user ids from ${firstUid} on are in use`);
    this.#numbers = new NumberRange(firstUid, uidCount, fullError);
  }

  /** The first id of the lowest range that nobody holds. */
  async #holdLowest(): Promise<number> {
    const folder = this.#folder;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (let n = 0; n < rangesMax; n++) {
        const firstUid = lowestUid + n * uidsEach;
        const file = join(folder, String(firstUid));
        writeFileSync(file, "", { flag: "a", mode: 0o600 });
        this.#hold = await Hold.take(file, "alone");
        if (this.#hold !== undefined) return firstUid;
      }
    } catch (cause) {
      const what = `user ids of containers are shared out by files in ${folder}`;
      throw new LeanError("uid-range", `${what}: ${cause}`, { cause });
    }
    const why = `nothing in ${folder} can be locked: is flock there (Debian: util-linux)?`;
    throw new LeanError("uid-range", `no user ids for containers: ${why}`);
  }
}
