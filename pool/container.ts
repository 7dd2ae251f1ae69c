// One container from its making to its end: its state, whose it is, and its checkpoint.

import type { CheckpointLevel, RewindTimings } from "../restorer/index.ts";
import type { CommonMemory, ContainerOrder, Interior, OnStuck, Remains } from "./interior.ts";
import { LeanInterior } from "./lean-interior.ts";
import { type LevelOutcome, mayComeBack } from "./levels.ts";
import { type ContainerEvent, type ContainerState, Life } from "./lifecycle.ts";
import { type Machine, type SharedLevel, toldPeriod } from "./machine.ts";
import { isLoaded, type Timed } from "./proxy/exchange.ts";
import { type Leaving, Round } from "./round.ts";
import type { Placed } from "./seats.ts";
import type { Bringing } from "./shared-levels.ts";
import { asTaint } from "./taint.ts";
import {
  type CollectedLogs,
  type ExchangeLimits,
  type InitFrame,
  type Job,
  type PoolSettings,
  type RewindPolicy,
  type StartKind,
  type StartPlace,
  TaintError,
} from "./types.ts";

const interpreterBytes = 16 * 1024 * 1024;
const bytesPerPage = 4096;

/** Who is asked and told of its action checkpoints. */
export interface LevelHooks {
  /** An init begins that may leave one. False: it is to leave none. */
  readonly isLevelDue?: (container: Container) => boolean;
  /** An init that might have left one has ended. */
  readonly onLevel?: (container: Container, outcome: LevelOutcome) => void;
  /** The taking of one has failed half-way. */
  readonly onLevelFailed?: (container: Container) => void;
  /** How large one may be that is taken now. */
  readonly levelRoomBytes: () => number;
  /** It is at one that others can be brought to. */
  readonly onShared?: (container: Container, level: SharedLevel, initMs: number) => void;
  /** It is at its own no more. */
  readonly onLevelLeft?: (container: Container) => void;
}

/** Who is told what happens to a container beside what it is asked for. */
export interface ContainerHooks extends LevelHooks {
  /** It has died while nobody used it. */
  readonly onLost: (container: Container) => void;
}

/**
 * A container is clean, or bound to one owner, or on its way out. Every failure moves it to `tainted` with `fault` set;
 * the pool then has it destroyed.
 */
export class Container {
  readonly id: number;
  /** As it was ordered; its size is that between jobs that need more. */
  readonly order: ContainerOrder;
  readonly bornMs: number;
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #hooks: ContainerHooks;
  readonly #life = new Life();
  #inside: Interior | undefined;
  /** The same, or what a start that failed half-way has left: it may run nevertheless. */
  #remains: Remains | undefined;
  #readyMs = 0;
  #logBytes = 0;
  #isStopped: boolean = false;
  #isLent: boolean = false;
  #isStuck: boolean = false;
  #levelBytes: number | undefined;
  /** What it spares. */
  #levelInitMs = 0;
  /** Of the last rewind. */
  #rewindsTo: CheckpointLevel = "base";
  #claimedBytes = 0;
  /** Those that use it now, or did last. */
  #round: Round | undefined;
  /** Whose job runs, or whose live state it holds. */
  owner: string | undefined;
  uses = 0;
  /** Monotonic over the pool; set by the pool. */
  lastUsed = 0;
  fault: TaintError | undefined;

  constructor(
    order: ContainerOrder & { readonly id: number },
    machine: Machine,
    settings: PoolSettings,
    hooks: ContainerHooks,
  ) {
    this.id = order.id;
    this.order = order;
    this.bornMs = machine.clock.nowMs();
    this.#machine = machine;
    this.#settings = settings;
    this.#hooks = hooks;
  }

  get kind(): string {
    return this.order.kind;
  }

  get state(): ContainerState {
    return this.#life.state;
  }

  /** Reserved for it out of the pool's budget. */
  get memoryMB(): number {
    return this.#inside?.memoryMB ?? this.order.memoryMB;
  }

  /** The sandbox's name, for people; the pool's own number until there is one. */
  get name(): string {
    return this.#remains?.id ?? String(this.id);
  }

