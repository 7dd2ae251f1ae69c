// Puts one container back to its checkpoint, and believes it only when all around it is quiet.

import type { RewindTimings } from "../restorer/index.ts";
import type { Sandbox } from "./lean/factory.ts";
import type { ContainerLogs, PendingBytes } from "./logs.ts";
import type { Checkpoint, Machine, RewindStep } from "./machine.ts";
import type { Channel } from "./proxy/channel.ts";
import { within } from "./time.ts";
import { type PoolSettings, TaintError } from "./types.ts";

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
  readonly #leftOut: RewindStep | undefined;
  readonly #settings: RewindSettings;
  #rewinds = 0;
  #underWay: Promise<unknown> | undefined;

  constructor(inside: Inside, checkpoint: Checkpoint, machine: Machine, settings: RewindSettings) {
    this.#inside = inside;
    this.#checkpoint = checkpoint;
    this.#pendingBytes = machine.pendingBytes;
    this.#leftOut = machine.leftOut;
    this.#settings = settings;
  }

  /** Kills all but the runtime, puts that back, empties the scratch space. Throws TaintError or what the restorer throws. */
  async rewind(): Promise<RewindTimings> {
    const { sandbox, logs } = this.#inside;
    const { threads } = this.#checkpoint.summary;
    await this.#step("kill-others", () => sandbox.killOthers(threads));
    const timings = await this.#rewindInTime();
    this.#step("kill-others", () => sandbox.allowOthers(threads));
    await this.#step("kill-others", () => sandbox.awaitReaped(threads));
    // Nothing prints any more: what is in the pipes is the rest of what was printed before.
    this.#step("drain-output", () => logs.drain());
    this.#step("quiet-channel", () => this.#requireQuiet());
    // A file may be open in a message that lies in a socket's queue.
    await this.#step("no-sockets", () => sandbox.awaitNoSockets());
    await this.#step("empty-scratch", () => sandbox.emptyScratch());
    return timings;
  }

  #step<Result>(name: RewindStep, run: () => Result): Result | undefined {
    return name === this.#leftOut ? undefined : run();
  }

  /** Frees the checkpoint as soon as no call uses it. With the sandbox dead, one under way will return. */
  async release(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
    this.#checkpoint.release();
  }

  async #rewindInTime(): Promise<RewindTimings> {
    const { verifyFirst, verifyOneIn, rewindTimeoutMs } = this.#settings;
    const verify = this.#rewinds < verifyFirst || this.#rewinds % verifyOneIn === 0;
    this.#rewinds++;
    const rewind = this.#checkpoint.rewind({ verify });
    this.#underWay = rewind;
    const timings = await within(rewindTimeoutMs, rewind);
    if (timings !== undefined) return timings;
    throw new TaintError("freeze-timeout", `the rewind did not return within ${rewindTimeoutMs} ms`);
  }

  /** No byte under way in either direction, nothing said unasked, nothing printed. */
  #requireQuiet(): void {
    const { sandbox, channel, logs } = this.#inside;
    if (channel.isClosed) throw new TaintError("channel", "closed");
    if (channel.stray !== undefined) throw new TaintError("channel", channel.stray);
    const { unread, unsent } = this.#pendingBytes(sandbox.channelFd);
    if (unread > 0 || unsent > 0 || !channel.isFlushed) {
      throw new TaintError("channel", `${unread} bytes unread and ${unsent} unsent after the rewind`);
    }
    if (!logs.isDrained())
      throw new TaintError("channel", "something prints although all is at the checkpoint");
  }
}
