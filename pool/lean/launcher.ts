// The host's view of one launcher process: what it says, and that it and its container are gone.

import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type LeanStart, reapLean } from "../../restorer/index.ts";
import { killIfThere } from "./cgroups.ts";
import { LeanError } from "./errors.ts";

/** How the runtime ended, as its launcher tells it. `failed`: it never ran, and `message` names the step. */
export interface LauncherEnd {
  readonly cause: "exit" | "signal" | "failed";
  readonly status: number;
  readonly message: string;
}

/** With the launcher dead the kernel still has to end all others of its pid namespace before it can be collected. */
const firstReapPauseMs = 1;
const longestReapPauseMs = 50;

/** The end that a line announces; undefined for lines that announce none. */
export function parseEnd(line: string): LauncherEnd | undefined {
  const [, cause, rest = ""] = /^(exit|signal|failed) (.*)$/.exec(line) ?? [];
  if (cause === "exit" || cause === "signal") return { cause, status: Number(rest), message: "" };
  return cause === "failed" ? { cause, status: 127, message: rest } : undefined;
}

/** Watches the launcher from its start to its collection, which nobody else may do. */
export class Launcher {
  readonly #pid: number;
  readonly #socket: Socket;
  #text = "";
  #announced: LauncherEnd | undefined;
  #isReaped: boolean = false;
  #isSetUp: boolean = false;
  #onStarted: () => void = () => undefined;
  #onVacant: () => void = () => undefined;
  #onWaiting: () => void = () => undefined;
  /** Resolves when all is there but a runtime; never where the launcher was not told to wait. */
  readonly vacant: Promise<void>;
  /** Resolves when there is a runtime that waits to be executed. */
  readonly waiting: Promise<void>;
  /** Resolves when the runtime has been executed; never when it could not be: see `ended`. */
  readonly started: Promise<void>;
  /** Resolves when no process of the container is left. */
  readonly ended: Promise<LauncherEnd>;

  constructor({ initPid, statusFd }: LeanStart) {
    this.#pid = initPid;
    this.started = new Promise((resolve) => {
      this.#onStarted = resolve;
    });
    this.vacant = new Promise((resolve) => {
      this.#onVacant = resolve;
    });
    this.waiting = new Promise((resolve) => {
      this.#onWaiting = resolve;
    });
    this.#socket = new Socket({ fd: statusFd, readable: true, writable: false });
    this.#socket.on("data", (piece: Buffer) => this.#take(piece.toString("utf8")));
    this.#socket.on("error", () => this.#socket.destroy());
    this.ended = new Promise<void>((resolve) => this.#socket.on("close", () => resolve())).then(() =>
      this.#collect(),
    );
  }

  /** Ends the container. Harmless when it has ended: the id stays its own until it is collected. */
  kill(): void {
    if (!this.#isReaped) killIfThere(this.#pid);
  }

  /** Its own as long as nothing is awaited: it is collected by this thread alone. Throws LeanError where it has been, and another may have its id. */
  get pid(): number {
    if (this.#isReaped)
      throw new LeanError("process-gone", "the container has ended before its runtime was there");
    return this.#pid;
  }

  /** True: all was there but a runtime; so what has ended it is not what it was given. */
  get isSetUp(): boolean {
    return this.#isSetUp;
  }

  /** Has one that waits make a runtime. Throws LeanError where it has ended. */
  orderRuntime(): void {
    process.kill(this.pid, "SIGUSR2");
  }

  #take(piece: string): void {
    const lines = (this.#text + piece).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      // The first end is the true one: a runtime that failed to start has a launcher that sees it exit.
      this.#announced ??= parseEnd(line);
      if (line === "vacant" || line === "waiting") this.#isSetUp = true;
      if (line === "vacant") this.#onVacant();
      if (line === "waiting") this.#onWaiting();
      if (line === "started" && this.#announced === undefined) this.#onStarted();
    }
  }

  async #collect(): Promise<LauncherEnd> {
    for (let pauseMs = firstReapPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestReapPauseMs)) {
      const end = reapLean(this.#pid);
      if (end !== undefined) {
        this.#isReaped = true;
        return this.#announced ?? { ...end, message: "the launcher was ended" };
      }
      await sleep(pauseMs);
    }
  }
}
