// The pool: gives each job a container in the order of arrival, takes it back clean, and never over-commits.

import type { CheckpointLevel } from "../restorer/index.ts";
import type { Container } from "./container.ts";
import { Containers } from "./containers.ts";
import { PoolEvents } from "./events.ts";
import type { ContainerOrder } from "./interior.ts";
import { PoolLease } from "./lease.ts";
import { levelsToGiveUp } from "./levels.ts";
import { baseOf, LibraryError } from "./libraries.ts";
import type { Machine } from "./machine.ts";
import { MemoryRelief, type MemoryStatus } from "./relief.ts";
import { attainableMB } from "./room.ts";
import type { Leaving } from "./round.ts";
import { plan, type Step } from "./schedule.ts";
import { type Placed, placesIn, reservedMB, suits, type Wanted } from "./seats.ts";
import type { Bringing } from "./shared-levels.ts";
import { refusalOf } from "./starts.ts";
import {
  type Job,
  type Lease,
  PoolError,
  type PoolSettings,
  type StartKind,
  type StartPlace,
} from "./types.ts";

/** In which way a job has a container. */
interface How {
  readonly start: StartKind;
  readonly place: StartPlace;
  readonly isFirst: boolean;
}

interface Waiter {
  readonly job: Job;
  readonly sinceMs: number;
  /** Since when it has been the first without room, with none of its kind to come but from those who use them. */
  blockedSinceMs?: number;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (error: PoolError) => void;
}

export interface PoolStatus {
  readonly memoryMB: number;
  readonly reservedMB: number;
  readonly waiting: number;
  readonly containers: readonly Placed[];
  /** Of the machine; absent where nobody looks. */
  readonly memory?: MemoryStatus | undefined;
}

/** Each has been taken off the bus for good; when what is stuck will be gone nobody knows. */
const parkedMax = 100;

