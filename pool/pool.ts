// The pool: gives each job a container in the order of arrival, keeps enough of them ready, and never over-commits.

import { Container } from "./container.ts";
import { PoolEvents } from "./events.ts";
import { PoolLease } from "./lease.ts";
import type { Machine } from "./machine.ts";
import { surplus, topUp } from "./prewarm.ts";
import { type Placed, plan, reservedMB, type Step } from "./schedule.ts";
import { StartFailures, StartGate } from "./starts.ts";
import {
  type Job,
  type Lease,
  PoolError,
  type PoolSettings,
  type RemovalCause,
  TaintError,
} from "./types.ts";

interface Waiter {
  readonly job: Job;
  readonly sinceMs: number;
  /** Since when it has been the first without room. */
  blockedSinceMs?: number;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (error: PoolError) => void;
}

export interface PoolStatus {
  readonly memoryMB: number;
  readonly reservedMB: number;
  readonly waiting: number;
  readonly containers: readonly Placed[];
}

const sweepsPerIdleTime = 4;

export class Pool {
  readonly events = new PoolEvents();
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #containers = new Map<number, Container>();
  readonly #leaving = new WeakSet<Container>();
  readonly #waiting: Waiter[] = [];
  readonly #gate: StartGate;
  readonly #failures = new StartFailures();
  readonly #underWay = new Set<Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;
  #nextId = 1;
  #closing: Promise<void> | undefined;

  /** Starts the stem cells' containers at once; `settled` tells when they are there. */
  constructor(machine: Machine, settings: PoolSettings) {
    this.#machine = machine;
    this.#settings = settings;
    this.#gate = new StartGate(settings.parallelStarts);
    this.#sweep = setInterval(() => this.#removeSurplus(), settings.idleMs / sweepsPerIdleTime);
    this.#sweep.unref();
    this.#topUp();
  }

  /** A container for the job, as soon as there is one. Throws PoolError. The lease must be released. */
  lease(job: Job): Promise<Lease> {
    if (this.#closing !== undefined) return Promise.reject(closedError(job));
    return new Promise((grant, refuse) => {
      this.#waiting.push({ job, sinceMs: this.#nowMs(), grant, refuse });
      this.#serve();
    });
  }

  /** Resolves when nothing is being started, rewound or removed. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  status(): PoolStatus {
    const containers = this.#placed();
    return {
      memoryMB: this.#settings.userMemoryMB,
      reservedMB: reservedMB(containers),
      waiting: this.#waiting.length,
      containers,
    };
  }

  /** Refuses who waits and removes every container, running ones too. Idempotent; resolves when all is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    clearTimeout(this.#retry);
    clearTimeout(this.#patience);
    for (const { job, refuse } of this.#waiting.splice(0)) refuse(closedError(job));
    for (const container of this.#containers.values()) {
      if (container.state === "running" || container.state === "rewinding") {
        container.taint(new TaintError("system", "the pool is closing"));
        this.#discard(container, "closing");
      } else if (container.state === "clean" || container.state === "warm") {
        this.#evict(container, "closing");
      }
    }
    await this.settled();
  }

  // --- giving out ---

  #serve(): void {
    if (this.#closing !== undefined) return;
    const nowMs = this.#nowMs();
    const { patienceMs, userMemoryMB } = this.#settings;
    const asked = [...this.#waiting];
    const wanted = asked.map(({ job, blockedSinceMs = nowMs }) => ({
      ...job,
      isPatient: nowMs - blockedSinceMs < patienceMs,
    }));
    const { steps, blocked } = plan(this.#placed(), wanted, userMemoryMB);
    for (const step of steps) this.#take(step, asked);
    if (this.#waiting.length === 0) this.#topUp();
    this.#losePatience(blocked === undefined ? undefined : asked[blocked], nowMs);
  }

  /** Plans again when the first job without room has waited long enough. */
  #losePatience(waiter: Waiter | undefined, nowMs: number): void {
    clearTimeout(this.#patience);
    if (waiter === undefined) return;
    waiter.blockedSinceMs ??= nowMs;
    const leftMs = waiter.blockedSinceMs + this.#settings.patienceMs - nowMs;
    if (leftMs > 0) this.#patience = setTimeout(() => this.#serve(), Math.ceil(leftMs));
  }

  #take(step: Step, asked: readonly Waiter[]): void {
    switch (step.step) {
      case "lease":
        this.#grant(waiterAt(asked, step.job), this.#container(step.container));
        break;
      case "recycle":
        this.#recycle(this.#container(step.container));
        break;
      case "create":
        this.#start(step.kind, step.memoryMB, waiterAt(asked, step.job));
        break;
      case "evict":
        this.#evict(this.#container(step.container), "evicted");
        break;
      case "refuse": {
        const waiter = waiterAt(asked, step.job);
        const { kind, memoryMB } = waiter.job;
        const why = `${memoryMB} MB never fit into ${this.#settings.userMemoryMB} MB`;
        this.#refuse(waiter, new PoolError("too-large", kind, why));
        break;
      }
    }
  }

