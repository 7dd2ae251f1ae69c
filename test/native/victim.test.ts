// The victims themselves: what must not tell them apart from a container's processes.

import { readlinkSync } from "node:fs";
import { expect } from "chai";
import { Victim, victimProgram } from "./victim.ts";

describe("a victim", () => {
  it("has a stderr of its own: the position in a shared file would move with what others write there", async () => {
    const victim = await Victim.start(victimProgram("memory-written"));
    try {
      expect(readlinkSync(`/proc/${victim.pid}/fd/2`)).to.not.equal(readlinkSync("/proc/self/fd/2"));
    } finally {
      await victim.end();
    }
  });
});
