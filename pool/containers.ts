// The containers of the pool: made a few at a time, for a job or ahead of any, and counted until nothing of them is left.

import { Container } from "./container.ts";
import type { PoolEvents } from "./events.ts";
import type { Machine } from "./machine.ts";
import { surplus, topUp } from "./prewarm.ts";
import type { Placed } from "./schedule.ts";
import { StartFailures, StartGate } from "./starts.ts";
import { type PoolSettings, type RemovalCause, TaintError } from "./types.ts";

const sweepsPerIdleTime = 4;

/** On whose account a container is made. */
export interface StartCause {
  /** Asked when its turn comes. False: nobody waits for one of this kind any more. */
  readonly isAwaited: () => boolean;
  readonly onFailure: (error: Error) => void;
}

export class Containers {
  readonly #machine: Machine;
  readonly #settings: PoolSettings;
  readonly #events: PoolEvents;
  readonly #onChange: () => void;
  readonly #containers = new Map<number, Container>();
  readonly #leaving = new WeakSet<Container>();
  readonly #gate: StartGate;
  readonly #failures = new StartFailures();
  readonly #underWay = new Set<Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosing: boolean = false;

  /** `onChange` is told when there may be a container, or memory, that there was not before. */
  constructor(machine: Machine, settings: PoolSettings, events: PoolEvents, onChange: () => void) {
    this.#machine = machine;
    this.#settings = settings;
    this.#events = events;
    this.#onChange = onChange;
    this.#gate = new StartGate(settings.parallelStarts);
    this.#sweep = setInterval(() => this.#removeSurplus(), settings.idleMs / sweepsPerIdleTime);
    this.#sweep.unref();
  }

  placed(): Placed[] {
    return Array.from(this.#containers.values(), (container) => container.placed());
  }

  get(id: number): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new Error(`no container ${id}`);
    return container;
  }

  /** Makes one when its turn comes, for a job or ahead of any. */
  start(kind: string, memoryMB: number, cause?: StartCause): void {
    const order = { id: this.#nextId++, kind, memoryMB };
    const container = new Container(order, this.#machine, this.#settings, () => this.#lost(container));
    this.#containers.set(container.id, container);
    this.track(this.#startInTurn(container, cause));
  }

  /** Makes what is missing of the stem cells, and tries again later what failed too recently. */
  topUp(): void {
    if (this.#isClosing) return;
    const nowMs = this.#machine.clock.nowMs();
    const { stemCells, userMemoryMB } = this.#settings;
    const isHeldBack = (kind: string): boolean => this.#failures.isHeldBack(kind, nowMs);
    for (const { kind, memoryMB } of topUp(stemCells, this.placed(), userMemoryMB, isHeldBack)) {
      this.start(kind, memoryMB);
    }
    const waitMs = this.#failures.nextTryInMs(nowMs);
    clearTimeout(this.#retry);
    this.#retry = waitMs === undefined ? undefined : setTimeout(this.#onChange, waitMs).unref();
  }

  /** Takes away one that is clean, warm or not yet begun. */
  evict(container: Container, cause: RemovalCause): void {
    container.evict();
    this.discard(container, cause);
  }

  /** Destroys what is tainted or to be removed; its memory counts until it is gone. Idempotent. */
  discard(container: Container, cause: RemovalCause): void {
    if (this.#leaving.has(container)) return;
    this.#leaving.add(container);
    const { kind, name, fault } = container;
    if (fault !== undefined && cause === "tainted") {
      this.#events.emit("tainted", { container: name, kind, reason: fault.reason, error: fault });
    }
    this.track(
      container.destroy().then((failure) => {
        this.#containers.delete(container.id);
        this.#events.emit("removed", { container: name, kind, cause, failure });
        this.#onChange();
      }),
    );
  }

  /** Keeps hold of work that nobody awaits but `settled`. */
  track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  /** Resolves when no tracked work is under way: nothing is being started or removed. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Makes none any more and removes all, running ones too. Resolves when all are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#retry);
    for (const container of this.#containers.values()) {
      if (container.state === "running" || container.state === "rewinding") {
        container.taint(new TaintError("system", "the pool is closing"));
        this.discard(container, "closing");
      } else if (container.state === "clean" || container.state === "warm") {
        this.evict(container, "closing");
      }
    }
    await this.settled();
  }

  async #startInTurn(container: Container, cause: StartCause | undefined): Promise<void> {
    await this.#gate.enter();
    try {
      if (!this.#isStillWanted(container, cause)) {
        this.evict(container, "evicted");
        return;
      }
      const sinceMs = this.#machine.clock.nowMs();
      await container.start();
      container.lastUsed = this.#machine.clock.nowMs();
      this.#failures.succeeded(container.kind);
      const tookMs = container.lastUsed - sinceMs;
      this.#events.emit("started", { container: container.name, kind: container.kind, tookMs });
      if (this.#isClosing) this.evict(container, "closing");
    } catch (error) {
      const fault = container.taint(error);
      this.#startFailed(container, fault);
      cause?.onFailure(fault);
    } finally {
      this.#gate.leave();
      this.#onChange();
    }
  }

  /** By its turn the job may have been served otherwise. */
  #isStillWanted({ kind }: Container, cause: StartCause | undefined): boolean {
    if (this.#isClosing) return false;
    if (cause === undefined || cause.isAwaited()) return true;
    const living = [...this.#containers.values()].filter((container) => container.kind === kind).length;
    const wanted = this.#settings.stemCells
      .filter((cell) => cell.kind === kind)
      .reduce((sum, { count }) => sum + count, 0);
    return living <= wanted;
  }

  #startFailed(container: Container, error: Error): void {
    const { kind, name } = container;
    const failuresInARow = this.#failures.failed(kind, this.#machine.clock.nowMs());
    this.#events.emit("startFailed", { container: name, kind, error, failuresInARow });
    this.discard(container, "start-failed");
  }

  /** Died while idle. */
  #lost(container: Container): void {
    this.discard(container, "tainted");
    this.#onChange();
  }

  #removeSurplus(): void {
    const unusedSince = this.#machine.clock.nowMs() - this.#settings.idleMs;
    for (const { id } of surplus(this.#settings.stemCells, this.placed(), unusedSince)) {
      this.evict(this.get(id), "idle");
    }
  }
}
