// Removes what the code store gives up: one archive after the other, which leaves threads to those that rewind.

import { renameSync } from "node:fs";
import { join } from "node:path";
import { remove } from "../restorer/index.ts";
import { freshOldName } from "./code-folder.ts";

export class CodeRemoval {
  readonly #folder: string;
  readonly #onTrouble: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  #bytes = 0;

  constructor(folder: string, onTrouble: (error: unknown) => void) {
    this.#folder = folder;
    this.#onTrouble = onTrouble;
  }

  /** What is still to be free. */
  get bytes(): number {
    return this.#bytes;
  }

  /** At once under another name, so that its own is free. What is not there is no trouble. */
  add(path: string, bytes = 0): void {
    const old = join(this.#folder, freshOldName());
    try {
      renameSync(path, old);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#onTrouble(error);
      return;
    }
    this.#bytes += bytes;
    this.#last = this.#last
      .then(() => remove(old))
      .catch(this.#onTrouble)
      .then(() => {
        this.#bytes -= bytes;
      });
  }

  /** When all that was added has gone, or has made trouble. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
