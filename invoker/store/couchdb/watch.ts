// Asks the databases now and then whether they answer: so it is known before somebody needs one of them.

import { type Alarm, realAlarm } from "../../../pool/index.ts";
import type { CouchProblem } from "./open.ts";

export interface WatchParts {
  /** What is wrong with the databases; never rejects. */
  readonly check: () => Promise<readonly CouchProblem[]>;
  /** What the last answer was. */
  readonly isUp: boolean;
  /** They do not answer as they should, for this reason, or do so again (undefined). */
  readonly onChange: (reason: string | undefined) => void;
  readonly alarm?: Alarm;
}

/** From an answer to the next question. */
const restMs = 10_000;
/** A database that hangs gives no answer at all; by now operators are told. */
const patienceMs = 5000;

export class DatabaseWatch {
  readonly #parts: WatchParts;
  #isUp: boolean;
  #isClosed: boolean = false;
  #callOff: () => void = () => undefined;

  /** Asks for the first time after a while: whoever opens it has just asked. */
  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#isUp = parts.isUp;
    this.#rest();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Asks no more, and does not wait for an answer. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#callOff();
  }

  #rest(): void {
    const { alarm = realAlarm } = this.#parts;
    this.#callOff = alarm(restMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { check, alarm = realAlarm } = this.#parts;
    this.#callOff = alarm(patienceMs, () => this.#note(`no answer for ${patienceMs / 1000} s`));
    const problems = await check();
    if (this.#isClosed) return;
    this.#callOff();
    this.#note(problems.length === 0 ? undefined : problems.map(({ message }) => message).join(" "));
    this.#rest();
  }

  /** Tells of changes alone. */
  #note(reason: string | undefined): void {
    const isUp = reason === undefined;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.#parts.onChange(reason);
  }
}
