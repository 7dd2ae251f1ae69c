// The networks of containers, made ahead: handed out, and taken back where they show no trace of the container that had them.

import { availableParallelism } from "node:os";
import { LeanError } from "./errors.ts";

/** What of a container's network matters here. */
export interface Slot {
  /** False also where it cannot be told. Asked when no process is left in it. */
  isUnused(): Promise<boolean>;
  close(): void;
}

/** Since the start. */
export interface SlotCounts {
  readonly made: number;
  /** Given back without a trace, to be had by a next container. */
  readonly reused: number;
  /** Given back and thrown away: their container had used the network. */
  readonly discarded: number;
}

interface Waiting<One> {
  readonly resolve: (slot: One) => void;
  readonly reject: (error: unknown) => void;
}

/** So many are made at the same time: more would wait for each other. */
const makersMax = 2 * availableParallelism();

export class NetworkSlots<One extends Slot> {
  readonly #make: () => Promise<One>;
  readonly #ahead: number;
  /** The one that rests for longest is the next. */
  readonly #ready: One[] = [];
  /** Their containers have them. */
  readonly #taken = new Set<One>();
  readonly #waiting: Waiting<One>[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #counts = { made: 0, reused: 0, discarded: 0 };
  #making = 0;
  #checking = 0;
  /** The last could not be made: the next is tried when there is reason to hope, or somebody who wants it and will be told. */
  #hasFailed: boolean = false;
  #isFilling: boolean = false;
  #isClosed: boolean = false;

  /** `ahead`: so many are kept, as soon as the first has been taken. */
  constructor(ahead: number, make: () => Promise<One>) {
    this.#ahead = ahead;
    this.#make = make;
  }

  get counts(): SlotCounts {
    return { ...this.#counts };
  }

  /** How many could be handed out at once. */
  get ready(): number {
    return this.#ready.length;
  }

  /** One that is ready, or else the next to be. Rejects with what `make` does. */
  take(): Promise<One> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new LeanError("closed", "no more networks are made"));
      this.#waiting.push({ resolve, reject });
      this.#hasFailed = false;
      this.#serve();
    });
  }

  /** When no process of its container is left. */
  giveBack(slot: One): void {
    this.#taken.delete(slot);
    this.#follow(this.#takeBack(slot));
  }

  /** When no container is left. Those that have not been given back, for something of theirs remains, are closed too. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    for (const slot of [...this.#ready.splice(0), ...this.#taken]) slot.close();
    this.#taken.clear();
  }

  async #takeBack(slot: One): Promise<void> {
    this.#checking++;
    const isWanted = !this.#isClosed && (this.#ready.length < this.#ahead || this.#waiting.length > 0);
    const isUnused = isWanted && (await slot.isUnused());
    this.#checking--;
    this.#hasFailed = false;
    if (isUnused) {
      this.#counts.reused++;
      this.#ready.push(slot);
    } else {
      if (isWanted) this.#counts.discarded++;
      slot.close();
    }
    this.#serve();
  }

  /** To those who wait, what is ready; and as many are made as are missing. */
  #serve(): void {
    while (this.#waiting.length > 0 && this.#ready.length > 0) {
      const slot = this.#ready.shift() as One;
      this.#taken.add(slot);
      this.#waiting.shift()?.resolve(slot);
    }
    if (this.#isClosed || this.#hasFailed) return;
    // Not at once for each that is taken: it may come back.
    if (this.#ready.length <= this.#ahead / 2) this.#isFilling = true;
    if (this.#ready.length >= this.#ahead) this.#isFilling = false;
    const wanted = this.#waiting.length + (this.#isFilling ? this.#ahead - this.#ready.length : 0);
    while (this.#making < Math.min(makersMax, wanted)) {
      this.#making++;
      this.#follow(this.#makeOne());
    }
  }

  async #makeOne(): Promise<void> {
    try {
      this.#ready.push(await this.#make());
      this.#counts.made++;
    } catch (error) {
      // One that is being looked at may be had instead, or leave its place.
      const isHopeless = this.#checking === 0;
      if (isHopeless) this.#waiting.shift()?.reject(error);
      this.#hasFailed = !isHopeless || this.#waiting.length === 0;
    } finally {
      this.#making--;
    }
    this.#serve();
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }
}
