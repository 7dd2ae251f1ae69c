// The oracle notices whatever a victim changes, where nothing is rewound; and what a rewind leaves for a process to read.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { expect } from "chai";
import { loadPromises } from "../prove/promises.ts";
import { withVictim } from "./victim.ts";

/** What these change, they change before every checkpoint as well, or cannot change. */
const unchanged = ["code-written", "guard-accounted", "threads-blocked"];

const victims = loadPromises()
  .flatMap(({ rows }) => rows)
  .filter(({ decision }) => decision === "put back")
  .flatMap(({ proofs }) => proofs.flatMap((proof) => ("victim" in proof ? [proof.victim] : [])));

/** What the process can read of the table through which it is told what to put back. */
function tableOf(pid: number): Buffer {
  const line = /^([0-9a-f]+)-([0-9a-f]+) .*rewhisk-table/m.exec(readFileSync(`/proc/${pid}/maps`, "latin1"));
  const [start, end] = [Number(`0x${line?.[1]}`), Number(`0x${line?.[2]}`)];
  const table = Buffer.alloc(end - start);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    expect(readSync(memory, table, 0, table.length, start)).to.equal(table.length);
  } finally {
    closeSync(memory);
  }
  return table;
}

describe("what a rewind leaves for the process to read", () => {
  it("tells nothing of what was put back, nor of the process that did it", () =>
    withVictim("mappings-many", "write-protect", async (victim, checkpoint) => {
      const first = tableOf(victim.pid);
      expect(first.subarray(24576).every((byte) => byte === 0)).to.equal(true);
      await checkpoint.rewind({ verify: false });
      const idle = tableOf(victim.pid);
      await victim.change();
      const { mappingsChanged } = await checkpoint.rewind({ verify: false });
      expect(mappingsChanged).to.be.greaterThan(0);
      expect(tableOf(victim.pid).equals(idle)).to.equal(true);
      // The handlers, the working directory and the like, which are the process's own.
      expect(idle.subarray(24576).every((byte) => byte === 0)).to.equal(true);
    }));
});

describe("the oracle", () => {
  it("notices flags of a mapping that no list shows", () =>
    withVictim("mapping-replaced", "copy-all", async (victim, checkpoint) => {
      await victim.change();
      expect(await checkpoint.verify()).to.match(/^flags of mapping/);
    }));

  it("tells that the rung has seen a write, and who has run since", () =>
    withVictim("memory-written", "write-protect", async (victim, checkpoint) => {
      await victim.change();
      expect(await checkpoint.verify()).to.match(/ \(written, thread \d+ elsewhere\)$/);
    }));

  for (const name of new Set(victims.filter((victim) => !unchanged.includes(victim))))
    it(`notices ${name.replaceAll("-", " ")} where nothing was rewound`, () =>
      withVictim(name, "copy-all", async (victim, checkpoint) => {
        expect(await checkpoint.verify()).to.equal(undefined);
        await victim.change();
        expect(await checkpoint.verify()).to.be.a("string");
      }));
});
