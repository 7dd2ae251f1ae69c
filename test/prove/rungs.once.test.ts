// The rungs below the best one in real containers: the same proofs, in a shorter form. Those that this kernel lacks say so.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { probe, RestorerError, type Rung } from "../../restorer/index.ts";
import { families, type Json } from "../corpus.ts";
import { comparableReport, differences, hostileCode, loadHostile, loadObserver } from "../hostile.ts";
import { withVictim } from "../native/victim.ts";
import { canary } from "./canary.ts";
import { Ground, type Visit } from "./ground.ts";
import { loadPromises } from "./promises.ts";
import { Prover } from "./rows.ts";
import { mixes } from "./soak-mix.ts";

const rewinds = 100;
const limitMs = 120_000;
/** The others are about limits and time-outs, which are the invoker's. */
const leaves = loadHostile().filter(
  ({ name, mayCostContainer }) => name.startsWith("leaves-") && !mayCostContainer,
);

/** Only what they say of messages: the victims are rewound under every rung elsewhere. */
const messageRows = loadPromises()
  .flatMap(({ rows }) => rows)
  .map((row) => ({ ...row, proofs: row.proofs.filter((proof) => "message" in proof) }))
  .filter(({ proofs }) => proofs.length > 0);

function requireKept({ taint }: Visit): void {
  expect(taint?.detail).to.equal(undefined);
}

function showsUnder(rung: Rung): void {
  describe(`under ${rung}, a promise is kept`, () => {
    let prover: Prover;
    before(async () => {
      prover = await Prover.open({ rungs: [], ground: { rung } });
    });
    after(() => prover.close());

    for (const row of messageRows)
      it(`for ${row.state}`, async () => {
        const complaints: string[] = [];
        for await (const complaint of prover.complaints(row)) complaints.push(complaint);
        expect(complaints).to.deep.equal([]);
      }).timeout(limitMs);
  });

  for (const family of families)
    describe(`under ${rung}, a ${family} container`, () => {
      let ground: Ground;
      before(async () => {
        ground = await Ground.start({ family, name: `rung-${family}`, rung });
      });
      after(() => ground.stop());

      it(`equals its checkpoint after each of ${rewinds} rewinds`, async () => {
        const { actions } = mixes[family];
        const sources = Object.values(actions);
        for (let i = 0; i < rewinds; i++) {
          const visit = await ground.visit({ source: sources[i % sources.length] ?? "" }, {});
          expect(visit.status, JSON.stringify(visit.result)).to.equal(200);
          requireKept(visit);
          expect(visit.timings?.verified).to.equal(true);
        }
      }).timeout(limitMs);

      it("is found fresh by the next owner after each hostile action that leaves something", async () => {
        const observer = loadObserver(family);
        const source = readFileSync(observer.file);
        const observe = async (): Promise<Json> => {
          const { result = null } = await ground.visit({ source }, {}, { owner: "observer" });
          return comparableReport(observer, result);
        };
        const fresh = await observe();
        for (const action of leaves.filter((one) => one.family === family)) {
          const program = { source: hostileCode(action), binary: action.binary };
          const visit = await ground.visit(program, action.value, { timeoutMs: action.timeoutMs });
          // One that ends its runtime costs the container under any rung.
          if (visit.outcome === "answer") requireKept(visit);
          expect(differences(fresh, await observe()), action.what).to.deep.equal([]);
        }
      }).timeout(limitMs);

      it("holds no mark that was spread over it", async () => {
        const { foundAfter } = await canary({ family, marks: 2, rung });
        expect(foundAfter).to.deep.equal([]);
      }).timeout(limitMs);
    });
}

/** That the probe refuses a rung proves nothing unless the rung is wrong. */
function isWrongUnder(rung: Rung, why: string): void {
  describe(`under ${rung}, which the probe refuses (${why})`, () => {
    it("a victim is not put back, or no checkpoint is taken", async () => {
      const rewound = withVictim("memory-written", rung, async (victim, checkpoint) => {
        await victim.change();
        await checkpoint.rewind({ verify: true });
      });
      const failure = await rewound.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(RestorerError);
    });
  });
}

const { rung: best, rungs } = await probe();
for (const { rung, proven, why } of rungs) {
  if (!proven) isWrongUnder(rung, why);
  else if (rung !== best) showsUnder(rung);
}
