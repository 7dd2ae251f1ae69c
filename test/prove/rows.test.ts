// Every row of PROMISES has proofs that pass and that can fail, and the document says what the rows say.

import { existsSync } from "node:fs";
import { expect } from "chai";
import { probe, taintReasons } from "../../pool/index.ts";
import { isAgain, testedFamilies } from "../again.ts";
import { victimProgram } from "../native/victim.ts";
import { checks } from "./checks.ts";
import { documentDifference } from "./document.ts";
import { drawsFile } from "./draws.ts";
import { loadPromises, messageFile, type PromiseRow, type Proof } from "./promises.ts";
import { Prover } from "./rows.ts";

const groups = loadPromises();
const rows = groups.flatMap((group) => group.rows);

describe("the promises", () => {
  it("are each proved by something, under an id of their own", () => {
    expect(new Set(rows.map(({ id }) => id)).size).to.equal(rows.length);
    for (const { id, proofs } of rows) expect(proofs, id).not.to.be.empty;
  });

  it("name victims, messages and reasons that there are", () => {
    for (const { id, decision, reason, proofs } of rows) {
      expect(decision === "replaced", id).to.equal(reason !== undefined);
      if (reason !== undefined) expect(taintReasons, id).to.include(reason);
      for (const proof of proofs) {
        if ("victim" in proof) expect(existsSync(victimProgram(proof.victim)), proof.victim).to.equal(true);
        if ("check" in proof) expect(checks, proof.check).to.have.property(proof.check);
        if ("draws" in proof)
          for (const family of proof.families)
            expect(existsSync(drawsFile(family, proof.draws)), proof.draws).to.equal(true);
        if ("message" in proof)
          for (const family of proof.families)
            expect(existsSync(messageFile(family, proof.message)), proof.message).to.equal(true);
      }
    }
  });

  it("are those of docs/PROMISES.md", () => {
    expect(documentDifference(groups), "run npm run prove -- --write").to.equal(undefined);
  });
});

/** Under another Node, only what containers of that Node show. */
function proofsNow({ proofs }: PromiseRow): readonly Proof[] {
  if (!isAgain) return proofs;
  return proofs.flatMap((proof) => {
    const families = "families" in proof ? proof.families.filter((one) => testedFamilies.includes(one)) : [];
    return families.length > 0 ? [{ ...proof, families }] : [];
  });
}

describe("a promise is kept", () => {
  let prover: Prover;
  before(async () => {
    const { rungs } = await probe();
    prover = await Prover.open({ rungs: rungs.filter(({ proven }) => proven).map(({ rung }) => rung) });
  });
  after(() => prover.close());

  for (const { group, rows } of groups)
    for (const row of rows.map((one) => ({ ...one, proofs: proofsNow(one) }))) {
      if (row.proofs.length === 0) continue;
      it(`for ${row.state} (${group})`, async () => {
        const complaints: string[] = [];
        for await (const complaint of prover.complaints(row)) complaints.push(complaint);
        expect(complaints).to.deep.equal([]);
      });
    }
});