  #grant(waiter: Waiter, container: Container): void {
    const start = container.startKindFor(waiter.job, waiter.sinceMs);
    try {
      container.assign(waiter.job, this.#nowMs());
    } catch {
      // Tainted by its own account; the job keeps its place and the next plan sees one container less.
      this.#discard(container, "tainted");
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    const waitedMs = this.#nowMs() - waiter.sinceMs;
    this.events.emit("leased", { container: container.name, kind: container.kind, start, waitedMs });
    waiter.grant(new PoolLease(container, start, (wellBehaved) => this.#takeBack(container, wellBehaved)));
  }

  #refuse(waiter: Waiter, error: PoolError): void {
    const place = this.#waiting.indexOf(waiter);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    waiter.refuse(error);
  }

  // --- taking back ---

  async #takeBack(container: Container, wellBehaved: boolean): Promise<void> {
    if (container.state === "running") {
      const keeps = this.#settings.rewind === "on-change" && wellBehaved && this.#closing === undefined;
      if (!container.isRewindable) container.spend();
      else if (keeps) container.keep();
      else await this.#rewind(container);
    }
    container.lastUsed = this.#nowMs();
    if (container.state === "removing")
      this.#discard(container, container.isRewindable ? "retired" : "spent");
    else if (container.state === "tainted") this.#discard(container, "tainted");
    this.#serve();
  }

  #recycle(container: Container): void {
    this.#track(
      this.#rewind(container).then(() => {
        if (container.state === "tainted") this.#discard(container, "tainted");
        this.#serve();
      }),
    );
  }

  /** Never rejects: what failed is tainted. */
  async #rewind(container: Container): Promise<void> {
    const sinceMs = this.#nowMs();
    try {
      container.beginRewind();
      const timings = await container.rewind();
      if (timings === undefined) return;
      const tookMs = this.#nowMs() - sinceMs;
      this.events.emit("rewound", { container: container.name, kind: container.kind, timings, tookMs });
    } catch (error) {
      container.taint(error);
    }
  }

  // --- making and removing ---

  /** Starts a container, for a job or ahead of any. */
  #start(kind: string, memoryMB: number, waiter: Waiter | undefined): void {
    const order = { id: this.#nextId++, kind, memoryMB };
    const container = new Container(order, this.#machine, this.#settings, () => this.#lost(container));
    this.#containers.set(container.id, container);
    this.#track(this.#startInTurn(container, waiter));
  }

  async #startInTurn(container: Container, waiter: Waiter | undefined): Promise<void> {
    await this.#gate.enter();
    try {
      if (!this.#isStillWanted(container, waiter)) {
        this.#evict(container, "evicted");
        return;
      }
      const sinceMs = this.#nowMs();
      await container.start();
      container.lastUsed = this.#nowMs();
      this.#failures.succeeded(container.kind);
      const tookMs = container.lastUsed - sinceMs;
      this.events.emit("started", { container: container.name, kind: container.kind, tookMs });
      if (this.#closing !== undefined) this.#evict(container, "closing");
    } catch (error) {
      this.#startFailed(container, waiter, container.taint(error));
    } finally {
      this.#gate.leave();
      this.#serve();
    }
  }

  /** By its turn the job may have been served otherwise. */
  #isStillWanted(container: Container, waiter: Waiter | undefined): boolean {
    if (this.#closing !== undefined) return false;
    if (waiter === undefined || this.#waiting.some(({ job }) => job.kind === container.kind)) return true;
    const living = [...this.#containers.values()].filter(({ kind }) => kind === container.kind).length;
    const wanted = this.#settings.stemCells
      .filter(({ kind }) => kind === container.kind)
      .reduce((sum, { count }) => sum + count, 0);
    return living <= wanted;
  }

  #startFailed(container: Container, waiter: Waiter | undefined, error: Error): void {
    const { kind, name } = container;
    const failuresInARow = this.#failures.failed(kind, this.#nowMs());
    this.events.emit("startFailed", { container: name, kind, error, failuresInARow });
    this.#discard(container, "start-failed");
    if (waiter !== undefined) {
      const failure = new PoolError("cannot-create", kind, `no container: ${error.message}`, {
        cause: error,
      });
      this.#refuse(waiter, failure);
    }
  }

  /** Died while idle. */
  #lost(container: Container): void {
    this.#discard(container, "tainted");
    this.#serve();
  }

  #evict(container: Container, cause: RemovalCause): void {
    container.evict();
    this.#discard(container, cause);
  }

  /** Destroys what is tainted or to be removed; its memory counts until it is gone. */
  #discard(container: Container, cause: RemovalCause): void {
    if (this.#leaving.has(container)) return;
    this.#leaving.add(container);
    const { kind, name, fault } = container;
    if (fault !== undefined && cause === "tainted") {
      this.events.emit("tainted", { container: name, kind, reason: fault.reason, error: fault });
    }
    this.#track(
      container.destroy().then((failure) => {
        this.#containers.delete(container.id);
        this.events.emit("removed", { container: name, kind, cause, failure });
        this.#serve();
      }),
    );
  }

  #topUp(): void {
    if (this.#closing !== undefined) return;
    const nowMs = this.#nowMs();
    const { stemCells, userMemoryMB } = this.#settings;
    const isHeldBack = (kind: string): boolean => this.#failures.isHeldBack(kind, nowMs);
    for (const cell of topUp(stemCells, this.#placed(), userMemoryMB, isHeldBack)) {
      this.#start(cell.kind, cell.memoryMB, undefined);
    }
    const waitMs = this.#failures.nextTryInMs(nowMs);
    clearTimeout(this.#retry);
    this.#retry = waitMs === undefined ? undefined : setTimeout(() => this.#serve(), waitMs).unref();
  }

  #removeSurplus(): void {
    const unusedSince = this.#nowMs() - this.#settings.idleMs;
    for (const { id } of surplus(this.#settings.stemCells, this.#placed(), unusedSince)) {
      this.#evict(this.#container(id), "idle");
    }
  }

  // --- small things ---

  #placed(): Placed[] {
    return Array.from(this.#containers.values(), (container) => container.placed());
  }

  #container(id: number): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new Error(`no container ${id}`);
    return container;
  }

  #nowMs(): number {
    return this.#machine.clock.nowMs();
  }

  /** Keeps hold of work that nobody awaits but `settled`. */
  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }
}

function waiterAt(asked: readonly Waiter[], place: number): Waiter {
  const waiter = asked[place];
  if (waiter === undefined) throw new Error(`no waiting job ${place}`);
  return waiter;
}

function closedError(job: Job): PoolError {
  return new PoolError("closed", job.kind, "the pool is closed");
}