  placed(): Placed {
    const { id, kind, state, memoryMB, owner, lastUsed } = this;
    const spare = state === "running" ? this.#round?.spare : undefined;
    const image = this.order.image?.name;
    const lent = this.isLent ? { isLent: true } : {};
    const stuck = this.#isStuck ? { isStuck: true } : {};
    const level = this.#levelBytes === undefined ? {} : { levelBytes: this.#levelBytes };
    const booted = this.isBooted ? { isBooted: true } : {};
    const unused = this.uses === 0 ? { isUnused: true } : {};
    const isReturning = state === "rewinding" && this.#rewindsTo === "level";
    const spares = isReturning ? { sparesMs: this.#levelInitMs } : {};
    const { libraries } = this.order;
    return {
      id,
      kind,
      image,
      state,
      memoryMB,
      owner,
      lastUsed,
      spare: spare ?? 0,
      ...lent,
      ...stuck,
      ...level,
      ...booted,
      ...unused,
      ...spares,
      ...(libraries !== undefined && { libraries }),
    };
  }

  /** True: there is nothing of it yet, and its memory may be given to others. */
  get isLent(): boolean {
    return this.#isLent && (this.state === "starting" || this.#remains === undefined);
  }

  set isLent(isLent: boolean) {
    this.#isLent = isLent;
  }

  /** What it would be for a job that has waited since `sinceMs`. */
  startKindFor(job: Job, sinceMs: number): StartKind {
    if ((this.state === "warm" || this.state === "running") && this.owner === job.owner) return "warm";
    if (this.uses > 0) return "rewound";
    return this.#readyMs > sinceMs ? "cold" : "clean";
  }

  /** The same in full. */
  placeOf(start: StartKind): StartPlace {
    if (start === "cold") return this.isBooted ? "booted" : "started";
    return start === "warm" && this.hasLevel ? "level" : start;
  }

  /** starting → clean: makes it, and waits until it can take a job. `hasRoom` false: others have its memory by now. Throws. */
  async start(hasRoom: () => boolean = () => true): Promise<RewindTimings | undefined> {
    try {
      const inside = await this.#make(hasRoom);
      this.#inside = inside;
      this.#remains = inside;
      void inside.lost.then((why) => this.#lost(why));
      const proof = await inside.settle();
      if (!hasRoom()) throw new TaintError("system", "others have been given its memory");
      this.#life.apply("ready");
      this.#readyMs = this.#machine.clock.nowMs();
      return proof;
    } catch (error) {
      throw this.taint(error);
    }
  }

  /** clean or warm → running, limited to the job's memory. Or, running already, for one more of its owner. Throws after tainting. */
  assign(job: Job, lastUsed: number): void {
    if (this.state === "running") {
      this.#step("joined");
      this.#round?.join();
    } else {
      const isLoaded = this.state === "warm";
      const policy = this.#policyFor(job);
      this.#step("assigned");
      try {
        if (policy === "fresh" && this.uses > 0)
          throw new TaintError("system", "it was used before, and the job wants one that was not");
        this.#living().limitMemory(job.memoryMB);
      } catch (error) {
        throw this.taint(error);
      }
      this.#round = new Round(job, policy, isLoaded);
      this.owner = job.owner;
    }
    this.uses++;
    this.lastUsed = lastUsed;
  }

  /** True: that was the last of those that use it. */
  leave(leaving: Leaving): boolean {
    return this.#round?.leave(leaving) ?? true;
  }

  /** By the policy, and by how all behaved. */
  get mayKeep(): boolean {
    return this.#round?.mayKeep === true;
  }

  /** True: those that use it now, or did last, are the only ones that ever have it. */
  get isUsedUp(): boolean {
    return this.#round?.isOnly === true;
  }

  keepLogs(limitBytes: number): void {
    this.#logBytes = limitBytes;
    this.#living().keepLogs(limitBytes);
  }

  /** With neighbours, all that any of them has printed so far: as in stock, whoever ends has it. */
  async collectLogs(isOrderly = true): Promise<CollectedLogs> {
    try {
      const inside = this.#living();
      const collected = await inside.collectLogs(isOrderly, this.#onFault);
      if (this.#round !== undefined && this.#round.users > 1) inside.keepLogs(this.#logBytes);
      return collected;
    } catch (error) {
      this.taint(error);
      return { lines: [], truncated: false };
    }
  }

  async init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed> {
    const level = this.mayTakeLevel && this.#hooks.isLevelDue?.(this) !== false;
    const asked = level ? { ...frame, level } : frame;
    const init = await this.#init(asked, limits);
    this.#round?.initEnded(init);
    if (!level || !isLoaded(init.exchange) || this.state !== "running") return init;
    try {
      const outcome = await this.#takeLevel(init);
      this.#hooks.onLevel?.(this, outcome);
      return init;
    } catch (error) {
      this.#hooks.onLevelFailed?.(this);
      this.taint(error);
      // Of the run nothing has begun.
      return { ...init, exchange: { outcome: "unavailable" } };
    }
  }

  async #init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed> {
    const { clock } = this.#machine;
    const sinceMs = clock.nowMs();
    try {
      return this.#unlessStopped(await this.#living().init(frame, limits, this.#onFault));
    } catch (error) {
      this.taint(error);
      // Its code was to be shown; of itself nothing has begun.
      return { ...toldPeriod(clock, sinceMs), exchange: { outcome: "unavailable" } };
    }
  }

  /** Over libraries there is none: what they have taken hold of, such as a function that draws, is not watched. */
  get mayTakeLevel(): boolean {
    if (this.order.libraries !== undefined) return false;
    return this.#settings.levelMemoryMB > 0 && this.isRewindable && this.#round?.mayTakeLevel === true;
  }

  async #takeLevel({ exchange, startMs, endMs }: Timed): Promise<LevelOutcome> {
    const { levelInitMs } = this.#settings;
    if (!mayComeBack(exchange) && this.#machine.ignoresDraws !== true) return { refused: "randomness" };
    if (endMs - startMs < levelInitMs) return { refused: "short" };
    const roomBytes = this.#hooks.levelRoomBytes();
    if (roomBytes === 0) return { refused: "memory" };
    this.#claimedBytes = roomBytes;
    try {
      const outcome = (await this.#living().takeLevel?.(roomBytes)) ?? { refused: "unsupported" };
      if ("taken" in outcome) {
        this.#levelBytes = outcome.taken.bytes;
        this.#levelInitMs = endMs - startMs;
        const shared = this.#settings.sharesLevels ? this.#living().shareLevel?.() : undefined;
        if (shared !== undefined) this.#hooks.onShared?.(this, shared, endMs - startMs);
      }
      return outcome;
    } finally {
      this.#claimedBytes = 0;
    }
  }

  /**
   * Assigned, with nothing loaded: to where the init of its owner's action had ended in another container. False: it is clean as it
   * was, or tainted.
   */
  async bring(bringing: Bringing): Promise<boolean> {
    const { level, initMs } = bringing;
    const bytes = level.summary.pages * bytesPerPage;
    this.#claimedBytes = bytes;
    try {
      const isThere = (await this.#living().bringToLevel?.(bringing)) === true && this.state === "running";
      if (isThere) [this.#levelBytes, this.#levelInitMs] = [bytes, initMs];
      return isThere;
    } catch (error) {
      this.taint(error);
      return false;
    } finally {
      this.#claimedBytes = 0;
    }
  }

  /** What action checkpoints may not have beside that of this one, or the one that is being taken: while it is in use. */
  get claimedBytes(): number {
    const isIdle = this.state === "clean" || this.state === "warm";
    return isIdle ? 0 : (this.#levelBytes ?? this.#claimedBytes);
  }

  /** True: it can be put back to where the init of its owner's action had ended. */
  get hasLevel(): boolean {
    return this.#levelBytes !== undefined;
  }

  async run(body: string, limits: ExchangeLimits): Promise<Timed> {
    const isShared = this.#round?.isShared === true;
    return this.#unlessStopped(await this.#living().run(body, limits, isShared, this.#onFault));
  }

  /** The run of one that joined: as soon as the action is loaded. */
  async runBeside(body: string, limits: ExchangeLimits): Promise<Timed> {
    const obstacle = await this.#round?.obstacle;
    if (obstacle === undefined) return await this.run(body, limits);
    const { clock } = this.#machine;
    return { ...toldPeriod(clock), exchange: obstacle };
  }

  /** running → warm, with its live state. */
  keep(): void {
    this.#living().rest();
    this.#step("kept");
  }

  /** running → removing: it cannot be rewound, or must not be, and must not be kept as it is. */
  spend(): void {
    this.#step("spent");
  }

  /** Removing: true where nothing of it runs from now on, so that its removal may wait. */
  halt(): boolean {
    return this.#inside?.halt?.() === true;
  }

  /** running → removing: it has served long enough. */
  retire(): void {
    this.#step("retired");
  }

  /** clean, warm or not yet begun → removing. */
  evict(): void {
    this.#step("evicted");
  }

  /** True: it has a checkpoint to go back to. */
  get isRewindable(): boolean {
    return this.#inside?.isRewindable === true;
  }

  /** True: it was not started, but booted from another's checkpoint. */
  get isBooted(): boolean {
    return this.#inside?.isBooted === true;
  }

  /** What its end would give back; of Docker's nobody knows, and it is taken for that of an interpreter. */
  get ownBytes(): number {
    return this.#inside?.ownBytes?.() ?? interpreterBytes;
  }

  /** What its end would give back besides if it is the last that has it. */
  get common(): readonly CommonMemory[] {
    return this.#inside?.common?.() ?? [];
  }

  /** How long the import of its libraries took; undefined where it was not imported for this one. */
  get importMs(): number | undefined {
    return this.#inside?.importMs;
  }

  /** True: there is something of it that has to be removed. */
  get hasRemains(): boolean {
    return this.#remains !== undefined;
  }

  /** True: it is one owner's for life. */
  get isBound(): boolean {
    return this.order.image !== undefined;
  }

  /** running or warm → rewinding; to be followed by `rewind`. */
  beginRewind(): void {
    this.#step(this.state === "warm" ? "recycled" : "finished");
  }

  /** rewinding → clean, or to its action checkpoint: → warm. Throws after tainting. */
  async rewind(to: CheckpointLevel = "base"): Promise<RewindTimings | undefined> {
    this.#rewindsTo = to;
    try {
      const timings = await this.#living().putBack(to);
      if (to === "level") this.#step("returned");
      else {
        this.owner = undefined;
        this.#levelBytes = undefined;
        this.#hooks.onLevelLeft?.(this);
        this.#step("rewound");
      }
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

  /** Any → tainted: the pool closes. Whoever still waits for an answer is told that it was not the action's fault. */
  stop(): void {
    this.#isStopped = true;
    this.taint(new TaintError("system", "the pool is closing"));
  }

  /** tainted or removing → gone. Once; never rejects: what cannot be removed is returned. */
  async destroy(onStuck: OnStuck = () => undefined): Promise<unknown> {
    if (this.state === "tainted") this.#step("discarded");
    let failure: unknown;
    try {
      await this.#remains?.destroy((reason) => {
        this.#isStuck = true;
        onStuck(reason);
      });
    } catch (error) {
      failure = error;
    }
    this.#step("removed");
    return failure;
  }

  #step(event: ContainerEvent): void {
    this.#life.apply(event);
  }

  #living(): Interior {
    if (this.#inside === undefined) throw new TaintError("system", "the container was never started");
    return this.#inside;
  }

  /** What has ended with the container has not ended by itself. */
  #unlessStopped(timed: Timed): Timed {
    const { outcome } = timed.exchange;
    const isCutOff = this.#isStopped && (outcome === "gone" || outcome === "garbled");
    return isCutOff ? { ...timed, exchange: { outcome: "stopped" } } : timed;
  }

  readonly #onFault = (fault: TaintError): void => void this.taint(fault);

  async #make(hasRoom: () => boolean): Promise<Interior> {
    const { docker } = this.#machine;
    const { image } = this.order;
    if (image === undefined) return await LeanInterior.make(this.order, this.#machine, this.#settings);
    if (docker === undefined) throw new TaintError("engine", `there is no Docker to run ${image.name}`);
    return await docker.create({ ...this.order, image }, hasRoom, (remains) => {
      this.#remains = remains;
    });
  }

  /** Whatever is wanted, what cannot be put back is kept only by who has it for life, unless each use is to be the only one. */
  #policyFor(job: Job): RewindPolicy {
    const wanted = job.rewind ?? this.#settings.rewind;
    if (wanted === "fresh") return wanted;
    if (this.isBound) return "on-change";
    return this.isRewindable ? wanted : "always";
  }

  #lost(why: TaintError): void {
    if (this.state !== "clean" && this.state !== "warm") return;
    this.taint(why);
    this.#hooks.onLost(this);
  }
}
