// The containers of the pool: made a few at a time, for a job or ahead of any, and counted until nothing of them is left.

import { setImmediate as nextTurn } from "node:timers/promises";
import { ActionLevels } from "./action-levels.ts";
import { Arrivals, predictedCells, type Sort, soonMs } from "./arrivals.ts";
import { Container } from "./container.ts";
import { MeasuredCosts } from "./costs.ts";
import type { PoolEvents } from "./events.ts";
import type { ContainerOrder } from "./interior.ts";
import { isScarcity } from "./lean/errors.ts";
import { LeanLimit } from "./lean-limit.ts";
import { baseOf, LibraryError } from "./libraries.ts";
import { LibrarySets } from "./library-sets.ts";
import type { Machine } from "./machine.ts";
import { type Holdings, weigh } from "./pressure.ts";
import { expired, isBeyondCells, Prewarming, surplus, topUp } from "./prewarm.ts";
import { type Restraint, unrestrained } from "./relief.ts";
import { RemovalGate } from "./removal-gate.ts";
import { isComing, isIdle, type Placed, reservedMB } from "./seats.ts";
import { Losses, StartFailures, StartGate } from "./starts.ts";
import { Succession } from "./succession.ts";
import type { Job, PoolSettings, RemovalCause, StemCell } from "./types.ts";

const sweepsPerIdleTime = 4;
/** As often it is decided which libraries are worth their memory. */
const learnedEveryMs = 10_000;
/** As often as half the time for which a container is due. */
const sweepsPerAge = 100;

/** On whose account a container is made. */
export interface StartCause {
  /** Asked when its turn comes. False: nobody waits for one of this kind any more. */
  readonly isAwaited: () => boolean;
  /** `isPutOff`: one can be made when another of the pool's is gone. */
  readonly onFailure: (error: Error, isPutOff: boolean) => void;
}

export class Containers {
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #events: PoolEvents;
  readonly #onChange: () => void;
  readonly #containers = new Map<number, Container>();
  readonly #leaving = new WeakSet<Container>();
  readonly #succession: Succession;
  readonly #leanGate: StartGate;
  /** Its own: lean containers are made while Docker hangs. */
  readonly #dockerGate: StartGate;
  /** A pull keeps nobody waiting but who wants the image; the run after it waits for Docker's turn in the factory. */
  readonly #pullGate = new StartGate(Number.POSITIVE_INFINITY);
  readonly #removalGate = new RemovalGate();
  readonly #leanLimit: LeanLimit;
  readonly #prewarming: Prewarming;
  readonly #failures = new StartFailures();
  readonly #losses = new Losses();
  readonly #libraries: LibrarySets;
  readonly costs: MeasuredCosts;
  readonly levels: ActionLevels;
  readonly #arrivals: Arrivals;
  readonly #underWay = new Set<Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #check: NodeJS.Timeout | undefined;
  #learning: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosing: boolean = false;
  #restraint: Restraint = unrestrained;

