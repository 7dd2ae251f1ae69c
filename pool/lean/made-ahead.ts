// What containers are made of, made ahead: handed out, and taken back where it shows no trace of the container that had it.

import { availableParallelism } from "node:os";
import { type Alarm, realAlarm } from "../time.ts";
import { LeanError } from "./errors.ts";

/** What matters here of the network of a container, or of a container that is blank. */
export interface Part {
  /** It can only be closed. */
  readonly hasEnded?: boolean;
  /** Of what is given back: false also where it cannot be told. */
  isUnused?(): Promise<boolean>;
  close(): void | Promise<void>;
}

/** Since the start. */
export interface Counts {
  readonly made: number;
  /** Given back without a trace, to be had by a next container. */
  readonly reused: number;
  /** Given back and thrown away, for there was a trace. */
  readonly discarded: number;
}

interface Waiting<One> {
  readonly resolve: (part: One) => void;
  readonly reject: (error: unknown) => void;
}

/** So many are made at the same time for those who wait: more would wait for each other. Ahead of time, one after the other. */
const makersMax = 2 * availableParallelism();

/** Ahead of time when nobody has taken one for so long: those who have would wait for the processors. */
const calmMs = 50;
/** Should that never be, after so long. */
const patienceMs = 250;

/** After a failure that nobody has been told of, so that one who comes later finds some; rarely, for most reasons stay. */
const retryMs = 10_000;

export class MadeAhead<One extends Part> {
  readonly #make: (isWanted: boolean) => Promise<One>;
  readonly #most: number;
  /** The one that rests for longest is the next. */
  readonly #ready: One[] = [];
  /** Those that are to be given back. */
  readonly #taken = new Set<One>();
  readonly #waiting: Waiting<One>[] = [];
  readonly #alarm: Alarm;
  readonly #underWay = new Set<Promise<void>>();
  readonly #counts = { made: 0, reused: 0, discarded: 0 };
  #making = 0;
  #checking = 0;
  #isFilling: boolean = false;
  #isCalm: boolean = true;
  /** Since it is filling there has been no calm. */
  #isOverdue: boolean = false;
  #stopAlarms: readonly (() => void)[] = [];
  /** The last could not be made, or has ended by itself: the next is tried when there is reason to hope, somebody who wants it and will be told, or after a while. */
  #hasFailed: boolean = false;
  #stopRetry: () => void = () => undefined;
  #emptying: Promise<boolean> | undefined;
  #isPaused: boolean = false;
  #isClosed: boolean = false;

  /** `ahead`: so many are kept, as soon as the first has been taken. `isWanted`: somebody waits for this one. */
  constructor(ahead: number, make: (isWanted: boolean) => Promise<One>, alarm: Alarm = realAlarm) {
    this.#most = ahead;
    this.#alarm = alarm;
    this.#make = make;
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  get #ahead(): number {
    return this.#isPaused ? 0 : this.#most;
  }

  /** How many could be handed out at once. */
  get ready(): number {
    return this.#ready.length;
  }

