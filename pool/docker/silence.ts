// Notices when questions are open and none has been answered for too long.

import { type Alarm, realAlarm } from "../time.ts";

export interface SilenceParts {
  readonly afterMs: number;
  /** It has begun, or is over. */
  readonly onChange: () => void;
  readonly alarm?: Alarm | undefined;
}

export class Silence {
  readonly #parts: SilenceParts;
  #open = 0;
  #isSilent: boolean = false;
  #callOff: () => void = () => undefined;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  /** Lasts until there is an answer, also where nobody asks any more. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Somebody has asked, and has no answer yet. */
  get isAsked(): boolean {
    return this.#open > 0;
  }

  /** Listens while the question is open. That it ends is no answer: its time may be over. */
  async during<Answer>(question: Promise<Answer>): Promise<Answer> {
    if (this.#open++ === 0) this.#listen();
    try {
      return await question;
    } finally {
      if (--this.#open === 0) this.#callOff();
    }
  }

  /** There is an answer, to whatever question. */
  broken(): void {
    this.#callOff();
    if (this.#open > 0) this.#listen();
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#parts.onChange();
  }

  #listen(): void {
    const { afterMs, alarm = realAlarm, onChange } = this.#parts;
    this.#callOff = alarm(afterMs, () => {
      if (this.#isSilent) return;
      this.#isSilent = true;
      onChange();
    });
  }
}
