// Runs fuzzed programs in one real container, each followed by the reference action, and says what is different.

import { PoolError, type StartKind, type TaintReason } from "../../pool/index.ts";
import type { Family, JsonObject } from "../corpus.ts";
import { differences } from "../hostile.ts";
import { type FuzzProgram, Repertoire } from "./fuzz-program.ts";
import { referenceSource } from "./fuzz-steps.ts";
import { Ground, type GroundOptions, type Visit } from "./ground.ts";

/** For a program that hangs, and for one that may break the runtime so that it does; others never need as much as theirs. */
const hangingMs = 150;
const breakingMs = 300;
const timeoutMs = 10_000;

export type FuzzGround = Partial<Omit<GroundOptions, "family" | "name">>;

/** One action of two: it does as the first where it is told to fuzz, and else as the second. */
const joined: Readonly<Record<Family, (fuzzed: string, reference: string) => string>> = {
  nodejs: (fuzzed, reference) => `const fuzzed = (() => {\n${fuzzed}\nreturn main; })();
const reference = (() => {\n${reference}\nreturn main; })();
const main = (args) => (args.fuzz ? fuzzed(args) : reference(args));`,
  python: (fuzzed, reference) => `${fuzzed}
_fuzzed, _reference = main, {"__name__": __name__}
exec(${JSON.stringify(reference)}, _reference)
def main(args): return _fuzzed(args) if args.get("fuzz") else _reference["main"](args)`,
  ruby: (fuzzed, reference) => `${fuzzed}
alias fuzzed main
${reference}
alias reference main
def main(args) args["fuzz"] ? fuzzed(args) : reference(args) end`,
};

/** What came of one program. */
export interface Judged {
  /** In words; undefined where all is as it should be. */
  readonly difference: string | undefined;
  /** How the program ended or hung without an answer though no step says that it may, in words. */
  readonly unanswered: string | undefined;
  readonly replaced: TaintReason | undefined;
  /** What the program said of its steps; undefined where it did not come to that. */
  readonly said: readonly string[] | undefined;
}

/** In words, how it did more than to report. */
function complaintOfReference({ outcome, status, taint, logs }: Visit): string | undefined {
  if (taint !== undefined) return `cost the container: ${taint.reason}: ${taint.detail}`;
  if (outcome !== "answer" || status !== 200) return `ended with ${outcome} ${status}`;
  return logs.length > 0 ? `printed ${logs.join("\n").slice(0, 200)}` : undefined;
}

/** A container in which programs run in turn, and what the reference action reports in a fresh one. */
export class FuzzRun {
  readonly repertoire: Repertoire;
  readonly #ground: Ground;
  readonly #reference: string;
  readonly #atLevel: boolean;
  readonly #isBrought: boolean;
  readonly #drawn = new Set<string>();
  #fresh: JsonObject = {};
  #container: string | undefined;
  #judged = 0;

  private constructor(repertoire: Repertoire, ground: Ground, { atLevel, isBrought }: FuzzGround) {
    this.repertoire = repertoire;
    this.#ground = ground;
    this.#atLevel = atLevel === true;
    this.#isBrought = isBrought === true;
    this.#reference = referenceSource(repertoire.family);
  }