  /** One that is ready, or else the next to be. Rejects with what `make` does. */
  take(): Promise<One> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new LeanError("closed", "nothing more is made"));
      this.#waiting.push({ resolve, reject });
      this.#hasFailed = false;
      this.#disturb();
      this.#serve();
    });
  }

  /** It stays with whoever took it. */
  leave(part: One): void {
    this.#taken.delete(part);
  }

  /** When no process of its container is left. */
  giveBack(part: One): void {
    this.#taken.delete(part);
    this.#follow(this.#takeBack(part));
  }

  /**
   * For want of what others need: closes what is ready, and makes no more before it is wanted. False where there was nothing. Whoever asks
   * meanwhile waits for the same.
   */
  empty(): Promise<boolean> {
    this.#emptying ??= this.#empty().finally(() => {
      this.#emptying = undefined;
    });
    return this.#emptying;
  }

  async #empty(): Promise<boolean> {
    this.#isFilling = false;
    this.#hasFailed = true;
    const closed = this.#ready.splice(0);
    await Promise.all(closed.map((part) => this.#closed(part)));
    return closed.length > 0;
  }

  /** For want of memory: none are ready before somebody wants them, until the next call. What could not be closed, the next start removes. */
  pause(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#serve();
  }

  /** Closes what can only be closed before anybody comes to it, and makes as many anew. */
  sweep(): void {
    const ended = this.#ready.filter(({ hasEnded }) => hasEnded === true);
    if (ended.length === 0) return;
    for (const part of ended) {
      this.#ready.splice(this.#ready.indexOf(part), 1);
      this.#end(part);
    }
    this.#isFilling = true;
    this.#serve();
  }

  /** It has ended by itself, as its successor might: that is made once somebody wants one, or after a while. Only what is ready is closed. */
  drop(part: One): void {
    const at = this.#ready.indexOf(part);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    this.#fail();
    this.#end(part);
  }

  /**
   * When no container is left. What has not been given back, for something of its container remains, is closed too. Idempotent.
   * Rejects at its end with the first error.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of [...this.#stopAlarms, this.#stopRetry]) stop();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    const left = [...this.#ready.splice(0), ...this.#taken];
    this.#taken.clear();
    const ends = await Promise.allSettled(left.map(async (part) => part.close()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #takeBack(part: One): Promise<void> {
    this.#checking++;
    const isWanted = !this.#isClosed && (this.#ready.length < this.#ahead || this.#waiting.length > 0);
    const isUnused = isWanted && (await part.isUnused?.()) === true;
    this.#checking--;
    this.#hasFailed = false;
    if (isUnused) {
      this.#counts.reused++;
      this.#ready.push(part);
    } else {
      if (isWanted) this.#counts.discarded++;
      await this.#closed(part);
    }
    this.#serve();
  }

  /** The next that can be used. */
  #next(): One | undefined {
    for (let part = this.#ready.shift(); part !== undefined; part = this.#ready.shift()) {
      if (part.hasEnded !== true) return part;
      this.#end(part);
    }
    return undefined;
  }

  #end(part: One): void {
    this.#follow(this.#closed(part));
  }

  /** What it leaves, the next start removes. */
  async #closed(part: One): Promise<void> {
    try {
      await part.close();
    } catch {
      // It is not one that could be had again.
    }
  }

  #fail(): void {
    if (this.#isClosed) return;
    this.#hasFailed = true;
    this.#stopRetry();
    this.#stopRetry = this.#alarm(retryMs, () => {
      this.#hasFailed = false;
      this.#serve();
    });
  }

  #disturb(): void {
    const [stopCalm, stopPatience] = this.#stopAlarms;
    stopCalm?.();
    const calm = this.#alarm(calmMs, () => {
      this.#isCalm = true;
      this.#stopAlarms[1]?.();
      this.#stopAlarms = [];
      this.#serve();
    });
    const patience =
      stopPatience ??
      this.#alarm(patienceMs, () => {
        this.#isOverdue = this.#isFilling;
        this.#stopAlarms = this.#stopAlarms.slice(0, 1);
        this.#serve();
      });
    this.#isCalm = false;
    this.#stopAlarms = [calm, patience];
  }

  /** To those who wait, what is ready; and as many are made as are missing. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const part = this.#next();
      if (part === undefined) break;
      this.#taken.add(part);
      this.#waiting.shift()?.resolve(part);
    }
    // Also what was being made already.
    if (this.#isPaused) for (const part of this.#ready.splice(0)) this.#end(part);
    if (this.#isClosed || this.#hasFailed) return;
    // Not at once for each that is taken: it may come back.
    if (this.#ready.length <= this.#ahead / 2) this.#isFilling = true;
    if (this.#ready.length >= this.#ahead) {
      this.#isFilling = false;
      this.#isOverdue = false;
    }
    const mayFill = this.#isFilling && (this.#isCalm || this.#isOverdue);
    const wanted = this.#waiting.length + (mayFill ? this.#ahead - this.#ready.length : 0);
    const makers = Math.max(1, Math.min(makersMax, this.#waiting.length));
    while (this.#making < Math.min(makers, wanted)) {
      const isWanted = this.#making++ < this.#waiting.length;
      this.#follow(this.#makeOne(isWanted));
    }
  }

  async #makeOne(isWanted: boolean): Promise<void> {
    try {
      this.#ready.push(await this.#make(isWanted));
      this.#counts.made++;
      this.#making--;
    } catch (error) {
      this.#making--;
      // Another that is being made may be had instead; or one that is being looked at, which may leave its place as well.
      const isMissing = this.#checking === 0 && this.#making < this.#waiting.length;
      // Nobody wanted that one, it was to be booted ahead as well: whoever has come to wait meanwhile has another made.
      if (isMissing && isWanted) this.#waiting.shift()?.reject(error);
      if (isMissing && this.#waiting.length > 0) this.#hasFailed = false;
      else this.#fail();
    }
    this.#serve();
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }
}
