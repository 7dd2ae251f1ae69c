// What a lean container holds: a sandbox, the channel to its runtime, its output, and the way back to its checkpoint.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type CheckpointLevel, RestorerError, type RewindTimings, type Waiting } from "../restorer/index.ts";
import { ContainerCode } from "./container-code.ts";
import { asLibraryError, importLibraries, requireFitForBase } from "./imports.ts";
import type { CommonMemory, ContainerOrder, Interior, OnFault } from "./interior.ts";
import type { Exit, Sandbox } from "./lean/sandbox.ts";
import type { TakeOver } from "./lean/types.ts";
import type { LevelOutcome } from "./levels.ts";
import { baseOf } from "./libraries.ts";
import { ContainerLogs } from "./logs.ts";
import { type Checkpoint, type Machine, type SharedLevel, toldMs, toldPeriod } from "./machine.ts";
import type { Boot, Renewal } from "./makings.ts";
import { Channel, type Reply } from "./proxy/channel.ts";
import type { Timed } from "./proxy/exchange.ts";
import { awaitReady, exchangeOf, faultOf } from "./replies.ts";
import { type Inside, Rewinder } from "./rewinder.ts";
import type { Bringing } from "./shared-levels.ts";
import { asTaint } from "./taint.ts";
import {
  type CollectedLogs,
  type ExchangeLimits,
  type InitFrame,
  type PoolSettings,
  TaintError,
} from "./types.ts";

export class LeanInterior implements Interior, Inside {
  readonly sandbox: Sandbox;
  readonly channel: Channel;
  readonly logs: ContainerLogs;
  /** The runtime has ended, and what it had written before is read. */
  readonly lost: Promise<TaintError>;
  readonly isBooted: boolean;
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #orderedMB: number;
  #memoryMB: number;
  readonly #renewal: Renewal | undefined;
  /** To be imported before the checkpoint is taken. */
  readonly #libraries: string | undefined;
  #importMs: number | undefined;
  #rewinder: Rewinder | undefined;
  /** Where there is a store of code, and a checkpoint to go back to. */
  #code: ContainerCode | undefined;
  /** Of what was booted. */
  #proof: RewindTimings | undefined;
  #hasEnded: boolean = false;
  #oomKillsBefore = 0;
  /** Nothing has been asked since the last activation. */
  #isIdle: boolean = true;

  /** Booted where there is a template of its kind that this works with, else started. */
  static async make(order: ContainerOrder, machine: Machine, settings: PoolSettings): Promise<LeanInterior> {
    const { kind, memoryMB, libraries } = order;
    const way = machine.templates?.wayOf(baseOf(order)) ?? {};
    const booted = way.boot && (await LeanInterior.#boot(way.boot, order, machine, settings));
    if (booted !== undefined) return booted;
    const renewal = way.boot ? machine.templates?.renewalInstead(baseOf(order)) : way.renewal;
    try {
      const sandbox = await machine.factory.create(kind, memoryMB);
      return new LeanInterior(sandbox, memoryMB, machine, settings, { renewal, libraries });
    } catch (error) {
      renewal?.end();
      throw error;
    }
  }

  /** Proven already. Undefined where the boot has failed; throws where no container could be made at all. */
  static async #boot(
    boot: Boot,
    order: ContainerOrder,
    machine: Machine,
    settings: PoolSettings,
  ): Promise<LeanInterior | undefined> {
    const { kind, memoryMB } = order;
    let booted: Checkpoint | undefined;
    let channel: Channel | undefined;
    let inside: LeanInterior;
    try {
      const bootOne = async (waiting: Waiting): Promise<void> => {
        // Of one that has ended since.
        booted?.release();
        [booted, channel] = [undefined, undefined];
        booted = await boot.from(waiting);
      };
      const takeOver = (...taken: Parameters<TakeOver>): void => {
        [booted, channel] = taken;
      };
      // What is booted ahead has no libraries.
      const isPlain = order.libraries === undefined;
      const sandbox = await machine.factory.create(kind, memoryMB, bootOne, isPlain ? takeOver : undefined);
      inside = new LeanInterior(sandbox, memoryMB, machine, settings, { booted, channel });
    } catch (failure) {
      booted?.release();
      if (booted !== undefined) boot.failed(endedIn(failure));
      else if (!boot.hasFailed(failure)) throw failure;
      return undefined;
    } finally {
      boot.end();
    }
    try {
      inside.#proof = await inside.putBack();
      return inside;
    } catch (failure) {
      const hasEnded = inside.#hasEnded && !(failure instanceof RestorerError);
      boot.failed(hasEnded ? endedIn(failure) : failure);
      await inside.destroy();
      return undefined;
    }
  }

