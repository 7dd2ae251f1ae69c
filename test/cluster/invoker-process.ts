// The program of a cluster's invoker in a process of its own, as an operator starts it: what it logs, what it takes, how it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectFolder } from "../../invoker/config/entries.ts";

/** A line of its log; what is no JSON has `text` alone. */
export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

const shownLines = 20;

export class InvokerProcess {
  readonly log: LogLine[] = [];
  /** Exit code and signal. */
  readonly ended: Promise<unknown[]>;
  readonly #child: ChildProcess;

  /** The variables are all that it has beside PATH. It drains when this process ends in whatever way. */
  constructor(environment: { readonly [name: string]: string }, args: readonly string[]) {
    const program = join(projectFolder(), "invoker", "start.mjs");
    this.#child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, program, ...args], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
        this.log.push(line.startsWith("{") ? (JSON.parse(line) as LogLine) : { text: line });
      });
    }
    this.ended = once(this.#child, "close");
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The most memory that it has ever had at a time. */
  peakBytes(): number {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "latin1")) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** The end of its log, for who wants to know why it is not as it should be. */
  lastLines(): string {
    return this.log
      .slice(-shownLines)
      .map((line) => JSON.stringify(line))
      .join("\n");
  }

  /** Gives exit code and signal. Idempotent. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<unknown[]> {
    this.#child.kill(signal);
    return await this.ended;
  }
}