  /** `onChange` is told when there may be a container, or memory, that there was not before. */
  constructor(machine: Machine, settings: PoolSettings, events: PoolEvents, onChange: () => void) {
    this.#machine = machine;
    this.#settings = settings;
    this.#events = events;
    this.#onChange = onChange;
    this.#leanGate = new StartGate(settings.parallelStarts);
    this.#leanLimit = new LeanLimit(onChange);
    this.#dockerGate = new StartGate(machine.docker?.parallelStarts ?? 1);
    const nowMs = (): number => machine.clock.nowMs();
    this.levels = new ActionLevels(settings, events, {
      nowMs,
      isSparing: () => this.#restraint.isSparing,
      claimedBytes: () => Array.from(this.#containers.values(), ({ claimedBytes }) => claimedBytes),
      onTaken: onChange,
    });
    // Where nothing can be put back, nothing is imported for more than one activation.
    const sets = machine.takeCheckpoint === undefined ? { libraries: [], learntMemoryMB: 0 } : settings;
    this.#libraries = new LibrarySets(sets, nowMs);
    this.#prewarming = new Prewarming(settings, nowMs, () => this.#libraries.cells);
    this.#arrivals = new Arrivals(nowMs, [this.#soonMs, settings.idleMs]);
    this.costs = new MeasuredCosts({
      nowMs,
      startsAtOnce: settings.parallelStarts,
      isBooted: (base) => machine.templates?.boots(base) === true,
      isHeldBack: (base) => this.#failures.isHeldBack(base, nowMs()),
    });
    this.#succession = new Succession(settings, {
      nowMs,
      isLeaving: (container) => this.#leaving.has(container),
      isTemplateDue: (base) => machine.templates?.isDue(base) === true,
    });
    machine.docker?.follow(() => this.#silenceChanged());
    machine.templates?.follow(
      (failure) => events.emit("bootFailed", failure),
      (copied) => events.emit("bootsCopied", copied),
      (stored) => events.emit("templateStored", stored),
    );
    const sweepMs = Math.min(
      settings.idleMs / sweepsPerIdleTime,
      settings.ageBeforeRetirementMs / sweepsPerAge,
    );
    this.#sweep = setInterval(() => this.#sweepOut(), sweepMs).unref();
    if (this.#libraries.isLearning) {
      this.#learning = setInterval(() => {
        if (this.#libraries.learn()) this.#onChange();
      }, learnedEveryMs).unref();
    }
    if (this.#prewarming.isReactive) this.#check = this.#checkAfter(settings.prewarmChecks.firstAfterMs);
  }

