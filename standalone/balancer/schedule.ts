// Which invoker gets an activation: its home, else the next ones by a coprime step, else any healthy one.

import { coprimeSteps, homeHash } from "./hash.ts";
import { type Share, Slots } from "./slots.ts";

/** What the choice depends on. */
export interface Placement extends Share {
  /** The namespace that invokes. */
  readonly namespace: string;
  /** `namespace[/package]/name` */
  readonly action: string;
  /** An image of the user's own instead of a runtime of the manifest. */
  readonly isBlackbox: boolean;
}

export interface Choice {
  /** The id in `invoker<N>`. */
  readonly instance: number;
  /** No invoker had room: this one gets more than fits. */
  readonly isOverloaded: boolean;
}

export interface ScheduleSettings {
  /** Controllers that share the invokers, this one included. */
  readonly clusterSize: number;
  /** No controller's share of an invoker is smaller: `whisk.memory.min`. */
  readonly memoryMinMB: number;
  /** `whisk.loadbalancer.managed-fraction` and `blackbox-fraction`, 0 to 1. */
  readonly managedFraction: number;
  readonly blackboxFraction: number;
}

/** Invokers `first` to `first + count - 1`, and the steps to go through them. */
interface Candidates {
  readonly first: number;
  readonly count: number;
  readonly steps: readonly number[];
}

/** The slots of all invokers that are known, by id. */
export class Schedule {
  readonly #settings: ScheduleSettings;
  readonly #isHealthy: (instance: number) => boolean;
  readonly #random: () => number;
  readonly #slots: Slots[] = [];
  #managed: Candidates = candidates(0, 0);
  #blackbox: Candidates = candidates(0, 0);

  /** `random` gives numbers from 0 up to but not 1. */
  constructor(
    settings: ScheduleSettings,
    isHealthy: (instance: number) => boolean,
    random: () => number = Math.random,
  ) {
    this.#settings = settings;
    this.#isHealthy = isHealthy;
    this.#random = random;
  }

  /** Makes room for invokers up to the id; those that were not known have the same memory as this one. */
  extend(instance: number, userMemoryMB: number): void {
    const { clusterSize, memoryMinMB } = this.#settings;
    const shareMB = Math.max(memoryMinMB, Math.floor(userMemoryMB / clusterSize));
    while (this.#slots.length <= instance) {
      this.#slots.push(new Slots(shareMB));
    }
    const count = this.#slots.length;
    const managedFraction = fraction(this.#settings.managedFraction);
    const blackboxFraction = Math.max(1 - managedFraction, fraction(this.#settings.blackboxFraction));
    const managed = Math.max(1, Math.ceil(count * managedFraction));
    const blackbox = Math.max(1, Math.floor(count * blackboxFraction));
    this.#managed = candidates(0, managed);
    this.#blackbox = candidates(count - blackbox, blackbox);
  }

  /** The memory that is free in an invoker's slots, below zero where it is over-committed; for those who watch. */
  freeMB(instance: number): number | undefined {
    return this.#slots[instance]?.freeMB;
  }

  /** Chooses, and takes what the activation needs. Undefined: no candidate is healthy. */
  choose(placement: Placement): Choice | undefined {
    const { first, count, steps } = placement.isBlackbox ? this.#blackbox : this.#managed;
    if (count === 0) {
      return undefined;
    }
    const hash = homeHash(placement.namespace, placement.action);
    const step = steps[hash % steps.length] ?? 1;
    for (let visited = 0, at = hash % count; visited < count; visited++, at = (at + step) % count) {
      const instance = first + at;
      if (this.#isHealthy(instance) && this.#slots[instance]?.tryTake(placement) === true) {
        return { instance, isOverloaded: false };
      }
    }
    const healthy = Array.from({ length: count }, (_, i) => first + i).filter(this.#isHealthy);
    const instance = healthy[Math.floor(this.#random() * healthy.length)];
    if (instance === undefined) {
      return undefined;
    }
    this.#slots[instance]?.take(placement);
    return { instance, isOverloaded: true };
  }

  /** Gives back what an activation took, at the invoker that says it is done with it. */
  release(instance: number, share: Share): void {
    this.#slots[instance]?.giveBack(share);
  }
}

function candidates(first: number, count: number): Candidates {
  return { first, count, steps: coprimeSteps(count) };
}

function fraction(value: number): number {
  return Math.min(1, Math.max(0, value));
}