  /** `name` tells its container from others that live at the same time. */
  static async start(family: Family, name: string, options: FuzzGround = {}): Promise<FuzzRun> {
    const ground = await Ground.start({ family, name, ...options });
    const run = new FuzzRun(new Repertoire(family), ground, options);
    const { result, container } = await ground.visit({ source: run.#reference }, {});
    run.#fresh = result as JsonObject;
    run.#container = container;
    return run;
  }

  stop(): Promise<void> {
    return this.#ground.stop();
  }

  /** How what is not the first of its action comes to its container. */
  get #returns(): StartKind {
    return this.#atLevel ? "warm" : "rewound";
  }

  /**
   * Runs the program and the reference action, each in the container that the one before left. At an action checkpoint both are
   * one action, and what is compared is what that reported at first.
   */
  async judge(program: FuzzProgram): Promise<Judged> {
    const steps = this.repertoire.stepsOf(program);
    const mayHang = steps.some(({ hangs, breaks }) => hangs || breaks);
    const own = this.repertoire.sourceOf(program);
    const both = joined[this.repertoire.family](own, this.#reference);
    const [source, reference] = this.#atLevel ? [both, both] : [own, this.#reference];
    const owner = `program ${this.#judged++}`;
    try {
      const noCheckpoint = this.#atLevel ? await this.#begin(both, owner) : undefined;
      const visit = await this.#ground.visit(
        { source },
        { fuzz: true },
        { timeoutMs: steps.some(({ hangs }) => hangs) ? hangingMs : mayHang ? breakingMs : timeoutMs, owner },
      );
      const { outcome, taint } = visit;
      const isDeclared = taint === undefined || steps.some(({ reasons }) => reasons.includes(taint.reason));
      const replaced = isDeclared
        ? undefined
        : `the container was replaced: ${taint.reason}: ${taint.detail}`;
      const isGone = taint?.reason === "process-gone" && outcome !== "answer";
      const hung = outcome === "timeout" && !mayHang ? "it hangs" : undefined;
      return {
        difference:
          noCheckpoint ??
          this.#unexpected(visit, this.#returns) ??
          (isGone ? undefined : replaced) ??
          (await this.#compare(reference, owner)),
        unanswered: hung ?? (isGone ? replaced : undefined),
        replaced: taint?.reason,
        said: (visit.result as JsonObject | null | undefined)?.said as readonly string[] | undefined,
      };
    } catch (error) {
      if (!(error instanceof PoolError)) throw error;
      const difference = `there is no container: ${error.message}`;
      return { difference, unanswered: undefined, replaced: undefined, said: undefined };
    }
  }

  /** Loads the program that both are, which leaves an action checkpoint. Says what is wrong about it. */
  async #begin(source: string, owner: string): Promise<string | undefined> {
    const visit = await this.#ground.visitFirst({ source }, {}, { owner });
    // Which of the containers is brought to the action checkpoint is open.
    if (this.#isBrought) this.#container = undefined;
    this.#fresh = visit.result as JsonObject;
    if (visit.refused !== undefined) return `there is no action checkpoint: ${visit.refused}`;
    return this.#unlikeReference(visit, "rewound");
  }

  async #compare(source: string, owner: string): Promise<string | undefined> {
    const visit = await this.#ground.visit({ source }, {}, { owner });
    const unlike = this.#unlikeReference(visit, this.#returns);
    if (unlike !== undefined) return unlike;
    const { random, ...found } = visit.result as JsonObject;
    const { random: _, ...fresh } = this.#fresh;
    return differences(fresh, found)[0] ?? this.#repeated(random as JsonObject);
  }

  #unlikeReference(visit: Visit, expected: StartKind): string | undefined {
    const unlike = this.#unexpected(visit, expected) ?? complaintOfReference(visit);
    return unlike && `the reference action: ${unlike}`;
  }

  /** Only a container that was replaced may be another one than before. */
  #unexpected({ container, start, taint }: Visit, expected: StartKind): string | undefined {
    const before = this.#container;
    this.#container = taint === undefined ? container : undefined;
    if (before === undefined || (container === before && start === expected)) return undefined;
    return `in ${before} was expected a ${expected} start, not a ${start} one in ${container}`;
  }

  /** Random values that another activation has drawn. */
  #repeated(random: JsonObject): string | undefined {
    for (const [generator, value] of Object.entries(random)) {
      const drawn = `${generator} ${value}`;
      if (this.#drawn.has(drawn)) return `a random value was drawn twice: ${drawn}`;
      this.#drawn.add(drawn);
    }
    return undefined;
  }
}
