// The invoker as a deployment runs it: a process that is started again whenever it ends, each life under a name of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFolder } from "../../invoker/config/entries.ts";

/** One process, from its start to its end. */
export interface LifeStory {
  /** The displayed name, which acks carry. */
  readonly name: string;
  readonly startedMs: number;
  endedMs: number;
  /** What it ended by; undefined: it lives. */
  end: "killed" | "drained" | `exit ${number | string}` | undefined;
}

/** One line of a life's log. */
export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

const betweenLivesMs = 1_000;

export class Lives {
  readonly stories: LifeStory[] = [];
  readonly #folder: string;
  readonly #uniqueName: string;
  readonly #environment: { readonly [name: string]: string };
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isWanted: boolean = false;

  constructor(folder: string, uniqueName: string, environment: { readonly [name: string]: string }) {
    this.#folder = folder;
    this.#uniqueName = uniqueName;
    this.#environment = environment;
  }

  /** From now on there is one, whatever ends it. */
  start(): void {
    this.#isWanted = true;
    this.#begin();
  }

  /** Ends it at once, or in order with `drained`. It is not started again by itself. */
  async end(how: "killed" | "drained"): Promise<void> {
    this.#isWanted = false;
    const story = this.stories.at(-1);
    if (story?.end === undefined) {
      if (story) story.end = how;
      this.#child?.kill(how === "killed" ? "SIGKILL" : "SIGTERM");
    }
    await this.#ended;
  }

  /** What all lives have logged, in order. */
  log(): readonly LogLine[] {
    return this.stories.flatMap(({ name }) =>
      readFileSync(this.#fileOf(name), "utf8")
        .split("\n")
        .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as LogLine] : [])),
    );
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  #begin(): void {
    const story: LifeStory = {
      ...{ name: `life${this.stories.length + 1}`, startedMs: Date.now() },
      ...{ endedMs: Number.POSITIVE_INFINITY, end: undefined },
    };
    this.stories.push(story);
    const log = openSync(this.#fileOf(story.name), "a");
    const program = join(projectFolder(), "invoker", "start.mjs");
    const names = ["--uniqueName", this.#uniqueName, "--displayedName", story.name];
    const child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, program, ...names], {
      env: { PATH: process.env.PATH, ...this.#environment },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        story.endedMs = Date.now();
        // In order is in order only where the exit code says so too.
        if (story.end === undefined || (story.end === "drained" && code !== 0))
          story.end = `exit ${signal ?? code}`;
        resolve();
        void this.#again();
      });
    });
  }

  async #again(): Promise<void> {
    if (!this.#isWanted) return;
    const { length } = this.stories;
    await sleep(betweenLivesMs);
    if (this.#isWanted && this.stories.length === length) this.#begin();
  }
}