  /** Takes the sandbox's descriptors over, and the checkpoint that it was booted from. */
  constructor(
    sandbox: Sandbox,
    memoryMB: number,
    machine: Machine,
    settings: PoolSettings,
    how: {
      readonly booted?: Checkpoint | undefined;
      /** Open already: what was booted equalled its checkpoint after it had run, and is stopped there. */
      readonly channel?: Channel | undefined;
      readonly renewal?: Renewal | undefined;
      readonly libraries?: string | undefined;
    },
  ) {
    const { booted, channel, renewal, libraries } = how;
    this.isBooted = booted !== undefined;
    const { channelFd, stdoutFd, stderrFd } = sandbox;
    this.#machine = machine;
    this.#settings = settings;
    this.#renewal = renewal;
    this.#libraries = libraries;
    this.#orderedMB = memoryMB;
    this.#memoryMB = memoryMB;
    this.sandbox = sandbox;
    this.logs = new ContainerLogs({ stdoutFd, stderrFd }, machine.pendingBytes, () => toldMs(machine.clock));
    this.channel = channel ?? Channel.open(channelFd);
    this.lost = sandbox.exited.then((exit) => this.#readRest(exit));
    if (booted !== undefined) this.#mayRewindTo(booted, channel !== undefined);
  }

  #mayRewindTo(checkpoint: Checkpoint, isHalted?: boolean): Rewinder {
    const { codes, clock } = this.#machine;
    const rewinder = new Rewinder(this, checkpoint, this.#machine, this.#settings, isHalted);
    this.#code = codes && new ContainerCode(this, rewinder, { store: codes, clock });
    this.#rewinder = rewinder;
    return rewinder;
  }

  get id(): string {
    return this.sandbox.id;
  }

  get memoryMB(): number {
    return this.#memoryMB;
  }

  get importMs(): number | undefined {
    return this.#importMs;
  }

  get isRewindable(): boolean {
    return this.#rewinder !== undefined;
  }

  async settle(): Promise<RewindTimings | undefined> {
    if (this.isBooted) return this.#proof;
    try {
      const { startTimeoutMs } = this.#settings;
      await awaitReady(this, { startTimeoutMs, memoryMB: this.#memoryMB });
      if (this.#libraries === undefined) return await this.#takeBase();
      try {
        this.#importMs = await importLibraries(this, this.#libraries, startTimeoutMs);
        return await this.#takeBase();
      } catch (error) {
        throw asLibraryError(error);
      }
    } finally {
      this.#renewal?.end();
    }
  }

  async #takeBase(): Promise<RewindTimings | undefined> {
    const checkpoint = await this.#machine.takeCheckpoint?.([this.sandbox.runtimePid]);
    if (checkpoint === undefined) return await this.putBack();
    const rewinder = this.#mayRewindTo(checkpoint);
    if (this.#libraries !== undefined) await requireFitForBase(rewinder);
    const proof = await this.putBack();
    this.#renewal?.offer(checkpoint, this.sandbox.runtimePid);
    return proof;
  }

  init(frame: InitFrame, limits: ExchangeLimits, onFault: OnFault): Promise<Timed> {
    if (this.#code !== undefined && frame.binary) return this.#initBy(this.#code, frame, limits, onFault);
    return this.#exchange(() => this.channel.init(frame, limits), onFault);
  }

  /** The unpacking and the init within the time of one init. */
  async #initBy(
    code: ContainerCode,
    frame: InitFrame,
    limits: ExchangeLimits,
    onFault: OnFault,
  ): Promise<Timed> {
    const { clock } = this.#machine;
    const sinceMs = clock.nowMs();
    try {
      const prepared = await code.prepare(frame, limits);
      const ask = async (): Promise<Reply> => {
        if ("ended" in prepared) return prepared.ended;
        const timeoutMs = Math.max(1, limits.timeoutMs - prepared.takenMs);
        return await this.channel.init(prepared.frame, { ...limits, timeoutMs });
      };
      return await this.#exchange(ask, onFault, sinceMs);
    } catch (error) {
      throw this.#shortOfMemory(error) ?? error;
    }
  }

  run(body: string, limits: ExchangeLimits, isShared: boolean, onFault: OnFault): Promise<Timed> {
    return this.#exchange(() => this.channel.run(body, limits, isShared), onFault);
  }

  keepLogs(limitBytes: number): void {
    this.logs.begin(limitBytes);
  }

  /** All that is in the pipes at this moment. */
  async collectLogs(): Promise<CollectedLogs> {
    return this.logs.collect();
  }

  limitMemory(memoryMB: number): void {
    if (memoryMB === this.#memoryMB) return;
    this.sandbox.setMemoryMB(memoryMB);
    this.#memoryMB = memoryMB;
  }

  rest(): void {
    this.#noteOomKills();
  }

  async takeLevel(roomBytes: number): Promise<LevelOutcome> {
    if (this.#rewinder === undefined) return { refused: "unsupported" };
    const { clock } = this.#machine;
    const sinceMs = clock.nowMs();
    const level = await this.#rewinder.takeLevel(roomBytes);
    if (this.#hasEnded) throw new TaintError("process-gone", "the runtime ended when its init had");
    if ("refused" in level) return level;
    return { taken: { bytes: level.bytes, tookMs: clock.nowMs() - sinceMs } };
  }

  /** Code that is shown belongs to the level, and is not there elsewhere. */
  shareLevel(): SharedLevel | undefined {
    return this.#code?.isShown === true ? undefined : this.#rewinder?.shareLevel();
  }

  async bringToLevel(bringing: Bringing): Promise<boolean> {
    try {
      const isThere = (await this.#rewinder?.bringToLevel(bringing)) === true;
      if (this.#hasEnded)
        throw new TaintError("process-gone", "the runtime ended on its way to an action checkpoint");
      return isThere;
    } catch (error) {
      throw this.#shortOfMemory(error) ?? error;
    }
  }

  /** What its cgroup is charged with, and its image, where nobody else has it. */
  ownBytes(): number | undefined {
    try {
      return this.sandbox.memoryUsedBytes() + (this.#rewinder?.ownBytes ?? 0);
    } catch {
      // It is ending.
      return undefined;
    }
  }

  common(): readonly CommonMemory[] {
    return this.#rewinder?.common ?? [];
  }

  async putBack(to: CheckpointLevel = "base"): Promise<RewindTimings | undefined> {
    try {
      const timings = await this.#rewinder?.rewind(to);
      this.#noteOomKills();
      if (to === "base") {
        this.#code?.release();
        this.#giveMemoryBack();
      }
      if (this.#hasEnded) throw new TaintError("process-gone", "the runtime ended during the rewind");
      return timings;
    } catch (error) {
      throw this.#shortOfMemory(error) ?? error;
    }
  }

  /** What a job has needed beyond the order. Not before it is at its base: what a level holds may need as much. */
  #giveMemoryBack(): void {
    if (this.#memoryMB <= this.#orderedMB || this.#machine.leftOut === "memory-limit") return;
    try {
      this.limitMemory(this.#orderedMB);
    } catch (error) {
      // The kernel still has pages of it: they stay reserved until the next time.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    }
  }

  halt(): boolean {
    return !this.#hasEnded && this.sandbox.halt();
  }

  async destroy(): Promise<void> {
    this.channel.close();
    this.logs.close();
    try {
      await this.sandbox.destroy();
    } finally {
      this.#code?.release();
      await this.#rewinder?.release();
    }
  }

  async #exchange(
    ask: () => Promise<Reply>,
    onFault: OnFault,
    sinceMs = this.#machine.clock.nowMs(),
  ): Promise<Timed> {
    const { clock } = this.#machine;
    const wasIdle = this.#isIdle;
    this.#isIdle = false;
    const reply = await ask();
    const period = toldPeriod(clock, sinceMs);
    const fault = faultOf(reply);
    if (fault !== undefined) onFault(fault);
    const before = { wasIdle, oomKills: this.#oomKillsBefore };
    const exchange = await exchangeOf(reply, this.sandbox, before);
    return { ...period, exchange };
  }

  /** Between activations, where nobody waits: those so far are no sign of what happens to the next one. */
  #noteOomKills(): void {
    this.#oomKillsBefore = this.sandbox.oomKills();
    this.#isIdle = true;
  }

  /** The reason, where a rewind has failed because the memory limit killed the runtime or a process beside it. */
  #shortOfMemory(cause: unknown): TaintError | undefined {
    if (this.sandbox.oomKills() === this.#oomKillsBefore) return undefined;
    const { reason, message } = asTaint(cause);
    const why = `${message} (the kernel has killed for want of memory: the limit is ${this.#memoryMB} MB)`;
    return new TaintError(reason, why, { cause });
  }

  /** The end of the runtime does not close the channel: a checkpoint holds copies of the runtime's descriptors. */
  async #readRest({ cause, status }: Exit): Promise<TaintError> {
    this.#hasEnded = true;
    const { channel, sandbox } = this;
    const pendingBytes = (): ReturnType<Machine["pendingBytes"]> =>
      this.#machine.pendingBytes(sandbox.channelFd);
    while (!channel.isClosed && pendingBytes().unread > 0) await nextTurn();
    if (!channel.isClosed) channel.close(pendingBytes().unsent > 0 || !channel.isFlushed);
    return new TaintError("process-gone", `the runtime ended (${cause} ${status}) while idle`);
  }
}

/** What fails because the runtime of a container has ended says nothing of others of its kind. */
function endedIn(failure: unknown): TaintError {
  const { message } = asTaint(failure);
  return new TaintError("process-gone", `the runtime that was booted has ended: ${message}`, {
    cause: failure,
  });
}
