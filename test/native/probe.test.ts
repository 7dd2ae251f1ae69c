// The probe: which rungs it proves on this kernel, what serves when the best one is missing, and that it leaves no trace.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClassicLevel } from "classic-level";
import { ContainerCheckpoint, nativeFolder, probe, type Rung, rungs } from "../../restorer/index.ts";
import { Victim, victimProgram } from "./victim.ts";

/** Lies of test/native/liar.c by the rung that they must cost. */
const liesThatCost: Readonly<Record<string, readonly string[]>> = {
  "write-protect": [
    "no-userfault",
    "no-scan",
    "scan-is-silent",
    "scan-ends-early",
    "scan-omits-ranges",
    "scan-omits-page",
    "scan-hides-holes",
    "scan-hides-writes",
  ],
  "soft-dirty": ["soft-dirty-never", "soft-dirty-omits-page"],
};

/** Without the truth about pages no checkpoint holds them all: nothing can be put back under any rung. Nor where registers do not keep. */
const liesThatCostAll = ["pagemap-is-empty", "pagemap-is-short", "pagemap-omits-page", "vectors-differ"];

/** What the probe says of each rung on a kernel that tells this lie: undefined where proven, else why not. */
function probeUnder(lie: string): Map<Rung, string | undefined> {
  const run = spawnSync(`${nativeFolder}liar`, [lie, `${nativeFolder}probe-victim`], { encoding: "utf8" });
  expect(run.status, run.stderr).to.equal(0);
  const results = run.stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, number, proven, why] = /^(\d) ([01]) (.*)$/.exec(line) ?? [];
      return [rungs[Number(number) - 1] as Rung, proven === "1" ? undefined : (why ?? "")] as const;
    });
  return new Map(results);
}

function provenUnder(lie: string): readonly Rung[] {
  return [...probeUnder(lie)].filter(([, why]) => why === undefined).map(([rung]) => rung);
}

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

describe("on a kernel whose answers are falsified, the probe", () => {
  let honest: readonly Rung[] = [];
  before(() => {
    honest = provenUnder("none");
  });

  it("proves without a lie what it proves here", async () => {
    const { rungs: here } = await probe();
    expect(honest).to.deep.equal(here.filter(({ proven }) => proven).map(({ rung }) => rung));
  });

  for (const [rung, lies] of Object.entries(liesThatCost) as [Rung, readonly string[]][])
    for (const lie of lies)
      it(`rejects ${rung}, with the reason, under the lie ${lie}; the others serve`, () => {
        expect(probeUnder(lie).get(rung)).to.be.a("string").that.is.not.equal("");
        expect(provenUnder(lie)).to.deep.equal(honest.filter((one) => one !== rung));
      });

  for (const lie of liesThatCostAll)
    it(`rejects every rung, with the reason, under the lie ${lie}`, () => {
      for (const why of probeUnder(lie).values()) expect(why).to.be.a("string").that.is.not.equal("");
    });

  it("proves what it proves here where the processor says later that all vector state is in use", () => {
    expect(provenUnder("all-in-use")).to.deep.equal(honest);
  });

  it("proves soft-dirty where the bits are right, if only because every page counts as written", () => {
    expect(provenUnder("soft-dirty-everywhere")).to.include("soft-dirty");
  });
});
