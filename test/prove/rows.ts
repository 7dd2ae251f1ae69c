// Proves the rows of PROMISES one by one.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Mocha from "mocha";
import { RestorerError, type Rung } from "../../restorer/index.ts";
import type { Family } from "../corpus.ts";
import { withVictim } from "../native/victim.ts";
import { checks } from "./checks.ts";
import { complaintOfDraws } from "./draws.ts";
import { type GroundOptions, kindOf } from "./ground.ts";
import type { Kinds } from "./machine.ts";
import { MessageBoard } from "./messages.ts";
import type { PromiseRow, Proof } from "./promises.ts";

const rounds = 5;
const compiledTests = fileURLToPath(new URL("..", import.meta.url));

/** Says in words how a rewind of this victim does not do what the row promises; undefined where it does. */
async function complaintOfVictim(row: PromiseRow, name: string, rung: Rung): Promise<string | undefined> {
  let complaint: string | undefined;
  await withVictim(name, rung, async (victim, checkpoint) => {
    try {
      for (let round = 0; round < (row.decision === "replaced" ? 1 : rounds); round++) {
        await victim.change();
        // As production does it, judged afterwards; and judged before the process goes on, which hides less.
        const isJudgedInside = round % 2 === 1;
        await checkpoint.rewind({ verify: isJudgedInside });
        if (!isJudgedInside) complaint ??= await checkpoint.verify();
      }
      if (row.decision === "replaced") complaint = `expected ${row.reason}, but it was put back`;
    } catch (error) {
      const isExpected = error instanceof RestorerError && error.code === row.reason;
      if (!isExpected) complaint = error instanceof Error ? error.message : String(error);
    }
  });
  return complaint;
}

/** Runs those tests of npm test that have one of these titles. Gives the failures by title; titles that no test has among them. */
async function runTests(titles: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const missing = new Map(titles.map((title) => [title, "no test has this title"]));
  if (titles.length === 0) return missing;
  const mocha = new Mocha({ timeout: 120_000, reporter: Mocha.reporters.Base });
  const patterns = titles.map((title) => title.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  mocha.grep(new RegExp(`(^| )(${patterns.join("|")})$`));
  for (const file of readdirSync(compiledTests, { recursive: true, encoding: "utf8" }))
    if (file.endsWith(".test.js") && !file.startsWith("prove")) mocha.addFile(join(compiledTests, file));
  await mocha.loadFilesAsync();
  const failures = missing;
  const seen = new Set<string>();
  await new Promise<void>((resolve) => {
    mocha
      .run(() => resolve())
      .on("pass", ({ title }) => {
        if (!seen.has(title)) failures.delete(title);
        seen.add(title);
      })
      .on("fail", ({ title }, error: Error) => {
        seen.add(title);
        failures.set(title, error.message);
      });
  });
  return failures;
}

export interface ProverOptions {
  readonly rungs: readonly Rung[];
  /** By default those of this Node and of the machine's Python. */
  readonly kinds?: Kinds;
  readonly ground?: Partial<GroundOptions>;
  readonly rows?: readonly PromiseRow[];
}

const ownKinds: Kinds = { nodejs: [kindOf.nodejs], python: [kindOf.python], ruby: [kindOf.ruby] };

/** Everything that rows are proved with; one at a time. */
export class Prover {
  readonly #boards = new Map<string, MessageBoard>();
  readonly #rungs: readonly Rung[];
  readonly #kinds: Kinds;
  readonly #ground: Partial<GroundOptions>;
  readonly #failedTests: ReadonlyMap<string, string>;

  private constructor(
    { rungs, kinds = ownKinds, ground = {} }: ProverOptions,
    failedTests: ReadonlyMap<string, string>,
  ) {
    this.#rungs = rungs;
    this.#kinds = kinds;
    this.#ground = ground;
    this.#failedTests = failedTests;
  }

  /** With `rows`, the tests that they name are run at once; without, they are taken for run elsewhere. */
  static async open(options: ProverOptions): Promise<Prover> {
    const proofs = (options.rows ?? []).flatMap((row) => row.proofs);
    const titles = proofs.flatMap((proof) => ("test" in proof ? [proof.test] : []));
    return new Prover(options, await runTests(titles));
  }

  async close(): Promise<void> {
    for (const board of this.#boards.values()) await board.close();
  }

  /** What of the row's proofs fails, in words; the quickest proofs first. */
  async *complaints(row: PromiseRow): AsyncGenerator<string, void, undefined> {
    for (const proof of row.proofs)
      for (const [what, prove] of this.#proofs(row, proof)) {
        const complaint = await prove();
        if (complaint !== undefined) yield `${what}: ${complaint}`;
      }
  }

  #proofs(row: PromiseRow, proof: Proof): [what: string, prove: () => Promise<string | undefined>][] {
    if ("victim" in proof)
      return this.#rungs
        .filter((rung) => proof.rungs?.includes(rung) ?? true)
        .map((rung) => [
          `victim ${proof.victim} under ${rung}`,
          () => complaintOfVictim(row, proof.victim, rung),
        ]);
    if ("message" in proof)
      return proof.families.flatMap((family) =>
        this.#kinds[family].map((kind): [string, () => Promise<string | undefined>] => [
          `message ${proof.message} in ${kind}`,
          async () => (await this.#board(family, kind)).complaint(row, proof.message),
        ]),
      );
    if ("draws" in proof)
      return proof.families.flatMap((family) =>
        this.#kinds[family].map((kind): [string, () => Promise<string | undefined>] => [
          `draws ${proof.draws} in ${kind}`,
          () => complaintOfDraws(proof.draws, family, { ...this.#ground, kind }, proof.archive),
        ]),
      );
    if ("check" in proof)
      return proof.families.map((family) => [
        `check ${proof.check} in ${family}`,
        async () => await checks[proof.check]?.(family, this.#ground),
      ]);
    return [[`test "${proof.test}"`, async () => this.#failedTests.get(proof.test)]];
  }

  async #board(family: Family, kind: string): Promise<MessageBoard> {
    const open = this.#boards.get(kind) ?? (await MessageBoard.open(family, { ...this.#ground, kind }));
    this.#boards.set(kind, open);
    return open;
  }
}
