// The folder that a process has for its records alone, and those of processes that are gone.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Hold } from "../../../pool/index.ts";

/** So many processes of one invoker at a time; more than two are a mistake already. */
const mostAtOnce = 16;

/** Nobody else writes or reads in it while this process lives, however many have the same `parent`. */
export class SpoolFolder {
  readonly path: string;
  readonly #parent: string;
  readonly #hold: Hold;

  private constructor(parent: string, path: string, hold: Hold) {
    this.#parent = parent;
    this.path = path;
    this.#hold = hold;
  }

  /** The first one in `parent` that no living process has, with all that is in it. Throws what the file system does. */
  static async take(parent: string): Promise<SpoolFolder> {
    for (let number = 1; number <= mostAtOnce; number++) {
      const path = join(parent, String(number));
      await mkdir(path, { recursive: true, mode: 0o700 });
      const hold = await Hold.take(path, "alone");
      if (hold !== undefined) return new SpoolFolder(parent, path, hold);
    }
    throw new Error(`none of its folders 1 to ${mostAtOnce} can be locked (flock)`);
  }

  /** Has `empty` move everything out of the others that no living process has; none gets one meanwhile. Throws what `empty` does. */
  async adopt(empty: (path: string) => Promise<void>): Promise<void> {
    for (const name of await readdir(this.#parent)) {
      const path = join(this.#parent, name);
      if (!/^\d+$/.test(name) || path === this.path || (await readdir(path)).length === 0) continue;
      const hold = await Hold.take(path, "alone");
      if (hold === undefined) continue;
      try {
        await empty(path);
      } finally {
        await hold.release();
      }
    }
  }

  /** Whoever comes next has what is in it. */
  release(): Promise<void> {
    return this.#hold.release();
  }
}
