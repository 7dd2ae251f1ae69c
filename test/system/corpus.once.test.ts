// Every action of the corpus, run, rewound and run again among all the others in the same containers, answers as a fresh process does.

import { expect } from "chai";
import {
  type CorpusAction,
  complaint,
  families,
  type Json,
  loadCorpus,
  readCode,
  referenceRuns,
  sameResult,
} from "../corpus.ts";
import { makeSo, waysOfMaking } from "./booted.ts";
import { RealInvoker } from "./real-invoker.ts";

const [ownLine] = process.versions.node.split(".");
const kinds = { nodejs: `nodejs:${ownLine}`, python: "python:3", ruby: "ruby:3" } as const;
const perPassMs = 240_000;

async function resultOf(real: RealInvoker, action: CorpusAction, i: number): Promise<Json | undefined> {
  const value = action.invocations[i]?.value ?? {};
  const { record } = await real.run(action.name, { ...action.env, ...value }, Object.keys(action.env));
  return record.response.result as Json | undefined;
}

for (const { family, way } of families.flatMap((one) => waysOfMaking.map((way) => ({ family: one, way })))) {
  describe(`the corpus in one ${kinds[family]} container that was ${way}`, () => {
    const actions = loadCorpus().filter((action) => action.family === family);
    const first = new Map<string, Json | undefined>();
    let real: RealInvoker;

    before(async () => {
      real = await RealInvoker.start({
        userMemoryMB: 512,
        stemCells: [{ kind: kinds[family], count: 1, memoryMB: 512 }],
        verifyFirst: Number.POSITIVE_INFINITY,
        boots: way === "booted",
      });
      await makeSo(real, way);
      for (const action of actions) {
        const { name, main, binary } = action;
        const code = readCode(action);
        real.put(name, {
          kind: kinds[family],
          code,
          binary,
          memoryMB: 512,
          timeoutMs: 60_000,
          ...(main ? { main } : {}),
        });
      }
    });
    after(() => real.stop());

    /** What each action answers among all others; they are run once. */
    async function answerAll(): Promise<void> {
      if (first.size > 0) return;
      for (const action of actions)
        for (const i of action.invocations.keys())
          first.set(`${action.name} ${i}`, await resultOf(real, action, i));
    }

    it("answers as each action should", async () => {
      await answerAll();
      for (const action of actions)
        for (const [i, invocation] of action.invocations.entries()) {
          const result = first.get(`${action.name} ${i}`) ?? null;
          expect(complaint(invocation, result), `${action.name} ${i}`).to.equal(undefined);
        }
    }).timeout(perPassMs);

    it("answers the same again in the opposite order", async () => {
      await answerAll();
      for (const action of [...actions].reverse())
        for (const [i, invocation] of action.invocations.entries()) {
          const result = (await resultOf(real, action, i)) ?? null;
          const before = first.get(`${action.name} ${i}`) ?? null;
          expect(
            sameResult(invocation, before, result),
            `${action.name} ${i}: ${JSON.stringify(result)}`,
          ).to.equal(true);
        }
    }).timeout(perPassMs);

    it("answered as a fresh process does", async () => {
      await answerAll();
      for (const action of actions)
        for (const [i, run] of (await referenceRuns(action)).entries()) {
          const invocation = action.invocations[i];
          if (invocation === undefined) throw new Error(`${action.name} has no invocation ${i}`);
          const rewound = first.get(`${action.name} ${i}`) ?? null;
          expect(sameResult(invocation, run.result, rewound), `${action.name} ${i}`).to.equal(true);
        }
    }).timeout(perPassMs);

    it("cost no container: each rewind was verified", async () => {
      await answerAll();
      // The one that gave its image was killed.
      expect(real.taints().length).to.equal(way === "booted" ? 1 : 0);
      const starts = await real.metric('rewhisk_container_starts_total{result="ready"}');
      expect(starts).to.equal(way === "booted" ? 2 : 1);
    }).timeout(perPassMs);
  });
}
