// An invoker whose containers are booted ahead, and killed there by somebody: activations get others.

import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { killIfThere } from "../../pool/lean/cgroups.ts";
import { childrenOf } from "../processes.ts";
import { holdsWithin } from "../within.ts";
import { requireRoot } from "./lean-probe.ts";
import { RealInvoker } from "./real-invoker.ts";

const kind = "python:3";
const patienceMs = 60_000;
const ahead = 3;
const rounds = 10;

/** Of all containers that are there, booted or not. */
function runtimes(): readonly number[] {
  const isLauncher = (pid: number): boolean =>
    existsSync(`/proc/${pid}`) &&
    readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes("--wait");
  return childrenOf(process.pid).filter(isLauncher).flatMap(childrenOf);
}

describe("containers that were booted ahead and have been killed", () => {
  let real: RealInvoker;

  before(requireRoot);
  afterEach(() => real.stop());

  it("lose nobody an activation", async () => {
    const made: string[] = [];
    real = await RealInvoker.start(
      { boots: true, rewind: "fresh", userMemoryMB: 2048, stemCells: [] },
      "ended-ahead",
      ({ id }) => void made.push(id),
      1,
      { containersAhead: ahead, networksAhead: 0 },
    );
    real.put("one", { kind, code: "def main(args):\n  return {'n': args['n']}\n" });
    const answered = async (n: number): Promise<void> => {
      const { record } = await real.run("one", { n });
      expect(record.response).to.deep.include({ statusCode: 0, result: { n } });
    };
    // Those that were there before there was a template are used up.
    for (let n = 0; n < 2 * ahead; n++) await answered(n);
    for (let n = 0; n < rounds; n++) {
      expect(await holdsWithin(patienceMs, () => runtimes().length >= ahead - 1)).to.equal(true);
      const doomed = runtimes();
      for (const pid of doomed) killIfThere(pid);
      await answered(n);
      expect(
        await holdsWithin(patienceMs, () => doomed.every((pid) => !existsSync(`/proc/${pid}`))),
      ).to.equal(true);
    }
    expect(new Set(made).size).to.equal(made.length);
  });
});
