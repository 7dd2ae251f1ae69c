// The code of the action that a container runs, shown in it from this machine's disk: mounted before its init, gone with its rewind.

import { mkdirSync, readFileSync, rmdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeInScratch, hideCode, keepCode, showCode } from "../../restorer/index.ts";
import { LeanError } from "./errors.ts";
import { workFolder } from "./rootfs.ts";

/** Where a container sees the code of an archive, be it unpacked there or shown. */
export const codePlace = join(workFolder, "code");

/** What a process had open may be given back by the kernel a moment after its end: much later where others keep all processors busy. */
const patienceMs = 1000;
const shortestPauseMs = 1;
const longestPauseMs = 20;

export class ShownCode {
  readonly #initPid: number;
  readonly #scratchFd: number;
  /** The container's table of mounts without it; undefined: nothing is shown. */
  #mountsBefore: string | undefined;

  constructor(initPid: number, scratchFd: number) {
    this.#initPid = initPid;
    this.#scratchFd = scratchFd;
  }

  get isShown(): boolean {
    return this.#mountsBefore !== undefined;
  }

  /** Where nothing of an action runs. Rejects with RestorerError; then all is as before. */
  async show(folder: string): Promise<void> {
    const mounts = this.#mounts();
    // Ours, in a folder whose files only their owners may remove; a mount's place cannot be removed at all.
    mkdirSync(this.#place, { mode: 0o755 });
    try {
      await showCode(this.#initPid, folder, codePlace);
      this.#mountsBefore = mounts;
    } catch (error) {
      rmdirSync(this.#place);
      throw error;
    }
  }

  /**
   * After the rewind. The table of mounts is what it was, or this rejects with LeanError `survivor`: nothing that could still be reached is ever
   * detached. The place is left to the emptying of the scratch space.
   */
  async hide(): Promise<void> {
    if (this.#mountsBefore === undefined) return;
    let pausedMs = 0;
    for (
      let pauseMs = shortestPauseMs;
      !(await hideCode(this.#initPid, codePlace));
      pauseMs = Math.min(2 * pauseMs, longestPauseMs)
    ) {
      if (pausedMs > patienceMs)
        throw new LeanError("survivor", "something still uses the code that was shown");
      await sleep(pauseMs);
      pausedMs += pauseMs;
    }
    if (this.#mounts() !== this.#mountsBefore)
      throw new LeanError("survivor", "mounts are not what they were before the code was shown");
    this.#mountsBefore = undefined;
  }

  /** What was unpacked instead. Rejects with RestorerError. */
  keep(into: string, atMost: number): Promise<number> {
    return keepCode(this.#scratchFd, into, atMost);
  }

  unpackedBytes(): number {
    const { blocks, bfree, bsize, files, ffree } = statfsSync(`/proc/self/fd/${this.#scratchFd}`);
    return (blocks - bfree + files - ffree) * bsize;
  }

  get #place(): string {
    return `/proc/self/fd/${this.#scratchFd}/${codeInScratch}`;
  }

  #mounts(): string {
    return readFileSync(`/proc/${this.#initPid}/mountinfo`, "latin1");
  }
}
