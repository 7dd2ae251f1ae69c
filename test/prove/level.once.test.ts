// The promises at an action checkpoint: what one activation leaves, the next one of the same action does not read.

import { expect } from "chai";
import { complaintOfDraws } from "./draws.ts";
import { loadPromises } from "./promises.ts";
import { Prover } from "./rows.ts";

const limitMs = 120_000;

const rows = loadPromises().flatMap(({ rows }) => rows);
const messageRows = rows
  .map((row) => ({ ...row, proofs: row.proofs.filter((proof) => "message" in proof) }))
  .filter(({ proofs }) => proofs.length > 0);
const draws = rows.flatMap(({ proofs }) => proofs.flatMap((proof) => ("draws" in proof ? [proof] : [])));

describe("at an action checkpoint, a promise is kept", () => {
  let prover: Prover;
  before(async () => {
    // Nearly all of these programs load native code.
    prover = await Prover.open({
      rungs: [],
      ground: { atLevel: true, change: (machine) => ({ ...machine, ignoresDraws: true }) },
    });
  });
  after(() => prover.close());

  for (const row of messageRows)
    it(`for ${row.state}`, async () => {
      const complaints: string[] = [];
      for await (const complaint of prover.complaints(row)) complaints.push(complaint);
      expect(complaints).to.deep.equal([]);
    }).timeout(limitMs);
});

describe("at an action checkpoint, no random number is drawn twice", () => {
  for (const { draws: name, families: which, archive } of draws)
    for (const family of which)
      it(`by ${name} in ${family}${archive === undefined ? "" : ` with ${archive}`}`, async () => {
        expect(await complaintOfDraws(name, family, { atLevel: true }, archive)).to.equal(undefined);
      }).timeout(limitMs);
});
