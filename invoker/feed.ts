// Reads the invoker's topic one message at a time, and no more than can begin soon: what is taken is lost if the invoker is killed.

import { type Bus, foreseenBytes, type Subscription } from "./bus/bus.ts";
import type { ActivationMessage } from "./wire/messages.ts";
import { type Order, readOrder } from "./wire/orders.ts";

export interface FeedParts {
  readonly bus: Bus;
  readonly topic: string;
  /** Activations that have a container or wait for one; while there are as many, the bus is held back. */
  readonly capacity: number;
  /** How many of them may be without a container at the moment: those that can have one soon. */
  readonly places: () => number;
  /** How many of them wait for something that may take for ever: others do not wait for these. Absent: none. */
  readonly parked?: () => number;
  /** Resolves when the activation's slot is free. */
  readonly run: (order: Order, progress: Progress) => Promise<void>;
  /** An activation of this action is on its way, and will probably be run here: what it takes may be made ready. */
  readonly foresee?: (actionId: string, revision: string) => void;
  readonly onUnreadable: (error: unknown) => void;
  /** `run` rejected: a fault of ours. */
  readonly onFault: (order: Order, error: unknown) => void;
}

/** What an activation takes of the machine, as it tells itself; each may be called more than once. */
export interface Progress {
  /** It has a container. */
  readonly placed: () => void;
  /** It needs none, or none any more. Until the bus has taken its acks it keeps texts of this length beside its message. */
  readonly released: (keptLength?: number) => void;
}

/**
 * What activations may keep whose acks the bus has not taken: some 2000 short ones, far more than are on the way to a bus that
 * is slow but well. Counted by their texts, of which there are copies: in memory it is two to three times as much.
 */
const unackedBytesMax = 32 * 1024 * 1024;
/** What one of them keeps if all its texts are short. */
const unackedBytesMin = 16 * 1024;

/** At most once, as stock: a message is off the bus before it runs. One that cannot be read has no controller to tell. */
export class Feed {
  readonly #parts: FeedParts;
  readonly #subscription: Subscription;
  readonly #underWay = new Set<Promise<void>>();
  /** Those of them that have a container or wait for one. */
  #occupying = 0;
  /** Those that have none yet. */
  #unplaced = 0;
  /** What the others keep. */
  #unackedBytes = 0;
  #done = 0;
  #roomMade: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    const { bus, topic } = parts;
    const room = (): number => this.#room;
    const foresee = (message: string): void => this.#foresee(message);
    this.#subscription = bus.subscribe(topic, (message) => this.#handle(message), { room, foresee });
  }

  /** Activations whose slot is not free yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** The bus does not take acks as fast as it gives messages. */
  get isHeldBack(): boolean {
    return this.#unackedBytes >= unackedBytesMax;
  }

  /** Messages can reach it. */
  get isReading(): boolean {
    return this.#subscription.isReading !== false;
  }

  /** There may be more places than before. */
  lookAgain(): void {
    this.#roomMade?.();
  }

  /** Activations whose slot has become free. */
  get done(): number {
    return this.#done;
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

  get #room(): number {
    if (this.isHeldBack) return 0;
    const { capacity, places, parked = () => 0 } = this.#parts;
    return parked() + Math.min(capacity - this.#occupying, places() - this.#unplaced);
  }

  #foresee(message: string): void {
    if (message.length > foreseenBytes) return;
    try {
      const { action, revision } = JSON.parse(message) as ActivationMessage;
      if (typeof revision === "string") this.#parts.foresee?.(`${action.path}/${action.name}`, revision);
    } catch {
      // It is told of when it is read in earnest.
    }
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
    const progress = this.#begin(message.length);
    const activation = this.#parts
      .run(order, progress)
      .catch((error: unknown) => this.#parts.onFault(order, error))
      .finally(() => {
        this.#underWay.delete(activation);
        this.#done++;
        progress.ended();
      });
    this.#underWay.add(activation);
    while (this.#room <= 0 && this.#stopped === undefined) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  #begin(messageLength: number): Progress & { readonly ended: () => void } {
    this.#occupying++;
    this.#unplaced++;
    let [isPlaced, isReleased, unackedBytes] = [false, false, 0];
    const placed = (): void => {
      if (!isPlaced) this.#unplaced--;
      isPlaced = true;
      this.lookAgain();
    };
    const released = (keptLength = 0): void => {
      if (!isReleased) {
        this.#occupying--;
        unackedBytes = unackedBytesMin + messageLength + keptLength;
        this.#unackedBytes += unackedBytes;
      }
      isReleased = true;
      placed();
    };
    const ended = (): void => {
      released();
      this.#unackedBytes -= unackedBytes;
      this.lookAgain();
    };
    return { placed, released, ended };
  }
}
