// Reads the invoker's topic one message at a time, and not more than the pool has room for.

import type { Bus, Subscription } from "./bus/bus.ts";
import { type Order, readOrder } from "./wire/orders.ts";

export interface FeedParts {
  readonly bus: Bus;
  readonly topic: string;
  /** Activations under way at a time; while there are as many, the bus is held back. */
  readonly capacity: number;
  /** Resolves when the activation's slot is free. */
  readonly run: (order: Order) => Promise<void>;
  readonly onUnreadable: (error: unknown) => void;
  /** `run` rejected: a fault of ours. */
  readonly onFault: (order: Order, error: unknown) => void;
}

/** At most once, as stock: a message is off the bus before it runs. One that cannot be read has no controller to tell. */
export class Feed {
  readonly #parts: FeedParts;
  readonly #subscription: Subscription;
  readonly #underWay = new Set<Promise<void>>();
  #roomMade: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe(parts.topic, (message) => this.#handle(message));
  }

  /** Activations whose slot is not free yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Reads no more; resolves when the last message read has been handed over. Idempotent. */
  stop(): Promise<void> {
    this.#roomMade?.();
    this.#stopped ??= this.#subscription.stop();
    return this.#stopped;
  }

  /** Resolves when no activation is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Returns only when there is room for the next message. */
  async #handle(message: string): Promise<void> {
    let order: Order;
    try {
      order = readOrder(message);
    } catch (error) {
      this.#parts.onUnreadable(error);
      return;
    }
    const activation = this.#parts
      .run(order)
      .catch((error: unknown) => this.#parts.onFault(order, error))
      .finally(() => {
        this.#underWay.delete(activation);
        this.#roomMade?.();
      });
    this.#underWay.add(activation);
    while (this.#underWay.size >= this.#parts.capacity && this.#stopped === undefined) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }
}