export class Pool {
  readonly events = new PoolEvents();
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #containers: Containers;
  readonly #relief: MemoryRelief;
  readonly #waiting: Waiter[] = [];
  #isDue: boolean = false;
  #patience: NodeJS.Timeout | undefined;
  #review: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /** Starts the stem cells' containers at once; `settled` tells when they are there. */
  constructor(machine: Machine, settings: PoolSettings) {
    this.#machine = machine;
    this.#settings = settings;
    this.#containers = new Containers(machine, settings, this.events, () => this.#serveSoon());
    this.#relief = new MemoryRelief({
      ...{ machine, settings, events: this.events, containers: this.#containers },
      recycle: (container) => this.#recycle(container),
      onChange: () => this.#serveSoon(),
    });
    this.#containers.topUp();
  }

  /** A container for the job, as soon as there is one. Throws PoolError. The lease must be released. */
  lease(job: Job): Promise<Lease> {
    if (this.#closing !== undefined) return Promise.reject(closedError(job));
    if (this.#isFresh(job)) this.#containers.expectFresh(job);
    this.#containers.libraries.note(job);
    return new Promise((grant, refuse) => {
      this.#waiting.push({ job, sinceMs: this.#nowMs(), grant, refuse });
      this.#serveSoon();
    });
  }

  /** How many jobs that have no container can have one soon. */
  get places(): number {
    return placesIn(this.#containers.placed(), this.#settings.parallelStarts);
  }

  /** Jobs that wait for a Docker that answers nothing, or for what is stuck: they take none of the places. */
  get parked(): number {
    const isSilent = this.#machine.docker?.isSilent === true;
    const forDocker = isSilent ? this.#waiting.filter(({ job }) => job.image !== undefined).length : 0;
    return Math.max(forDocker, Math.min(this.#waitingForStuck, parkedMax));
  }

  get #waitingForStuck(): number {
    if (this.#waiting.length === 0) return 0;
    const mostMB = attainableMB(this.#containers.placed(), this.#settings.userMemoryMB);
    return this.#waiting.filter(({ job }) => job.memoryMB > mostMB).length;
  }

  /** Resolves when nothing is being started, rewound or removed, but for what is stuck. */
  settled(): Promise<void> {
    return this.#containers.settled();
  }

  status(): PoolStatus {
    const containers = this.#containers.placed();
    return {
      memoryMB: this.#settings.userMemoryMB,
      reservedMB: reservedMB(containers),
      waiting: this.#waiting.length,
      containers,
      memory: this.#relief.status,
    };
  }

  /** Refuses who waits and removes every container, running ones too. Idempotent; resolves when all is gone, or stuck. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#patience);
    clearTimeout(this.#review);
    this.#relief.stop();
    for (const { job, refuse } of this.#waiting.splice(0)) refuse(closedError(job));
    await this.#containers.close();
  }

  // --- giving out ---

  /** Once for all that happens at the same moment: else for each of many jobs all others, and all containers, would be gone through. */
  #serveSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      if (this.#isDue) this.#serve();
    });
  }

  #serve(): void {
    this.#isDue = false;
    if (this.#closing !== undefined) return;
    this.#boundLevels();
    const nowMs = this.#nowMs();
    const { patienceMs } = this.#settings;
    const asked = [...this.#waiting];
    const wanted = asked.map(({ job, blockedSinceMs = nowMs }) => ({
      ...job,
      image: job.image?.name,
      ...this.#containers.libraries.of(job),
      ...(this.#isFresh(job) && { isFresh: true, concurrency: 1 }),
      isPatient: nowMs - blockedSinceMs < patienceMs,
    }));
    const isDockerThere = this.#machine.docker?.isThere === true;
    const { costs, leanMost } = this.#containers;
    const { steps, blocked, isOneComing, reviewInMs } = plan(
      this.#containers.placed(),
      wanted,
      this.#relief.budgetMB(wanted.map(({ memoryMB }) => memoryMB)),
      { isDockerThere, costs, leanMost, wantedOf: (sort) => this.#containers.wantedOf(sort) },
    );
    for (const step of steps) this.#take(step, asked);
    if (asked.length > 0) this.#containers.jobsCome(blocked !== undefined);
    if (this.#waiting.length === this.#waitingForStuck) this.#containers.topUp();
    this.#losePatience(blocked === undefined || isOneComing ? undefined : asked[blocked], nowMs);
    clearTimeout(this.#review);
    if (reviewInMs !== undefined) this.#review = setTimeout(() => this.#serveSoon(), Math.ceil(reviewInMs));
    this.events.emit("changed");
  }

  /** Plans again when the first job without room has waited long enough. */
  #losePatience(waiter: Waiter | undefined, nowMs: number): void {
    clearTimeout(this.#patience);
    if (waiter === undefined) return;
    waiter.blockedSinceMs ??= nowMs;
    const leftMs = waiter.blockedSinceMs + this.#settings.patienceMs - nowMs;
    if (leftMs > 0) this.#patience = setTimeout(() => this.#serveSoon(), Math.ceil(leftMs));
  }

  #take(step: Step, asked: readonly Waiter[]): void {
    switch (step.step) {
      case "lease":
        this.#grant(waiterAt(asked, step.job), this.#containers.get(step.container));
        break;
      case "recycle":
        this.#recycle(this.#containers.get(step.container));
        break;
      case "create":
        this.#order(waiterAt(asked, step.job), step);
        break;
      case "evict":
        this.#containers.evict(this.#containers.get(step.container), "evicted");
        break;
      case "refuse":
        this.#refuse(waiterAt(asked, step.job), this.#refusal(waiterAt(asked, step.job).job, step.why));
        break;
    }
  }

  #grant(waiter: Waiter, container: Container): void {
    const start = container.startKindFor(waiter.job, waiter.sinceMs);
    const place = container.placeOf(start);
    const isFirst = container.state !== "running";
    try {
      container.assign(waiter.job, this.#nowMs());
    } catch {
      // Tainted by its own account; the job keeps its place and the next plan sees one container less.
      this.#containers.discard(container, "tainted");
      return;
    }
    if (isFirst) this.#containers.useBegan(container);
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    if (start === "cold") this.#containers.countColdStart(container);
    const how = { start, place, isFirst };
    const bringing =
      isFirst && start !== "warm"
        ? this.#containers.levels.bringingFor(container, waiter.job.owner)
        : undefined;
    if (bringing === undefined) this.#lend(waiter, container, how);
    else this.#containers.track(this.#bring(waiter, container, { ...how, bringing }));
  }

  #lend(waiter: Waiter, container: Container, how: How): void {
    const { start, place } = how;
    const { name, kind, order } = container;
    const { libraries } = order;
    const waitedMs = this.#nowMs() - waiter.sinceMs;
    this.events.emit("leased", { container: name, kind, start, place, libraries, waitedMs });
    const takeBack = (leaving: Leaving): Promise<void> => this.#takeBack(container, leaving);
    waiter.grant(new PoolLease(container, how, takeBack));
  }

  /** To another one's action checkpoint, before the job has it; where it does not get there, the job has an init in it, or another one. */
  async #bring(
    waiter: Waiter,
    container: Container,
    how: How & { readonly bringing: Bringing },
  ): Promise<void> {
    const { bringing, ...usual } = how;
    const sinceMs = this.#nowMs();
    const isThere = await container.bring(bringing);
    const tookMs = isThere ? this.#nowMs() - sinceMs : undefined;
    this.#containers.levels.brought(bringing, container, waiter.job.owner, tookMs);
    if (container.state === "running") {
      this.#lend(waiter, container, isThere ? { start: "warm", place: "brought", isFirst: true } : usual);
      return;
    }
    this.#containers.useEnded(container);
    this.#containers.discard(container, "tainted");
    if (this.#closing !== undefined) waiter.refuse(closedError(waiter.job));
    else {
      this.#waiting.unshift(waiter);
      this.#serveSoon();
    }
  }

  /**
   * A container made for the job, unless it gets another one first. Without its libraries, it waits for one without them; where it
   * had another way to a container, it goes that; where others hold what each needs, it waits in its place for one of theirs.
   */
  #order(waiter: Waiter, { libraries, isOption }: Step & { readonly step: "create" }): void {
    const order = { ...orderFor(waiter.job), libraries };
    const seat = { ...seatOf(waiter.job), libraries };
    const isAwaited = (): boolean => this.#waiting.some(({ job }) => suits(seat, this.#wantedBy(job)));
    const onFailure = (cause: Error, isPutOff: boolean): void => {
      if (isOption !== true && !isPutOff && !(cause.cause instanceof LibraryError))
        this.#refuse(waiter, refusalOf(cause, order));
    };
    this.#containers.start(order, { isAwaited, onFailure });
  }

  #refusal({ kind, memoryMB, image }: Job, why: (Step & { step: "refuse" })["why"]): PoolError {
    if (why === "no-docker") {
      const message = `there is no Docker that answers to run ${image?.name}`;
      return new PoolError("cannot-create", kind, message, { image: image?.name });
    }
    return new PoolError(why, kind, `${memoryMB} MB never fit into ${this.#settings.userMemoryMB} MB`);
  }

  #refuse(waiter: Waiter, error: PoolError): void {
    const place = this.#waiting.indexOf(waiter);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    waiter.refuse(error);
  }

  // --- taking back ---

  /** While neighbours run in it, the container is neither rewound nor removed, whatever has become of it. */
  async #takeBack(container: Container, leaving: Leaving): Promise<void> {
    if (container.leave(leaving)) {
      await this.#end(container);
      this.#containers.useEnded(container);
    }
    this.#serveSoon();
  }

  async #end(container: Container): Promise<void> {
    // Who has just come may have another one.
    if (this.#isDue) this.#serve();
    if (container.state === "running") {
      if (container.isUsedUp) container.spend();
      else if (this.#containers.isOver(container)) container.retire();
      else if (container.mayKeep && this.#closing === undefined) container.keep();
      else if (container.isRewindable) await this.#rewind(container, this.#targetFor(container));
      else container.spend();
    }
    container.lastUsed = this.#nowMs();
    if (container.state === "removing")
      this.#containers.discard(
        container,
        container.isRewindable && !container.isUsedUp ? "retired" : "spent",
      );
    else if (container.state === "tainted") this.#containers.discard(container, "tainted");
  }

  /** Back to the end of its init, unless the next job that can have the container is another owner's, or has an init of its own. */
  #targetFor(container: Container): CheckpointLevel {
    if (!container.hasLevel || this.#closing !== undefined) return "base";
    const next = this.#waiting.find(({ job }) => suits(container.placed(), this.#wantedBy(job)));
    if (next === undefined) return "level";
    return next.job.owner === container.owner && next.job.hasOwnInit !== true ? "level" : "base";
  }

  #wantedBy(job: Job): Pick<Wanted, "kind" | "image" | "libraries"> {
    return { ...seatOf(job), ...this.#containers.libraries.of(job) };
  }

  #boundLevels(): void {
    for (const { id } of levelsToGiveUp(this.#containers.placed(), this.#settings.levelMemoryMB))
      this.#recycle(this.#containers.get(id));
  }

  #recycle(container: Container): void {
    this.#containers.track(
      this.#rewind(container).then(() => {
        if (container.state === "tainted") this.#containers.discard(container, "tainted");
        this.#serveSoon();
      }),
    );
  }

  /** Never rejects: what failed is tainted. */
  async #rewind(container: Container, to: CheckpointLevel = "base"): Promise<void> {
    const sinceMs = this.#nowMs();
    const { costs } = this.#containers;
    const base = baseOf(container.order);
    const what = container.state === "warm" ? "recycle" : to === "base" ? "rewind" : "rewind-to-level";
    costs.rewindBegun(container.id, what, base);
    try {
      container.beginRewind();
      const timings = await container.rewind(to);
      if (to === "level") this.#containers.levels.returned(container);
      if (timings === undefined) return;
      const tookMs = this.#nowMs() - sinceMs;
      costs.measured(what, base, tookMs);
      this.events.emit("rewound", { container: container.name, kind: container.kind, timings, tookMs });
    } catch (error) {
      if (to === "level") this.#containers.levels.returnFailed(container);
      container.taint(error);
    } finally {
      costs.ended(container.id);
    }
  }

  #isFresh({ rewind = this.#settings.rewind }: Job): boolean {
    return rewind === "fresh";
  }

  #nowMs(): number {
    return this.#machine.clock.nowMs();
  }
}

function waiterAt(asked: readonly Waiter[], place: number): Waiter {
  const waiter = asked[place];
  if (waiter === undefined) throw new Error(`no waiting job ${place}`);
  return waiter;
}

function seatOf({ kind, image }: Job): Pick<Placed, "kind" | "image"> {
  return { kind, image: image?.name };
}

function orderFor({ kind, memoryMB, image, label }: Job): ContainerOrder {
  return { kind, memoryMB, image, label };
}

function closedError(job: Job): PoolError {
  return new PoolError("closed", job.kind, "the pool is closed");
}
