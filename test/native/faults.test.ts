// Every step made to fail once: the process is untouched or dead afterwards, never between; under the sanitizers.

import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { nativeFolder } from "../../restorer/index.ts";
import { victimProgram } from "./victim.ts";

const victims = ["memory-written", "threads-born", "mapping-removed"];
const stepsAtLeast = 50;

describe("a step that fails", () => {
  it("leaves a process untouched or dead, and no memory error behind", () => {
    const run = spawnSync(`${nativeFolder}faults`, victims.map(victimProgram), {
      encoding: "utf8",
      timeout: 100_000,
    });
    expect(run.status, run.stderr).to.equal(0);
    expect(Number(run.stdout)).to.be.at.least(stepsAtLeast);
  }).timeout(120_000);
});
