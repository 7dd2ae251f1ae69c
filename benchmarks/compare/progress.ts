// A line that says how far long work has come: on a terminal it is written over, elsewhere a new one comes now and then.

const terminalEveryMs = 250;
const otherwiseEveryMs = 15_000;

export class Progress {
  readonly #write: (text: string) => void;
  readonly #isTerminal: boolean;
  readonly #beganMs: number = performance.now();
  #title = "";
  #done = 0;
  #of: number | undefined;
  #shownMs = 0;
  #isOpen: boolean = false;

  constructor({ write, isTerminal }: { write: (text: string) => void; isTerminal: boolean }) {
    this.#write = write;
    this.#isTerminal = isTerminal;
  }

  /** The next piece of work; `of` is how many steps it has, where that is known. */
  begin(title: string, of?: number): void {
    this.#title = title;
    this.#done = 0;
    this.#of = of;
    this.#show();
  }

  step(count = 1): void {
    this.#done += count;
    const everyMs = this.#isTerminal ? terminalEveryMs : otherwiseEveryMs;
    if (performance.now() - this.#shownMs > everyMs) this.#show();
  }

  /** A line of its own, which stays. */
  say(line: string): void {
    this.#write(`${this.#isOpen ? "\r\u001b[K" : ""}${line}\n`);
    this.#isOpen = false;
  }

  #show(): void {
    this.#shownMs = performance.now();
    const count = this.#of === undefined ? `${this.#done}` : `${this.#done} of ${this.#of}`;
    const seconds = Math.round((this.#shownMs - this.#beganMs) / 1000);
    const line = `${this.#title}: ${count} calls, ${seconds} s since the start`;
    this.#write(this.#isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.#isOpen = this.#isTerminal;
  }
}
