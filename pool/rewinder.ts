// Puts one container back to its checkpoint, and believes it only when all around it is quiet.

import type { CheckpointLevel, RewindTimings } from "../restorer/index.ts";
import type { CommonMemory } from "./interior.ts";
import type { Sandbox } from "./lean/sandbox.ts";
import { type LevelRefusal, refusalOf } from "./levels.ts";
import type { ContainerLogs, PendingBytes } from "./logs.ts";
import type { Checkpoint, Machine, RewindStep, SharedLevel } from "./machine.ts";
import type { Channel } from "./proxy/channel.ts";
import type { Bringing } from "./shared-levels.ts";
import { within } from "./time.ts";
import { type PoolSettings, TaintError } from "./types.ts";

/** After an init a thread or two may still be at work; the activation waits for them, a millisecond for each try. */
const quietTries = 10;
const bytesPerPage = 4096;

/** What of a container is put back, or looked at afterwards. */
export interface Inside {
  readonly sandbox: Sandbox;
  readonly channel: Channel;
  readonly logs: ContainerLogs;
}

type RewindSettings = Pick<PoolSettings, "verifyFirst" | "verifyOneIn" | "rewindTimeoutMs">;

export class Rewinder {
  readonly #inside: Inside;
  readonly #checkpoint: Checkpoint;
  readonly #pendingBytes: PendingBytes;
  readonly #templates: Machine["templates"];
  readonly #leftOut: RewindStep | undefined;
  readonly #settings: RewindSettings;
  #rewinds = 0;
  /** It was found equal, and has been stopped since. */
  #isHalted: boolean;
  /** It has been come back to, and was found equal. */
  #isLevelProven: boolean = false;
  #underWay: Promise<unknown> | undefined;

  constructor(
    inside: Inside,
    checkpoint: Checkpoint,
    machine: Machine,
    settings: RewindSettings,
    isHalted = false,
  ) {
    this.#inside = inside;
    this.#checkpoint = checkpoint;
    this.#pendingBytes = machine.pendingBytes;
    this.#templates = machine.templates;
    this.#leftOut = machine.leftOut;
    this.#settings = settings;
    this.#isHalted = isHalted;
  }

  /**
   * Kills all but the runtime, puts that back, hides the code, empties the scratch space: a level's code stays. `keep` sees what nobody writes to any more.
   * Throws TaintError or what the restorer throws.
   */
  async rewind(to: CheckpointLevel, keep?: () => Promise<void>): Promise<RewindTimings | undefined> {
    const { sandbox, logs } = this.#inside;
    const { threads } = this.#target(to);
    await this.#step("kill-others", () => sandbox.killOthers(threads));
    const timings = await this.#rewindInTime(to);
    this.#step("kill-others", () => sandbox.allowOthers(threads));
    await this.#step("kill-others", () => sandbox.awaitReaped(threads));
    // Nothing prints any more: what is in the pipes is the rest of what was printed before.
    this.#step("drain-output", () => logs.drain());
    this.#step("quiet-channel", () => this.#requireQuiet());
    // A file may be open in a message that lies in a socket's queue.
    await this.#step("no-sockets", () => sandbox.awaitNoSockets());
    if (to === "base") await this.#step("hide-code", () => sandbox.hideCode());
    await keep?.();
    await this.#step("empty-scratch", () => sandbox.emptyScratch());
    return timings;
  }

  /**
   * What the container is now becomes a level of its checkpoint: of memory and all that a process is, but of no files, processes or
   * sockets. Gives its size, at most that of the room, or why there is none. Throws TaintError or what the restorer throws.
   */
  async takeLevel(
    roomBytes: number,
  ): Promise<{ readonly bytes: number } | { readonly refused: LevelRefusal }> {
    // Somebody who shares the runtime's memory could write to it between what the level is told by and what is watched from then on.
    return await this.#inside.sandbox.withoutBirths(() => this.#takeLevel(roomBytes));
  }

