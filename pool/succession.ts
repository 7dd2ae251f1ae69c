// Who follows a container that has served long enough, or whose kind needs a new template: the successor is made before the other
// goes.

import { ageOf } from "./ageing.ts";
import type { Container } from "./container.ts";
import { baseOf } from "./libraries.ts";
import { reservedMB } from "./seats.ts";
import type { PoolSettings } from "./types.ts";

export interface SuccessionFacts {
  readonly nowMs: () => number;
  /** It is being removed. */
  readonly isLeaving: (container: Container) => boolean;
  /** One of this base is to be started, to boot others from. */
  readonly isTemplateDue: (base: string) => boolean;
}

export class Succession {
  readonly #settings: PoolSettings;
  readonly #facts: SuccessionFacts;
  /** Made for the one that is to retire. */
  readonly #successors = new WeakMap<Container, Container>();

  constructor(settings: PoolSettings, facts: SuccessionFacts) {
    this.#settings = settings;
    this.#facts = facts;
  }

  /** True: its successor is there, or it has served long enough and none is under way. What is bound is never replaced. */
  isOver(container: Container): boolean {
    if (container.isBound) return false;
    const successor = this.#successors.get(container);
    if (successor !== undefined && !this.#facts.isLeaving(successor)) return successor.state !== "starting";
    return ageOf(container, this.#facts.nowMs(), this.#settings) === "worn";
  }

  /** The first that is due, unless a successor is being made already or there is no room for one. */
  nextDue(living: readonly Container[]): Container | undefined {
    if (living.some((container) => this.#successors.get(container)?.state === "starting")) return undefined;
    const freeMB = this.#settings.userMemoryMB - reservedMB(living);
    return living.find(
      (container) =>
        container.isRewindable &&
        !this.#successors.has(container) &&
        container.order.memoryMB <= freeMB &&
        !this.#facts.isLeaving(container) &&
        (ageOf(container, this.#facts.nowMs(), this.#settings) === "due" ||
          this.#facts.isTemplateDue(baseOf(container.order))),
    );
  }

  /** Undefined: the one that was being made has failed. */
  set(container: Container, successor: Container | undefined): void {
    if (successor === undefined) this.#successors.delete(container);
    else this.#successors.set(container, successor);
  }
}
