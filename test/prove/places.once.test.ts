// The promises in other places: what one activation leaves, the next one does not read, though it is of the same action and
// begins at its checkpoint, or though both run in a container that was booted. All places: `npm run prove -- --only places`.

import { expect } from "chai";
import { complaintOfDraws } from "./draws.ts";
import { ignoringDraws, messageRows, places } from "./places.ts";
import { loadPromises } from "./promises.ts";
import { Prover } from "./rows.ts";

const limitMs = 120_000;
const inShort: readonly string[] = ["at an action checkpoint", "in a booted container"];

const draws = loadPromises()
  .flatMap(({ rows }) => rows)
  .flatMap(({ proofs }) => proofs.flatMap((proof) => ("draws" in proof ? [proof] : [])));

for (const [place, ground] of Object.entries(places).filter(([place]) => inShort.includes(place))) {
  describe(`${place}, a promise is kept`, () => {
    let prover: Prover;
    before(async () => {
      prover = await Prover.open({ rungs: [], ground: ignoringDraws(ground) });
    });
    after(() => prover.close());

    for (const row of messageRows())
      it(`for ${row.state}`, async () => {
        const complaints: string[] = [];
        for await (const complaint of prover.complaints(row)) complaints.push(complaint);
        expect(complaints).to.deep.equal([]);
      }).timeout(limitMs);
  });

  // Elsewhere they are renewed at each init, whoever has made the container.
  if (ground.atLevel !== true) continue;
  describe(`${place}, no random number is drawn twice`, () => {
    for (const { draws: name, families: which, archive } of draws)
      for (const family of which)
        it(`by ${name} in ${family}${archive === undefined ? "" : ` with ${archive}`}`, async () => {
          expect(await complaintOfDraws(name, family, ground, archive)).to.equal(undefined);
        }).timeout(limitMs);
  });
}