  async #takeLevel(
    roomBytes: number,
  ): Promise<{ readonly bytes: number } | { readonly refused: LevelRefusal }> {
    const before = this.#obstacle();
    if (before !== undefined) return { refused: before };
    this.#requireQuiet({ isPrinting: true });
    try {
      const limits = { tries: quietTries, pages: Math.floor(roomBytes / bytesPerPage) };
      const taking = this.#checkpoint.takeLevel(limits).then((level) => ({ level }));
      const { level } = await this.#inTime("the taking of an action checkpoint", taking);
      if (level === undefined) return { refused: "memory" };
      this.#isLevelProven = false;
      // Other threads may have gone on until the freeze.
      const after = this.#obstacle();
      return after === undefined ? { bytes: level.pages * bytesPerPage } : { refused: after };
    } catch (error) {
      return { refused: refusalOf(error) };
    }
  }

  /** Of the level just taken; undefined where it is this container's alone. Throws what the restorer throws. */
  shareLevel(): SharedLevel | undefined {
    try {
      return this.#checkpoint.shareLevel?.();
    } catch (error) {
      refusalOf(error);
      return undefined;
    }
  }

  /** From the base. False: it is at its base as before. Throws TaintError or what the restorer throws. */
  async bringToLevel({ level, verify }: Bringing): Promise<boolean> {
    this.#requireQuiet();
    try {
      const bringing = this.#checkpoint.bringToLevel?.(level, { verify });
      if (bringing === undefined) return false;
      await this.#inTime("the bringing to an action checkpoint", bringing);
      this.#isLevelProven = verify;
      return true;
    } catch (error) {
      refusalOf(error);
      return false;
    }
  }

  #obstacle(): LevelRefusal | undefined {
    const { sandbox } = this.#inside;
    if (!sandbox.isAlone()) return "processes";
    if (sandbox.hasSockets()) return "sockets";
    return sandbox.hasFiles() ? "files" : undefined;
  }

  /** The image, where nobody else has it. */
  get ownBytes(): number {
    return this.#common === undefined ? this.#imageBytes : 0;
  }

  get common(): readonly CommonMemory[] {
    return this.#common ?? [];
  }

  get #common(): readonly CommonMemory[] | undefined {
    return this.#templates?.commonOf(this.#checkpoint, this.#imageBytes);
  }

  get #imageBytes(): number {
    return this.#checkpoint.summary.pages * bytesPerPage;
  }

  #target(to: CheckpointLevel): Checkpoint["summary"] {
    const { summary, level } = this.#checkpoint;
    if (to === "base") return summary;
    if (level === undefined) throw new TaintError("system", "there is no action checkpoint");
    return level;
  }

  #step<Result>(name: RewindStep, run: () => Result): Result | undefined {
    return name === this.#leftOut ? undefined : run();
  }

  /** Frees the checkpoint as soon as no call uses it. With the sandbox dead, one under way will return. */
  async release(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
    this.#checkpoint.release();
  }

  /** Undefined: nothing of it has run since it was put back. */
  async #rewindInTime(to: CheckpointLevel): Promise<RewindTimings | undefined> {
    const isHalted = this.#isHalted;
    this.#isHalted = false;
    if (isHalted && this.#inside.sandbox.goOn()) return undefined;
    const { verifyFirst, verifyOneIn } = this.#settings;
    const isFirstReturn = to === "level" && !this.#isLevelProven;
    const isDue = this.#rewinds < verifyFirst || this.#rewinds % verifyOneIn === 0;
    const verify = isFirstReturn || isDue;
    this.#rewinds++;
    const timings = await this.#inTime("the rewind", this.#checkpoint.rewind({ verify, to }));
    if (isFirstReturn) this.#isLevelProven = true;
    return timings;
  }

  async #inTime<Result>(what: string, call: Promise<Result>): Promise<Result> {
    const { rewindTimeoutMs } = this.#settings;
    this.#underWay = call;
    const result = await within(rewindTimeoutMs, call);
    if (result !== undefined) return result;
    throw new TaintError("freeze-timeout", `${what} did not return within ${rewindTimeoutMs} ms`);
  }

  /** No byte under way in either direction, nothing said unasked; nothing printed, but by an init, whose lines are to be kept. */
  #requireQuiet({ isPrinting = false } = {}): void {
    const { sandbox, channel, logs } = this.#inside;
    if (channel.isClosed) throw new TaintError("channel", "closed");
    if (channel.stray !== undefined) throw new TaintError("channel", channel.stray);
    const { unread, unsent } = this.#pendingBytes(sandbox.channelFd);
    if (unread > 0 || unsent > 0 || !channel.isFlushed) {
      throw new TaintError("channel", `${unread} bytes unread and ${unsent} unsent after the rewind`);
    }
    if (!isPrinting && !logs.isDrained())
      throw new TaintError("channel", "something prints although all is at the checkpoint");
  }
}
