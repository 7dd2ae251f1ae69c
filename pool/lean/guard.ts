// A small process that outlives this one for a moment: it removes the cgroups that a sudden death would leave behind.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { muteStops, nativeFolder } from "../../restorer/index.ts";
import { LeanError } from "./errors.ts";

/** See native/guard.c. It keeps nobody from ending. */
export class Guard {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** In a session of its own: neither a terminal's Ctrl-C nor its end reaches it. Throws LeanError. */
  constructor(folders: readonly string[]) {
    this.#child = spawn(join(nativeFolder, "guard"), folders, {
      cwd: "/",
      env: {},
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#ended = once(this.#child, "exit").catch(() => undefined);
    if (this.#child.pid === undefined)
      throw new LeanError("start", "the guard of the cgroups cannot be started");
    // Somebody may have killed it: the next start will do its work.
    this.#child.stdin?.on("error", () => undefined);
    // It lives as long as containers do.
    muteStops();
    this.#child.unref();
    (this.#child.stdin as Socket).unref();
  }

  /** Lets it go, and waits until it has. */
  async end(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#ended;
  }
}
