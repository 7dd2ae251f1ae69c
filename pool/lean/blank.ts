// A container with all but its runtime: it waits to be told how much memory it has and what to run. Or with a runtime that was booted
// before anybody wanted it.

import { closeSync, readFileSync, readSync } from "node:fs";
import { constants } from "node:os";
import type { LeanStart, WaitingProcess } from "../../restorer/index.ts";
import type { Checkpoint } from "../machine.ts";
import { Channel } from "../proxy/channel.ts";
import { within } from "../time.ts";
import type { ContainerCgroups } from "./cgroups.ts";
import type { ContainerNetwork } from "./container-network.ts";
import { hasEnded, LeanError } from "./errors.ts";
import { Launcher } from "./launcher.ts";

/** Of what a runtime has said that could not be started. */
const wordsBytes = 300;
/** The runtime is the launcher's only child: the second process of its pid namespace. */
const runtimePidInside = "2";

/** What a container holds from before its start until it is gone. */
export interface Held {
  readonly uid: number;
  readonly network: ContainerNetwork;
}

interface BlankParts {
  readonly id: string;
  readonly kind: string;
  readonly held: Held;
  readonly cgroups: ContainerCgroups;
  readonly started: LeanStart;
  /** For each step that the launcher takes. */
  readonly startTimeoutMs: number;
  /** Once, when nothing of it is left, and no sandbox has become of it. */
  readonly onGone: () => void | Promise<void>;
}

/** A runtime that has been booted ahead. */
export interface BootedAhead {
  readonly runtimePid: number;
  readonly checkpoint: Checkpoint;
  /** There is another template by now, or none. */
  readonly isOver: () => boolean;
}

/** From the start of its launcher to that of its runtime; or until somebody takes what was booted ahead. */
export class Blank {
  readonly parts: BlankParts;
  readonly launcher: Launcher;
  /** Whoever takes it frees the checkpoint. */
  booted: BootedAhead | undefined;
  #channel: Channel | undefined;
  #hasEnded: boolean = false;
  #removed: Promise<string> | undefined;

  constructor(parts: BlankParts) {
    this.parts = parts;
    this.launcher = new Launcher(parts.started);
    void this.launcher.ended.then(() => {
      this.#hasEnded = true;
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded || (this.booted !== undefined && (this.booted.isOver() || !this.#isQuiet));
  }

  /** To the runtime, once it runs. Whoever takes it closes it. */
  openChannel(): Channel {
    this.#channel ??= Channel.open(this.parts.started.channelFd);
    return this.#channel;
  }

  /** Has its launcher make a process that waits to be given a program. */
  async wait(): Promise<WaitingProcess> {
    this.launcher.orderRuntime();
    await this.inTime(this.launcher.waiting);
    return { pid: this.findRuntime(), goFd: this.parts.started.channelFd };
  }

  /** By the time we look it may have made children already. Throws LeanError. */
  findRuntime(): number {
    const found = this.parts.cgroups.processes().find((pid) => pidInside(pid) === runtimePidInside);
    if (found === undefined) throw new LeanError("process-gone", "the runtime ended at once");
    return found;
  }

  /** Resolves when the launcher has got so far, or rejects with LeanError. */
  async inTime(step: Promise<void>): Promise<void> {
    const { id, startTimeoutMs } = this.parts;
    const end = Promise.race([step.then(() => "done" as const), this.launcher.ended]);
    const first = await within(startTimeoutMs, end);
    if (first === "done") return;
    if (first === undefined)
      throw new LeanError("start", `container ${id} was not set up within ${startTimeoutMs} ms`);
    const hasFailed = first.cause === "failed";
    const how = hasFailed ? first.message : `${first.cause} ${first.status} ${first.message}`;
    const code = hasFailed || !this.launcher.isSetUp ? "start" : "process-gone";
    throw new LeanError(code, `container ${id} could not be set up: ${how}`);
  }

  /** True: which says nothing of what it runs, unlike any other end. */
  async wasKilled(failure: unknown): Promise<boolean> {
    if (!hasEnded(failure)) return false;
    const end = await within(this.parts.startTimeoutMs, this.launcher.ended);
    return end?.cause === "signal" && end.status === constants.signals.SIGKILL;
  }

  /** Removes it, and says why there is none. */
  async failed(cause: unknown): Promise<LeanError> {
    const words = await this.remove();
    if (cause instanceof LeanError) return new LeanError(cause.code, cause.message + words, { cause });
    const end = await this.launcher.ended;
    const why = end.cause === "failed" ? end.message : cause;
    return new LeanError("start", `container ${this.parts.id}: ${why}${words}`, { cause });
  }

  /** Kills what there is of it, and removes all traces. What it said last. Idempotent. Rejects with LeanError `removal`. */
  remove(): Promise<string> {
    this.#removed ??= this.#remove();
    return this.#removed;
  }

  /** It has said nothing unasked. */
  get #isQuiet(): boolean {
    return this.#channel?.stray === undefined && this.#channel?.isClosed !== true;
  }

  async close(): Promise<void> {
    await this.remove();
  }

  async #remove(): Promise<string> {
    const { started, cgroups, onGone } = this.parts;
    this.launcher.kill();
    await this.launcher.ended;
    const words = lastWords(started.stderrFd);
    for (const fd of [started.stdoutFd, started.stderrFd]) closeSync(fd);
    if (this.#channel === undefined) closeSync(started.channelFd);
    else this.#channel.close();
    this.booted?.checkpoint.release();
    this.booted = undefined;
    await cgroups.remove();
    await onGone();
    return words;
  }
}

/** What a runtime has complained of that ended at once, and nobody else will read. */
function lastWords(fd: number): string {
  const buffer = Buffer.alloc(wordsBytes);
  try {
    const words = buffer.toString("utf8", 0, readSync(fd, buffer)).trim().replaceAll(/\s+/g, " ");
    return words === "" ? "" : `: ${words}`;
  } catch {
    return "";
  }
}

/** In the innermost namespace; undefined where it has gone. */
function pidInside(pid: number): string | undefined {
  try {
    return /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  } catch {
    return undefined;
  }
}
