// The probe: which rungs it proves on this kernel, what serves when the best one is missing, and that it leaves no trace.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClassicLevel } from "classic-level";
import { ContainerCheckpoint, probe, type Rung, rungs } from "../../restorer/index.ts";
import { Victim, victimProgram } from "./victim.ts";

/** A victim that has written its memory, put back and verified under the rung. */
async function rewindOnce(rung: Rung): Promise<boolean> {
  const victim = await Victim.start(victimProgram("memory-written"));
  try {
    const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung });
    await victim.change();
    const { verified } = await checkpoint.rewind({ verify: true });
    checkpoint.release();
    return verified;
  } finally {
    await victim.end();
  }
}

describe("the probe", () => {
  it("uses the best rung that proved itself, and says of each other one what happened", async () => {
    const found = await probe();
    expect(found.rungs.map(({ rung }) => rung)).to.deep.equal(rungs);
    for (const { proven, why, rewindUs } of found.rungs) {
      expect(why === "").to.equal(proven);
      expect(rewindUs > 0).to.equal(proven);
    }
    expect(found.rung).to.equal(found.rungs.find(({ proven }) => proven)?.rung);
  });

  it("goes on to the next rung where the best is disabled, and that one serves", async () => {
    const disable: Rung[] = [];
    const served: Rung[] = [];
    for (;;) {
      const { rung } = await probe({ disable });
      if (rung === undefined) break;
      expect(await rewindOnce(rung)).to.equal(true);
      disable.push(rung);
      served.push(rung);
    }
    // Copying everything needs nothing of the kernel.
    expect(served.at(-1)).to.equal("copy-all");
    expect(served).to.deep.equal(
      (await probe()).rungs.filter(({ proven }) => proven).map(({ rung }) => rung),
    );
  });

  it("keeps the locks of the process that probes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-locks-"));
    const store = new ClassicLevel(folder);
    const locks = (): number => readFileSync("/proc/locks", "utf8").split(` ${process.pid} `).length - 1;
    try {
      await store.open();
      expect(locks()).to.equal(1);
      await probe();
      expect(locks()).to.equal(1);
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  });
});
