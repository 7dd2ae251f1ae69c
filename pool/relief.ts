// Looks at the machine's memory now and then, and while it is short gives up what can be made anew; what is given up is not made again at once.

import type { Container } from "./container.ts";
import type { Containers } from "./containers.ts";
import type { PoolEvents } from "./events.ts";
import type { Machine } from "./machine.ts";
import { type Shortage, shortageOf } from "./memory.ts";
import { type Relief, relieve } from "./pressure.ts";
import { reservedMB } from "./seats.ts";
import type { PoolSettings } from "./types.ts";

/** What is not made for want of memory. */
export interface Restraint {
  /** Nothing that nobody waits for, but containers of stem cells. */
  readonly isSparing: boolean;
  /** Nor those. */
  readonly isBare: boolean;
}

export const unrestrained: Restraint = { isSparing: false, isBare: false };

/** What there is of it now; absent where nobody looks. */
export interface MemoryStatus {
  readonly isShort: boolean;
  /** At the last look. */
  readonly availableMB: number;
}

interface ReliefParts {
  readonly machine: Machine;
  readonly settings: Pick<PoolSettings, "userMemoryMB" | "leastMemoryMB" | "memoryLookMs">;
  readonly events: PoolEvents;
  readonly containers: Containers;
  /** Puts an idle container back to its base. */
  readonly recycle: (container: Container) => void;
  /** There may be more or less room than before. */
  readonly onChange: () => void;
}

/** What a step will have given back as soon as it is done. */
interface Coming {
  readonly bytes: number;
  readonly isUnderWay: () => boolean;
  /** At the last look; the kernel's figures may be as old as that. */
  isOver: boolean;
}

const bytesPerMB = 1024 * 1024;
/** There must have been enough for so long before anything is made again that was given up. */
const shortestCalmMs = 10_000;
/** It doubles each time memory gets short again before as much time has passed. */
const longestCalmMs = 320_000;
/** As measured: see docs/decisions/0041-made-ahead.md. */
const networkBytes = 0.2 * bytesPerMB;
const blankBytes = 1.5 * bytesPerMB;

export class MemoryRelief {
  readonly #parts: ReliefParts;
  readonly #timer: NodeJS.Timeout | undefined;
  #status: MemoryStatus | undefined;
  #isSparing: boolean = false;
  #isBare: boolean = false;
  /** What was reserved when all that was left was in use. */
  #heldAtMB: number | undefined;
  #enoughSinceMs: number | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;
  #calmMs = shortestCalmMs;
  #coming: readonly Coming[] = [];

  /** Looks by itself where the settings want it and the machine tells. */
  constructor(parts: ReliefParts) {
    this.#parts = parts;
    const { leastMemoryMB, memoryLookMs } = parts.settings;
    if (leastMemoryMB > 0 && parts.machine.memory !== undefined)
      this.#timer = setInterval(() => this.look(), memoryLookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get status(): MemoryStatus | undefined {
    return this.#status;
  }

  /**
   * What containers may have together, where jobs wait that want so much each. While all that is left is in use they have no more than they had: each job that
   * fits in at all does so once the others are done, but for what is stuck.
   */
  budgetMB(wantedMB: readonly number[]): number {
    const { userMemoryMB } = this.#parts.settings;
    if (this.#heldAtMB === undefined) return userMemoryMB;
    const stuckMB = reservedMB(this.#parts.containers.placed().filter(({ isStuck }) => isStuck === true));
    return Math.min(userMemoryMB, Math.max(this.#heldAtMB, stuckMB + Math.max(0, ...wantedMB)));
  }

  look(): void {
    const { machine, settings } = this.#parts;
    const rooms = machine.memory?.() ?? [];
    const shortage = shortageOf(rooms, settings.leastMemoryMB);
    const nowMs = machine.clock.nowMs();
    if (shortage.isShort && !this.#isSparing) this.#begin(shortage, nowMs);
    this.#status = { isShort: this.#isSparing, availableMB: shortage.availableMB };
    if (!this.#isSparing) return;
    if (shortage.missingMB > 0) {
      this.#enoughSinceMs = undefined;
      this.#relieve(shortage);
      return;
    }
    if (this.#heldAtMB !== undefined) {
      this.#heldAtMB = undefined;
      this.#parts.onChange();
    }
    this.#enoughSinceMs ??= nowMs;
    if (nowMs - this.#enoughSinceMs >= this.#calmMs) this.#end(shortage, nowMs);
  }

  #begin(shortage: Shortage, nowMs: number): void {
    const isAgain = nowMs - this.#endedMs < this.#calmMs;
    this.#calmMs = isAgain ? Math.min(longestCalmMs, 2 * this.#calmMs) : shortestCalmMs;
    this.#isSparing = true;
    this.#parts.events.emit("memoryShort", { ...shortage, isShort: true });
  }

  #end(shortage: Shortage, nowMs: number): void {
    this.#endedMs = nowMs;
    this.#isSparing = false;
    this.#isBare = false;
    this.#enoughSinceMs = undefined;
    this.#status = { isShort: false, availableMB: shortage.availableMB };
    this.#restrain();
    this.#parts.events.emit("memoryShort", { ...shortage, isShort: false });
    this.#parts.onChange();
  }

  #restrain(): void {
    this.#parts.containers.restrain({ isSparing: this.#isSparing, isBare: this.#isBare });
  }

  #relieve({ missingMB, isShort }: Shortage): void {
    this.#coming = this.#coming.filter((one) => !one.isOver);
    for (const one of this.#coming) one.isOver = !one.isUnderWay();
    const comingBytes = this.#coming.reduce((sum, { bytes }) => sum + bytes, 0);
    const { machine, containers } = this.#parts;
    const { networks, containers: blanks } = machine.factory.ahead();
    const steps = relieve(
      {
        ...containers.weighed(),
        aheadBytes: networks.ready * networkBytes + blanks.ready * blankBytes,
        isDockerThere: machine.docker?.isThere === true,
      },
      missingMB * bytesPerMB - comingBytes,
    );
    // First of all, so that what is removed is not made again at once.
    this.#isBare ||= steps.some(({ step }) => step === "idle" || step === "stem-cell");
    this.#restrain();
    for (const step of steps) this.#take(step, isShort);
  }

  #take(relief: Relief, isShort: boolean): void {
    const { containers, events, recycle } = this.#parts;
    if (relief.step === "hold") {
      // What leaves already counts until it has left: the next look holds on to less.
      if (isShort) this.#heldAtMB = Math.min(this.#heldAtMB ?? Number.POSITIVE_INFINITY, this.#reservedMB);
      return;
    }
    // Restraint has closed what was ready ahead.
    if (relief.step !== "ahead") {
      const { container: id, bytes } = relief;
      const container = containers.get(id);
      const isLevel = relief.step === "level";
      if (isLevel) recycle(container);
      else containers.evict(container, "memory");
      // Of what is stuck nobody knows when it gives anything back.
      const isThere = (): boolean => containers.has(id) && container.placed().isStuck !== true;
      this.#expect(bytes, () => isThere() && (!isLevel || container.hasLevel));
    }
    events.emit("relieved", { what: relief.step });
  }

  #expect(bytes: number, isUnderWay: () => boolean): void {
    this.#coming = [...this.#coming, { bytes, isUnderWay, isOver: false }];
  }

  get #reservedMB(): number {
    return reservedMB(this.#parts.containers.placed());
  }
}