  /** Nobody joins one that is over: it is to become empty. */
  placed(): Placed[] {
    return Array.from(this.#containers.values(), (container) => {
      const seat = container.placed();
      const { spare = 0 } = seat;
      const readyInMs = isComing(seat) ? this.costs.readyInMs(seat.id) : undefined;
      if (readyInMs !== undefined) return { ...seat, readyInMs };
      return spare > 0 && this.isOver(container) ? { ...seat, spare: 0 } : seat;
    });
  }

  get(id: number): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new Error(`no container ${id}`);
    return container;
  }

  /** Makes one when its turn comes, for a job or ahead of any. */
  start(order: ContainerOrder, cause?: StartCause): Container {
    const numbered = { ...order, id: this.#nextId++ };
    const container = new Container(numbered, this.#machine, this.#settings, {
      onLost: () => this.#lost(container),
      ...this.levels.hooks,
    });
    container.isLent = order.image !== undefined && this.#machine.docker?.isSilent === true;
    this.#containers.set(container.id, container);
    if (!container.isBound) this.costs.makingBegun(container.id, baseOf(order), this.#startsAhead);
    this.track(this.#startInTurn(container, cause));
    return container;
  }

  /** Lean containers that are being made, or wait for their turn; not the one that was ordered last. */
  get #startsAhead(): number {
    let starting = 0;
    for (const { state, isBound } of this.#containers.values())
      if (state === "starting" && !isBound) starting++;
    return starting - 1;
  }

  has(id: number): boolean {
    return this.#containers.has(id);
  }

  /** What of all this could be given up for want of memory. */
  weighed(): Omit<Holdings, "aheadBytes" | "isDockerThere"> {
    return {
      seats: weigh(this.placed().map((seat) => [seat, this.get(seat.id)])),
      cells: this.#prewarming.cells,
      isLearnt: (seat) => this.#libraries.isLearnt(seat),
      isBootable: (seat) => this.#machine.templates?.boots(baseOf(seat)) === true,
    };
  }

  /** From now on, until the next call. */
  restrain(restraint: Restraint): void {
    this.#restraint = restraint;
    if (restraint.isSparing) this.#removalGate.open();
    this.#libraries.restrain(restraint.isSparing);
    this.#machine.factory.saveMemory(restraint.isSparing);
  }

  /** Such a job has come, which takes what nobody has used: replacements for its kind are made ahead for a while. */
  expectFresh(job: Job): void {
    if (job.image === undefined) this.#prewarming.expectFresh(job);
  }

  /** A job has it from now on; `useEnded` must follow. */
  useBegan(container: Container): void {
    this.#arrivals.began(sortOf(container), container.order.memoryMB);
  }

  useEnded(container: Container): void {
    this.#arrivals.ended(sortOf(container));
  }

  /** How many of the sort should stay where memory is short: as the stem cells say, or as many as are expected soon. */
  wantedOf(sort: Sort): number {
    const expected = this.#arrivals.expected(sort, this.#soonMs);
    if (sort.image !== undefined) return expected;
    const base = baseOf(sort);
    const cells = this.#prewarming.cells.filter((cell) => cell.image === undefined && baseOf(cell) === base);
    return Math.max(
      expected,
      cells.reduce((sum, { count }) => sum + count, 0),
    );
  }

  /** What is given up after less is not made again. */
  get #soonMs(): number {
    return Math.min(soonMs, this.#settings.idleMs);
  }

  /** The stem cells, and what is expected beyond them. */
  #cellsFor(halfLifeMs: number): readonly StemCell[] {
    const { cells } = this.#prewarming;
    if (!this.#settings.predicts) return cells;
    return [...cells, ...predictedCells(cells, this.#arrivals.all(halfLifeMs))];
  }

  get libraries(): LibrarySets {
    return this.#libraries;
  }

  /** A job has had to wait for this one to be made. */
  countColdStart(container: Container): void {
    this.#prewarming.countColdStart(container.order);
  }

  /**
   * Makes what is missing of the stem cells, and one successor at a time for those that are to retire; as many as may be
   * started ahead, for each start that ends leads back here. Tries again later what failed too recently.
   */
  topUp(): void {
    if (this.#isClosing) return;
    this.#retireIdle();
    if (this.#restraint.isBare) return;
    const nowMs = this.#machine.clock.nowMs();
    const setbacks = [this.#failures, this.#losses, this.#libraries.refused];
    const isHeldBack = (base: string): boolean => setbacks.some((one) => one.isHeldBack(base, nowMs));
    const missing = topUp(
      this.#cellsFor(this.#soonMs),
      this.placed(),
      this.#settings.userMemoryMB,
      isHeldBack,
    );
    const isFull = this.#isFull;
    const makeable = missing.filter(({ image }) => image !== undefined || !isFull);
    let ordered = 0;
    for (const cell of makeable) {
      if (this.#gateFor(cell).freeAhead === 0) continue;
      this.start({ ...cell, label: `prewarm_${cell.kind}` });
      ordered++;
    }
    if (ordered === makeable.length) this.#prewarming.begun();
    const maySucceed = this.#leanGate.freeAhead > 0 && !isFull;
    const due = maySucceed ? this.#succession.nextDue([...this.#containers.values()]) : undefined;
    if (due !== undefined && !isHeldBack(baseOf(due.order))) this.#succeed(due);
    const waitsMs = setbacks.flatMap((one) => one.nextTryInMs(nowMs) ?? []);
    clearTimeout(this.#retry);
    this.#retry = waitsMs.length === 0 ? undefined : setTimeout(this.#onChange, Math.min(...waitsMs)).unref();
  }

  /** True: it is to have no more jobs. */
  isOver(container: Container): boolean {
    return this.#succession.isOver(container);
  }

  /** Takes away one that is clean, warm or not yet begun. */
  evict(container: Container, cause: RemovalCause): void {
    container.evict();
    this.discard(container, cause);
  }

  /** Jobs have come, or wait. Where none is short of memory, the removal of what is spent gives way. */
  jobsCome(isShortOfMemory: boolean): void {
    if (isShortOfMemory || this.#restraint.isSparing) this.#removalGate.open();
    else this.#removalGate.jobsCome();
  }

  /** For one more of its size. */
  #hasRoomBeside({ memoryMB }: Container): boolean {
    return reservedMB(this.placed()) + memoryMB <= this.#settings.userMemoryMB;
  }

  /** Destroys what is tainted or to be removed; its memory counts until it is gone. Nobody waits for what is stuck. Idempotent. */
  discard(container: Container, cause: RemovalCause): void {
    if (this.#leaving.has(container)) return;
    this.#leaving.add(container);
    const { kind, name, fault } = container;
    if (fault !== undefined && cause === "tainted") {
      this.#events.emit("tainted", { container: name, kind, reason: fault.reason, error: fault });
    }
    const goneOrStuck = new Promise<void>((resolve) => {
      const onStuck = (failure: unknown): void => {
        this.#events.emit("stuck", { container: name, kind, failure });
        this.#onChange();
        resolve();
      };
      const isHalted = cause === "spent" && this.#hasRoomBeside(container) && container.halt();
      const mayBegin = isHalted ? this.#removalGate.pass() : Promise.resolve();
      void mayBegin.then(async () => {
        const failure = await container.destroy(onStuck);
        this.#containers.delete(container.id);
        this.levels.left(container);
        this.#events.emit("removed", { container: name, kind, cause, failure });
        this.#onChange();
        resolve();
      });
    });
    this.track(goneOrStuck);
  }

  /** Keeps hold of work that nobody awaits but `settled`. */
  track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  /** Resolves when no tracked work is under way: nothing is being started or removed, but for what is stuck. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Makes none any more and removes all, running ones too. Resolves when all are gone, or stuck. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#removalGate.open();
    this.#leanLimit.forget();
    this.#machine.templates?.close();
    clearInterval(this.#sweep);
    clearTimeout(this.#retry);
    clearTimeout(this.#check);
    clearInterval(this.#learning);
    for (const container of this.#containers.values()) {
      if (container.state === "running" || container.state === "rewinding") {
        container.stop();
        this.discard(container, "closing");
      } else if (isIdle(container)) {
        this.evict(container, "closing");
      }
    }
    await this.settled();
    this.levels.close();
  }

  async #startInTurn(container: Container, cause: StartCause | undefined): Promise<void> {
    const gate = this.#gateFor(container.order);
    let hasLost: boolean = false;
    const hasRoom = (): boolean => {
      hasLost = !this.#takeRoom(container);
      return !hasLost;
    };
    await gate.enter();
    try {
      const renewal = container.isBound
        ? undefined
        : this.#machine.templates?.renewalOf(baseOf(container.order));
      // No turn is lost where there is none: the next one that asks must find this one's.
      if (renewal !== undefined) await renewal;
      // That one's refusal, if it is refused, is known in a moment.
      if (renewal !== undefined && container.order.libraries !== undefined) await nextTurn();
      if (!this.#isStillWanted(container, cause)) {
        this.evict(container, "evicted");
        return;
      }
      const sinceMs = this.#machine.clock.nowMs();
      if (!container.isBound) this.costs.makingBegun(container.id, baseOf(container.order), 0);
      await container.start(hasRoom);
      container.lastUsed = this.#machine.clock.nowMs();
      this.#failures.succeeded(baseOf(container.order));
      const tookMs = container.lastUsed - sinceMs;
      this.#measured(container, tookMs);
      const { name, kind, isBooted } = container;
      const { libraries } = container.order;
      this.#events.emit("started", { container: name, kind, libraries, isBooted, tookMs });
      if (this.#isClosing) this.evict(container, "closing");
    } catch (error) {
      const fault = container.taint(error);
      if (hasLost) this.discard(container, "evicted");
      else {
        const isPutOff = this.#putOff(container, fault);
        if (!isPutOff) this.#startFailed(container, fault);
        cause?.onFailure(fault, isPutOff);
      }
    } finally {
      this.costs.ended(container.id);
      gate.leave();
      this.#onChange();
    }
  }

  #measured({ order, isBound, isBooted, importMs }: Container, tookMs: number): void {
    if (isBound) return;
    const base = baseOf(order);
    this.costs.measured(isBooted ? "boot" : "start", base, tookMs);
    if (importMs === undefined) return;
    this.costs.measured("import", base, importMs);
    this.#libraries.measured(base, importMs);
  }

  /** While Docker answers nothing, lean containers may have the memory that is kept for what it is asked to make. */
  #silenceChanged(): void {
    if (this.#machine.docker?.isSilent === true) {
      for (const container of this.#containers.values())
        container.isLent = container.order.image !== undefined;
    }
    this.#onChange();
  }

  /** False: others have its memory. Who waits for the container waits for room then. */
  #takeRoom(container: Container): boolean {
    if (!container.isLent) return true;
    const freeMB = this.#settings.userMemoryMB - reservedMB([...this.#containers.values()]);
    container.isLent = container.memoryMB > freeMB;
    return !container.isLent;
  }

  #gateFor({ image }: Pick<ContainerOrder, "image">): StartGate {
    if (image === undefined) return this.#leanGate;
    return image.pull ? this.#pullGate : this.#dockerGate;
  }

  /** By its turn the job may have been served otherwise. */
  #isStillWanted(container: Container, cause: StartCause | undefined): boolean {
    if (this.#isClosing) return false;
    // By one of the same set that came first.
    if (this.#libraries.refused.isHeldBack(baseOf(container.order), this.#machine.clock.nowMs()))
      return false;
    if (cause === undefined && this.#restraint.isBare) return false;
    if (cause === undefined || cause.isAwaited()) return true;
    return !isBeyondCells(this.#cellsFor(this.#soonMs), this.placed(), container.placed());
  }

  /** True: others of the pool hold what it lacks, so that no more are made than there are until one of these has gone. */
  #putOff(container: Container, { cause }: Error): boolean {
    if (!isScarcity(cause) || !this.#leanLimit.found(this.#leanBeside(container))) return false;
    const { kind, name } = container;
    this.#events.emit("startPutOff", { container: name, kind, error: cause });
    this.discard(container, "start-failed");
    return true;
  }

  /** Those that hold something, or are to. */
  #leanBeside(container: Container): number {
    return [...this.#containers.values()].filter(
      (one) => one !== container && !one.isBound && (one.state === "starting" || one.hasRemains),
    ).length;
  }

  /** So many lean containers there can be. */
  get leanMost(): number {
    return this.#leanLimit.most;
  }

  get #isFull(): boolean {
    if (this.leanMost === Number.POSITIVE_INFINITY) return false;
    return [...this.#containers.values()].filter(({ isBound }) => !isBound).length >= this.leanMost;
  }

  #startFailed(container: Container, error: Error): void {
    const { kind, name } = container;
    const { libraries } = container.order;
    const nowMs = this.#machine.clock.nowMs();
    if (error.cause instanceof LibraryError && libraries !== undefined) {
      this.#libraries.refused.refuse(baseOf(container.order), nowMs);
      this.#events.emit("librariesRefused", { kind, libraries, error: error.cause });
      this.discard(container, "start-failed");
      return;
    }
    const failuresInARow = this.#failures.failed(baseOf(container.order), nowMs);
    this.#events.emit("startFailed", { container: name, kind, error, failuresInARow });
    this.discard(container, "start-failed");
  }

  /** Died while idle. */
  #lost(container: Container): void {
    const { order, uses, lastUsed } = container;
    if (uses === 0) this.#losses.lost(baseOf(order), lastUsed, this.#machine.clock.nowMs());
    this.discard(container, "tainted");
    this.#onChange();
  }

  #succeed(container: Container): void {
    const cause = { isAwaited: () => true, onFailure: () => this.#succession.set(container, undefined) };
    this.#succession.set(container, this.start(container.order, cause));
  }

  #retireIdle(): void {
    for (const container of this.#containers.values()) {
      if (isIdle(container) && this.isOver(container)) this.evict(container, "retired");
    }
  }

  #sweepOut(): void {
    this.#machine.templates?.sweep();
    this.#retireIdle();
    this.#removeSurplus();
    this.#onChange();
  }

  #removeSurplus(): void {
    const unusedSince = this.#machine.clock.nowMs() - this.#settings.idleMs;
    for (const { id } of surplus(this.#cellsFor(this.#settings.idleMs), this.placed(), unusedSince)) {
      this.evict(this.get(id), "idle");
    }
  }

  /** Decides the numbers of the reactive cells by the cold starts since the last time, now and then. */
  #checkAfter(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      const { everyMs, removedMax } = this.#settings.prewarmChecks;
      this.#prewarming.decide();
      const nowMs = this.#machine.clock.nowMs();
      for (const { id } of expired(this.#prewarming.cells, this.placed(), nowMs).slice(0, removedMax)) {
        this.evict(this.get(id), "idle");
      }
      this.#check = this.#checkAfter(everyMs);
      this.#onChange();
    }, delayMs).unref();
  }
}

function sortOf({ order }: Container): Sort {
  return { kind: order.kind, image: order.image?.name, libraries: order.libraries };
}
