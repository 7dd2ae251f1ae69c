// The corpus of actions is sound: every action gives, in fresh processes, the answers its table states. corpus.once.test.ts uses the same ones.
import { existsSync } from "node:fs";
import { expect } from "chai";
import {
  comparable,
  complaint,
  type Family,
  type FreshRun,
  freshRuns,
  type Json,
  loadCorpus,
  readCode,
  referenceRuns,
  sameResult,
} from "../corpus.ts";

function resultOf(run: FreshRun | undefined): Json {
  if (run === undefined) throw new Error("an invocation was not run");
  return run.result;
}

const least: Readonly<Record<Family, number>> = { nodejs: 30, python: 30, ruby: 12 };

describe("the corpus of actions", () => {
  const corpus = loadCorpus();

  it("has distinct actions of every family, each with an invocation and a stated result", () => {
    expect(new Set(corpus.map(({ id }) => id)).size).to.equal(corpus.length);
    for (const [family, count] of Object.entries(least)) {
      expect(corpus.filter((action) => action.family === family)).to.have.length.of.at.least(count);
    }
    for (const { id, invocations } of corpus) {
      expect(invocations, id).not.to.be.empty;
      for (const { contains, matches, sha256 } of invocations) {
        expect(contains ?? sha256 ?? Object.keys(matches)[0], id).not.to.equal(undefined);
      }
    }
  });

  for (const action of corpus) {
    it(`${action.id} answers as stated`, async function () {
      this.timeout(120_000);
      expect(existsSync(action.file), `${action.file}: run node test/actions/build.mjs`).to.equal(true);
      expect(readCode(action).length).to.be.greaterThan(0);
      const runs = await referenceRuns(action);
      expect(runs).to.have.lengthOf(action.invocations.length);
      for (const [index, invocation] of action.invocations.entries()) {
        expect(complaint(invocation, resultOf(runs[index]))).to.equal(undefined);
      }
    });
  }

  for (const action of corpus.filter(({ tags }) => tags.includes("random"))) {
    it(`${action.id} differs from run to run in the fields said to vary, and only in those`, async function () {
      this.timeout(120_000);
      const [runs, again] = await Promise.all([referenceRuns(action), freshRuns(action)]);
      for (const [index, invocation] of action.invocations.entries()) {
        const [one, other] = [resultOf(runs[index]), resultOf(again[index])];
        expect(comparable(invocation, other)).to.deep.equal(comparable(invocation, one));
        for (const field of invocation.varies) {
          const strict = { ...invocation, varies: invocation.varies.filter((name) => name !== field) };
          expect(sameResult(strict, one, other), `${field} is said to vary`).to.equal(false);
        }
      }
    });
  }
});
