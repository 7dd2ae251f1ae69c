// Runs fuzzed programs in one real container, each followed by the reference action, and says what is different.

import { PoolError, type TaintReason } from "../../pool/index.ts";
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

/** A container in which programs run in turn, and what the reference action reports in a fresh one. */
export class FuzzRun {
  readonly repertoire: Repertoire;
  readonly #ground: Ground;
  readonly #reference: { readonly source: string };
  readonly #drawn = new Set<string>();
  #fresh: JsonObject = {};
  #container: string | undefined;

  private constructor(repertoire: Repertoire, ground: Ground) {
    this.repertoire = repertoire;
    this.#ground = ground;
    this.#reference = { source: referenceSource(repertoire.family) };
  }

  /** `name` tells its container from others that live at the same time. */
  static async start(family: Family, name: string, options: FuzzGround = {}): Promise<FuzzRun> {
    const ground = await Ground.start({ family, name, ...options });
    const run = new FuzzRun(new Repertoire(family), ground);
    const { result, container } = await ground.visit(run.#reference, {});
    run.#fresh = result as JsonObject;
    run.#container = container;
    return run;
  }

  stop(): Promise<void> {
    return this.#ground.stop();
  }

  /** Runs the program and the reference action, each in the container that the one before left. */
  async judge(program: FuzzProgram): Promise<Judged> {
    const steps = this.repertoire.stepsOf(program);
    const mayHang = steps.some(({ hangs, breaks }) => hangs || breaks);
    try {
      const visit = await this.#ground.visit(
        { source: this.repertoire.sourceOf(program) },
        {},
        { timeoutMs: steps.some(({ hangs }) => hangs) ? hangingMs : mayHang ? breakingMs : timeoutMs },
      );
      const { outcome, taint } = visit;
      const isDeclared = taint === undefined || steps.some(({ reasons }) => reasons.includes(taint.reason));
      const replaced = isDeclared
        ? undefined
        : `the container was replaced: ${taint.reason}: ${taint.detail}`;
      const isGone = taint?.reason === "process-gone" && outcome !== "answer";
      const hung = outcome === "timeout" && !mayHang ? "it hangs" : undefined;
      return {
        difference: this.#unexpected(visit) ?? (isGone ? undefined : replaced) ?? (await this.#compare()),
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

  /** Only a container that was replaced may be another one than before. */
  #unexpected({ container, start, taint }: Visit): string | undefined {
    const expected = this.#container;
    this.#container = taint === undefined ? container : undefined;
    if (expected === undefined || (container === expected && start === "rewound")) return undefined;
    return `in ${expected} was expected, not a ${start} start in ${container}`;
  }

  async #compare(): Promise<string | undefined> {
    const visit = await this.#ground.visit(this.#reference, {});
    const { outcome, status, result, taint, logs } = visit;
    const unexpected = this.#unexpected(visit);
    if (unexpected !== undefined) return `the reference action: ${unexpected}`;
    if (taint !== undefined)
      return `the reference action cost the container: ${taint.reason}: ${taint.detail}`;
    if (outcome !== "answer" || status !== 200) return `the reference action ended with ${outcome} ${status}`;
    if (logs.length > 0) return `the reference action printed ${logs.join("\n").slice(0, 200)}`;
    const { random, ...report } = result as JsonObject;
    const { random: _, ...fresh } = this.#fresh;
    const [found] = differences(fresh, report);
    return found ?? this.#repeated(random as JsonObject);
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
