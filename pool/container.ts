// One container from its making to its end: the sandbox, its checkpoint, its channel and its output.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { RewindTimings } from "../restorer/index.ts";
import type { Exit } from "./lean/factory.ts";
import { type ContainerEvent, type ContainerState, Life } from "./lifecycle.ts";
import { ContainerLogs } from "./logs.ts";
import type { Machine } from "./machine.ts";
import { Channel, type Reply } from "./proxy/channel.ts";
import type { Exchange, Timed } from "./proxy/exchange.ts";
import { type Inside, Rewinder } from "./rewinder.ts";
import type { Placed } from "./schedule.ts";
import { asTaint } from "./taint.ts";
import { within } from "./time.ts";
import {
  type CollectedLogs,
  type ExchangeLimits,
  type InitFrame,
  type Job,
  type PoolSettings,
  type StartKind,
  TaintError,
} from "./types.ts";

/** How long a closed channel waits for the news that the runtime has ended, and why. */
const exitNewsMs = 500;

/**
 * A container is clean, or bound to one owner, or on its way out. Every failure moves it to `tainted` with `fault` set;
 * the pool then has it destroyed.
 */
export class Container {
  readonly id: number;
  readonly kind: string;
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #onLost: (container: Container) => void;
  readonly #life = new Life();
  #inside: Inside | undefined;
  #rewinder: Rewinder | undefined;
  readonly #orderedMB: number;
  #memoryMB: number;
  #hasEnded: boolean = false;
  #readyMs = 0;
  #oomKillsBefore = 0;
  /** Whose job runs, or whose live state it holds. */
  owner: string | undefined;
  uses = 0;
  /** Monotonic over the pool; set by the pool. */
  lastUsed = 0;
  fault: TaintError | undefined;

  /** `onLost` is told when the container dies while nobody uses it. */
  constructor(
    order: { readonly id: number; readonly kind: string; readonly memoryMB: number },
    machine: Machine,
    settings: PoolSettings,
    onLost: (container: Container) => void,
  ) {
    this.id = order.id;
    this.kind = order.kind;
    this.#orderedMB = order.memoryMB;
    this.#memoryMB = order.memoryMB;
    this.#machine = machine;
    this.#settings = settings;
    this.#onLost = onLost;
  }

  get state(): ContainerState {
    return this.#life.state;
  }

  /** Reserved for it out of the pool's budget. */
  get memoryMB(): number {
    return this.#memoryMB;
  }

  /** The sandbox's name, for people; the pool's own number until there is one. */
  get name(): string {
    return this.#inside?.sandbox.id ?? String(this.id);
  }

  placed(): Placed {
    const { id, kind, state, memoryMB, owner, lastUsed } = this;
    return { id, kind, state, memoryMB, owner, lastUsed };
  }

  /** What it would be for a job that has waited since `sinceMs`. */
  startKindFor(job: Job, sinceMs: number): StartKind {
    if (this.state === "warm" && this.owner === job.owner) return "warm";
    if (this.uses > 0) return "rewound";
    return this.#readyMs > sinceMs ? "cold" : "clean";
  }

  /** starting → clean: makes the sandbox, waits for its runtime, takes the checkpoint and proves it. Throws. */
  async start(): Promise<RewindTimings | undefined> {
    try {
      const sandbox = await this.#machine.factory.create(this.kind, this.#memoryMB);
      const { stdoutFd, stderrFd } = sandbox;
      const logs = new ContainerLogs(
        { stdoutFd, stderrFd },
        this.#machine.pendingBytes,
        this.#machine.clock.nowMs,
      );
      const inside: Inside = { sandbox, channel: Channel.open(sandbox.channelFd), logs };
      this.#inside = inside;
      void sandbox.exited.then((exit) => this.#ended(exit, inside));
      await this.#greet(inside);
      const checkpoint = await this.#machine.takeCheckpoint?.([sandbox.runtimePid]);
      if (checkpoint !== undefined) {
        this.#rewinder = new Rewinder(inside, checkpoint, this.#machine.pendingBytes, this.#settings);
      }
      const proof = await this.#putBack();
      this.#life.apply("ready");
      this.#readyMs = this.#machine.clock.nowMs();
      return proof;
    } catch (error) {
      throw this.taint(error);
    }
  }

  /** clean or warm → running, limited to the job's memory. Throws after tainting. */
  assign(job: Job, lastUsed: number): void {
    this.#step("assigned");
    try {
      this.#limitMemory(job.memoryMB);
    } catch (error) {
      throw this.taint(error);
    }
    this.owner = job.owner;
    this.uses++;
    this.lastUsed = lastUsed;
  }

  keepLogs(limitBytes: number): void {
    this.#living().logs.begin(limitBytes);
  }

  collectLogs(): CollectedLogs {
    try {
      return this.#living().logs.collect();
    } catch (error) {
      this.taint(error);
      return { lines: [], truncated: false };
    }
  }

  init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed> {
    return this.#exchange((channel) => channel.init(frame, limits));
  }

  run(body: string, limits: ExchangeLimits): Promise<Timed> {
    return this.#exchange((channel) => channel.run(body, limits));
  }

  /** running → warm, with its live state. */
  keep(): void {
    this.#noteOomKills();
    this.#step("kept");
  }

  /** running → removing: nothing can be rewound here. */
  spend(): void {
    this.#step("spent");
  }

  /** clean, warm or not yet begun → removing. */
  evict(): void {
    this.#step("evicted");
  }

  /** True: it has a checkpoint to go back to. */
  get isRewindable(): boolean {
    return this.#rewinder !== undefined;
  }

  /** running or warm → rewinding; to be followed by `rewind`. */
  beginRewind(): void {
    this.#step(this.state === "warm" ? "recycled" : "finished");
  }

  /** rewinding → clean, or removing once it has served long enough. Throws after tainting. */
  async rewind(): Promise<RewindTimings | undefined> {
    try {
      const timings = await this.#putBack();
      this.owner = undefined;
      this.#step(this.uses >= this.#settings.usesBeforeRetirement ? "retired" : "rewound");
      return timings;
    } catch (error) {
      throw this.taint(error);
    }
  }

  /** Any → tainted (what is on its way out stays so). Returns the reason that came first. */
  taint(error: unknown): TaintError {
    const fault = asTaint(error);
    this.fault ??= fault;
    this.#life.apply("failed");
    return this.fault;
  }

  /** tainted or removing → gone. Once; never rejects: what cannot be removed is returned. */
  async destroy(): Promise<unknown> {
    if (this.state === "tainted") this.#step("discarded");
    let failure: unknown;
    const inside = this.#inside;
    inside?.channel.close();
    inside?.logs.close();
    try {
      await inside?.sandbox.destroy();
    } catch (error) {
      failure = error;
    }
    await this.#rewinder?.release();
    this.#step("removed");
    return failure;
  }

  #step(event: ContainerEvent): void {
    this.#life.apply(event);
  }

