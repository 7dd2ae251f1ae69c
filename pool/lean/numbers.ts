// Hands out numbers, one to each living container: user ids, addresses.

/** The numbers of a range, each with one holder at most; one given back rests as long as possible. */
export class NumberRange {
  readonly #first: number;
  readonly #count: number;
  readonly #whenFull: (count: number) => Error;
  readonly #taken = new Set<number>();
  #next = 0;

  /** `whenFull` makes the error for when all are taken. */
  constructor(first: number, count: number, whenFull: (count: number) => Error) {
    this.#first = first;
    this.#count = count;
    this.#whenFull = whenFull;
  }

  /** Throws when all are taken. */
  take(): number {
    for (let tried = 0; tried < this.#count; tried++) {
      const number = this.#first + this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(number)) continue;
      this.#taken.add(number);
      return number;
    }
    throw this.#whenFull(this.#count);
  }

  /** Only when nothing of its holder is left. */
  giveBack(number: number): void {
    this.#taken.delete(number);
  }
}
