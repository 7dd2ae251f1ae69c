// What a checkpoint waits for, and what it makes anew.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ContainerCheckpoint } from "../../restorer/index.ts";
import { lowestGapKB, Victim, victimProgram, withVictim } from "./victim.ts";

describe("a checkpoint", () => {
  it("waits for a thread whose own wait ends as soon as it is made again", () =>
    withVictim(
      "word-changed",
      "copy-all",
      async (_, checkpoint) => {
        expect(await checkpoint.verify()).to.equal(undefined);
      },
      (victim) => victim.change(),
    ));

  it("holds calls as they were made, and not as a refused one before it has left them", () =>
    withVictim(
      "refused-before",
      "copy-all",
      async (victim, checkpoint) => {
        for (let use = 0; use < 3; use++) {
          await victim.change();
          await checkpoint.rewind({ verify: true });
        }
        await victim.change();
      },
      async (victim) => {
        const failure = await ContainerCheckpoint.take([victim.pid], { rung: "copy-all" }).catch(String);
        expect(failure).to.include("locked");
        await victim.change();
      },
    ));

  it("makes guard pages anew that are accounted for: else each rewind would have to read all flags", () =>
    withVictim("guard-accounted", "write-protect", async ({ pid }) => {
      const smaps = readFileSync(`/proc/${pid}/smaps`, "latin1");
      const guards = [...smaps.matchAll(/ ---p 00000000 00:00 0 \n(?:.*\n)*?VmFlags: (.*)/g)];
      expect(guards.length).to.be.greaterThan(1);
      expect(guards.filter(([, flags]) => flags?.includes("ac"))).to.deep.equal([]);
    }));

  for (const name of ["memory-written", "break-moved", "break-regrown", "break-shrunk"])
    it(`is taken where neighbours become one mapping by being watched, as a program's last one and its heap: ${name.replace("-", " ")}`, async () => {
      const victim = await Victim.startAlone(victimProgram(name), lowestGapKB);
      try {
        const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung: "write-protect" });
        for (let use = 0; use < 3; use++) {
          await victim.change();
          expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
        }
        checkpoint.release();
      } finally {
        await victim.end();
      }
    });
});