  #living(): Inside {
    if (this.#inside === undefined) throw new TaintError("system", "the container was never started");
    return this.#inside;
  }

  async #greet({ sandbox, channel }: Inside): Promise<void> {
    const greeting = await channel.ready(this.#settings.startTimeoutMs);
    if (greeting.outcome === "answer") return;
    if (greeting.outcome === "garbled") throw new TaintError("channel", greeting.why);
    if (greeting.outcome === "timeout") {
      throw new TaintError("system", `no READY within ${this.#settings.startTimeoutMs} ms`);
    }
    const exit = await within(exitNewsMs, sandbox.exited);
    const how =
      exit === undefined ? "closed its channel" : `ended (${exit.cause} ${exit.status}) ${exit.message}`;
    throw new TaintError("process-gone", `the runtime ${how} before it was ready`);
  }

  async #exchange(ask: (channel: Channel) => Promise<Reply>): Promise<Timed> {
    const inside = this.#living();
    const startMs = Math.floor(this.#machine.clock.nowMs());
    const reply = await ask(inside.channel);
    const endMs = Math.floor(this.#machine.clock.nowMs());
    return { startMs, endMs, exchange: await this.#judge(inside, reply) };
  }

  /** What the reply means for the container. Only an answer or a time-out leaves it fit to be rewound. */
  async #judge({ sandbox }: Inside, reply: Reply): Promise<Exchange> {
    if (reply.outcome === "garbled") {
      this.taint(new TaintError("channel", reply.why));
      return reply;
    }
    if (reply.outcome !== "closed") return reply;
    this.taint(new TaintError("process-gone", "the runtime closed its channel"));
    const exit = await within(exitNewsMs, sandbox.exited);
    const oomKilled = exit?.oomKilled === true || sandbox.oomKills() > this.#oomKillsBefore;
    return { outcome: "gone", exit, oomKilled };
  }

  /** Back at the checkpoint and to its own size, if there is a checkpoint. */
  async #putBack(): Promise<RewindTimings | undefined> {
    const timings = await this.#rewinder?.rewind();
    this.#noteOomKills();
    // A job that needed more gives back what it needed more.
    if (this.#memoryMB > this.#orderedMB) this.#limitMemory(this.#orderedMB);
    if (this.#hasEnded) throw new TaintError("process-gone", "the runtime ended during the rewind");
    return timings;
  }

  /** Between activations, where nobody waits: those so far are no sign of what happens to the next one. */
  #noteOomKills(): void {
    this.#oomKillsBefore = this.#living().sandbox.oomKills();
  }

  #limitMemory(memoryMB: number): void {
    if (memoryMB === this.#memoryMB) return;
    this.#living().sandbox.setMemoryMB(memoryMB);
    this.#memoryMB = memoryMB;
  }

  /**
   * The end of the runtime does not close the channel: a checkpoint holds copies of the runtime's descriptors. What was
   * written before the end is still read.
   */
  async #ended(exit: Exit, { sandbox, channel }: Inside): Promise<void> {
    this.#hasEnded = true;
    while (!channel.isClosed && this.#machine.pendingBytes(sandbox.channelFd).unread > 0) await nextTurn();
    channel.close();
    if (this.state !== "clean" && this.state !== "warm") return;
    this.taint(new TaintError("process-gone", `the runtime ended (${exit.cause} ${exit.status}) while idle`));
    this.#onLost(this);
  }
}
