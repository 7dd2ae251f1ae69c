// Canary search in its short form, and that it would find what a rewind leaves behind.

import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Machine } from "../../pool/index.ts";
import { families } from "../corpus.ts";
import { watched } from "../system/watched.ts";
import { canary } from "./canary.ts";
import { formsOf, freshMark } from "./mark.ts";
import { bothAtOnce, ignoringDraws, placeCalled } from "./places.ts";

const marks = 10;
const marksElsewhere = 2;
const limitMs = 120_000;

/** A machine whose containers keep the files of the one before. */
function keepsFiles(machine: Machine): Machine {
  const factory = watched(machine.factory, (sandbox) => {
    sandbox.emptyScratch = () => Promise.resolve();
  });
  return { ...machine, factory };
}

describe("the forms of a mark", () => {
  it("hold the digits of base64 whatever stands before and behind it", () => {
    const mark = freshMark();
    for (const [before, behind] of [0, 1, 2, 3].flatMap((one) =>
      [0, 1, 2].map((two) => [one, two] as const),
    )) {
      const text = Buffer.concat([randomBytes(before), mark, randomBytes(behind)]).toString("base64");
      const found = formsOf(mark).filter(({ bytes }) => text.includes(bytes.toString("latin1")));
      expect(found.map(({ name }) => name)).to.include(`base64+${before % 3}`);
    }
  });
});

for (const family of families) {
  describe(`a mark spread over a ${family} container`, () => {
    it("is found everywhere before the rewind, and nowhere after it", async () => {
      const { foundBefore, missedBefore, foundAfter } = await canary({ family, marks });
      expect(foundAfter).to.deep.equal([]);
      expect(missedBefore).to.deep.equal([]);
      expect(foundBefore).to.be.greaterThan(marks);
    }).timeout(limitMs);

    it(`is found before the rewind, and not after it, ${bothAtOnce}`, async () => {
      const ground = ignoringDraws(placeCalled(bothAtOnce));
      const found = await canary({ family, marks: marksElsewhere, ...ground });
      expect(found.foundAfter).to.deep.equal([]);
      expect(found.missedBefore).to.deep.equal([]);
    }).timeout(limitMs);

    it("is found where nothing is rewound", async () => {
      const { foundAfter } = await canary({ family, marks: 1, pool: { rewind: "on-change" } });
      for (const place of ["[heap]", "[stack]", "registers", "pipe", "environ", "/tmp/content"])
        expect(foundAfter.join("\n")).to.include(place);
    }).timeout(limitMs);

    it("is found in files that are left", async () => {
      const { foundAfter } = await canary({ family, marks: 1, change: keepsFiles });
      expect(foundAfter.join("\n")).to.include("/tmp/content");
      // What an action sees of it from inside, it has read itself: names in the folder that it is started in.
      const outside = foundAfter.filter((find) => find.startsWith("from outside"));
      expect(outside.filter((find) => /memory|registers|pipe|socket/.test(find))).to.deep.equal([]);
    }).timeout(limitMs);
  });
}
