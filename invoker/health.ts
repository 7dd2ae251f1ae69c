// Tells the controllers once a second that this invoker is there, unless an operator has disabled it.

import { type Alarm, type Clock, realAlarm } from "../pool/index.ts";
import type { InvokerInstance } from "./wire/messages.ts";

export interface HealthParts {
  readonly instance: InvokerInstance;
  readonly clock: Clock;
  /** Resolves when the bus has the ping. Absent: there are no controllers to tell. */
  readonly send?: ((ping: string) => Promise<void>) | undefined;
  /** The bus takes no pings (once), or takes them again (undefined). */
  readonly onChange: (failure: unknown) => void;
  readonly alarm?: Alarm;
}

/** From the beginning of one ping to that of the next; a controller waits ten times as long. */
const periodMs = 1000;
/** A bus that waits for its broker gives no answer at all; by now operators are told. */
const patienceMs = 5000;

/**
 * Pings go out one after the other, so that none overtakes what was said later and none piles up before a bus that is down.
 * After `disable` exactly one says so, and no other follows until `enable`.
 */
export class Health {
  readonly #parts: HealthParts;
  #isEnabled: boolean = true;
  /** A disabling that controllers have not heard of yet. */
  #owesNotice: boolean = false;
  #isStopped: boolean = false;
  /** What the bus made of the last ping; undefined before the first. */
  #isHeard: boolean | undefined;
  #hasChanged: boolean = false;
  #wake: () => void = () => undefined;
  readonly #ended: Promise<void>;
  #noticed: Promise<void> = Promise.resolve();
  #tellNoticed: () => void = () => undefined;

  /** Begins at once. */
  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#ended = parts.send === undefined ? Promise.resolve() : this.#run(parts.send);
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** Whether the bus took the last ping in good time; undefined as long as that is open for the first, or none is ever sent. */
  get isHeard(): boolean | undefined {
    return this.#isHeard;
  }

  /** False: it is enabled already. The next ping goes out at once. */
  enable(): boolean {
    if (this.#isEnabled) return false;
    this.#isEnabled = true;
    this.#change();
    return true;
  }

  /** False: it is disabled already; controllers are told again all the same. */
  disable(): boolean {
    const wasEnabled = this.#isEnabled;
    this.#isEnabled = false;
    if (this.#parts.send === undefined) return wasEnabled;
    if (!this.#owesNotice) {
      this.#noticed = new Promise((resolve) => {
        this.#tellNoticed = resolve;
      });
    }
    this.#owesNotice = true;
    this.#change();
    return wasEnabled;
  }

  /** Resolves when the last disabling has been sent. */
  noticed(): Promise<void> {
    return this.#noticed;
  }

  /** Resolves when the last ping has ended. Idempotent. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#change();
    return this.#ended;
  }

  async #run(send: (ping: string) => Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#isStopped) {
      this.#hasChanged = false;
      // A notice that is owed goes first, even where the invoker has been enabled again meanwhile.
      const isNotice = this.#owesNotice;
      if (!isNotice && !this.#isEnabled) {
        await this.#pause();
        continue;
      }
      const begunMs = clock.nowMs();
      this.#owesNotice = false;
      const isSent = await this.#ping(send, !isNotice);
      if (isNotice && !isSent) this.#owesNotice = true;
      if (isNotice && isSent) this.#tellNoticed();
      // Enabled again before the notice was out: that is news as well.
      if (isNotice && isSent && this.#isEnabled) continue;
      await this.#pause(Math.min(periodMs, begunMs + periodMs - clock.nowMs()));
    }
  }

  async #ping(send: (ping: string) => Promise<void>, isEnabled: boolean): Promise<boolean> {
    const { instance, alarm = realAlarm } = this.#parts;
    const callOff = alarm(patienceMs, () => this.#note(new Error(`no answer for ${patienceMs / 1000} s`)));
    let failure: unknown;
    try {
      await send(JSON.stringify({ name: instance, isEnabled }));
    } catch (error) {
      failure = error;
    }
    callOff();
    this.#note(failure);
    return failure === undefined;
  }

  /** Tells of changes alone. */
  #note(failure: unknown): void {
    const wasHeard = this.#isHeard ?? true;
    this.#isHeard = failure === undefined;
    if (this.#isHeard !== wasHeard) this.#parts.onChange(failure);
  }

  #change(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  /** Until something changes, but no longer than `mostMs`. */
  async #pause(mostMs?: number): Promise<void> {
    if (this.#hasChanged) return;
    const { alarm = realAlarm } = this.#parts;
    let callOff = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (mostMs !== undefined) callOff = alarm(Math.max(0, mostMs), resolve);
    });
    callOff();
  }
}
