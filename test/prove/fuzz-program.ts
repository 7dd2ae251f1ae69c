// Programs for the fuzzer: a few steps with their numbers, drawn from a seed, and the source text that takes them.

import { createHash } from "node:crypto";
import type { Family } from "../corpus.ts";
import { loadSteps, type Step } from "./fuzz-steps.ts";
import { hostilePrelude } from "./hostile.ts";

/** One step: its name and its numbers. */
export type Call = readonly [name: string, n: number, m: number];
/** What one activation does. */
export type FuzzProgram = readonly Call[];

const longestProgram = 8;
/** Numbers of steps are below this; small ones are likelier. */
const numberBits = 10;

/** Fractions from 0 up to, but not including, 1: always the same ones for the same text (mulberry32). */
export function randomFrom(text: string): () => number {
  let state = createHash("sha256").update(text).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const mainOf = {
  nodejs: (calls) => `
async function main() {
  const said = [];
  const { getSystemErrorName } = require("util");
  let ending;
  for (const [step, n, m] of [${calls}]) {
    try {
      const word = await step(n, m);
      if (typeof word === "function") ending = word;
      if (word < 0) throw { code: getSystemErrorName(word) };
      said.push("done");
    } catch (error) {
      said.push(String(error?.code ?? error));
    }
  }
  return ending === undefined ? { said } : ending();
}`,
  python: (calls) => `
def main(args):
    from errno import errorcode
    said, ending = [], None
    for step, n, m in [${calls}]:
        try:
            word = step(n, m)
            if callable(word):
                ending, word = word, None
            said.append("done" if word is None or word >= 0 else errorcode[-word])
        except BaseException as problem:
            said.append(errorcode.get(getattr(problem, "errno", None)) or repr(problem))
    return {"said": said} if ending is None else ending()
`,
  ruby: (calls) => `
def main(args)
  said, ending = [], nil
  [${calls}].each do |step, n, m|
    word = step.call(n, m)
    ending, word = word, nil if word.is_a?(Proc)
    said << (word.is_a?(Integer) && word.negative? ? word_of(word) : "done")
  rescue Exception => problem
    said << (problem.is_a?(SystemCallError) ? problem.class.name.delete_prefix("Errno::") : problem.inspect)
  end
  ending ? ending.call : { said: said }
end
def word_of(result)
  Errno.constants.find { |name| Errno.const_get(name)::Errno == -result }.to_s
end
`,
} as const satisfies Record<Family, (calls: string) => string>;

const actOf = {
  nodejs: (name) => `(n, m) => act("${name}", n, m)`,
  python: (name) => `lambda n, m: act("${name}", n, m)`,
  ruby: (name) => `->(n, m) { act("${name}", n, m) }`,
} as const satisfies Record<Family, (name: string) => string>;

/** How a function is named without calling it. */
const stepOf = {
  nodejs: (name) => name,
  python: (name) => name,
  ruby: (name) => `method(:${name})`,
} as const satisfies Record<Family, (name: string) => string>;

/** The steps of one family, and what is made of them. */
export class Repertoire {
  readonly family: Family;
  readonly steps: readonly Step[];
  readonly #byName: ReadonlyMap<string, Step>;
  readonly #lots: readonly Step[];

  constructor(family: Family) {
    this.family = family;
    this.steps = loadSteps(family);
    this.#byName = new Map(this.steps.map((step) => [step.name, step]));
    this.#lots = this.steps.flatMap((step) => Array<Step>(step.weight).fill(step));
  }

  /** The program of a number: from the same seed the same one every time. */
  draw(seed: number, index: number): FuzzProgram {
    const random = randomFrom(`${this.family} ${seed} ${index}`);
    const number = (): number => Math.floor(2 ** (random() * numberBits)) - (random() < 0.5 ? 1 : 0);
    return Array.from({ length: 1 + Math.floor(random() * longestProgram) }, () => {
      const step = this.#lots[Math.floor(random() * this.#lots.length)] as Step;
      return [step.name, number(), number()];
    });
  }

  /** Throws where a call names no step: a regression case may be older than the catalogue. */
  stepsOf(program: FuzzProgram): readonly Step[] {
    return program.map(([name]) => {
      const step = this.#byName.get(name);
      if (step === undefined) throw new Error(`${this.family} has no step ${name}`);
      return step;
    });
  }

  /** Takes the steps one after the other, whatever becomes of each; `{said}` holds a word about each. */
  sourceOf(program: FuzzProgram): string {
    const { family } = this;
    const steps = this.stepsOf(program);
    const own = [...new Set(steps.map(({ source }) => source))].join("\n");
    const calls = program.map(
      ([name, n, m], i) =>
        `[${steps[i]?.source === "" ? actOf[family](name) : stepOf[family](name)}, ${n}, ${m}]`,
    );
    const source = `${own}\n${mainOf[family](calls.join(", "))}`;
    return /\bact\(/.test(source) ? hostilePrelude[family] + source : source;
  }
}
