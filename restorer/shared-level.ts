// A level that other containers of the same base can be brought to, whatever becomes of the one that took it.

import { fromNative } from "./errors.ts";
import {
  type NativeError,
  type NativeTimings,
  type ProcessHandle,
  rwBringToLevel,
  rwShareLevel,
} from "./native.ts";
import type { CheckpointSummary } from "./restorer.ts";
import { Shared } from "./shared.ts";

export class SharedLevel {
  /** Of the level as it was taken. */
  readonly summary: CheckpointSummary;
  readonly #shared: Shared;

  private constructor(handle: ProcessHandle, summary: CheckpointSummary) {
    this.summary = summary;
    this.#shared = new Shared(handle, "the shared level");
  }

  /** Of a process at its level; no call may be under way on it. Throws RestorerError, always *untouched*. */
  static of(process: ProcessHandle, summary: CheckpointSummary): SharedLevel {
    const error = {} as NativeError;
    const shared: [ProcessHandle | null] = [null];
    if (rwShareLevel(process, shared, error) === 0 && shared[0]) return new SharedLevel(shared[0], summary);
    throw fromNative("share a level", error);
  }

  /** Brings a process there. Rejects with RestorerError. */
  bring(process: ProcessHandle, verify: boolean): Promise<NativeTimings> {
    return this.#shared.use(async (level) => {
      const error = {} as NativeError;
      const timings = {} as NativeTimings;
      if ((await rwBringToLevel(process, level, verify ? 1 : 0, timings, error)) !== 0)
        throw fromNative("bring to a level", error);
      return timings;
    });
  }

  /** Frees the level as soon as nothing is being brought to it; what has been brought to it keeps it. Idempotent. */
  release(): void {
    this.#shared.release();
  }
}
