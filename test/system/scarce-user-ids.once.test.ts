// More room in memory than there are user ids for containers: who cannot have one of his own waits for another's, or has it go.

import { expect } from "chai";
import { RealInvoker } from "./real-invoker.ts";

const memoryMB = 128;
const uidCount = 3;

for (const [how, boots, containersAhead] of [
  ["starts its containers", false, 0],
  ["boots its containers, some of them ahead", true, 2],
] as const)
  describe(`a pool with fewer user ids than memory that ${how}`, () => {
    let real: RealInvoker;
    beforeEach(async () => {
      const lean = { firstUid: 990_000, uidCount, containersAhead };
      real = await RealInvoker.start({ userMemoryMB: 8 * memoryMB, boots }, "scarce", undefined, 1, lean);
      const js = "async function main() { await new Promise((done) => setTimeout(done, 300)); return {}; }";
      real.put("js", { kind: "nodejs:20", memoryMB, code: js });
      real.put("py", { kind: "python:3", memoryMB, code: "def main(args): return {}\n" });
    });
    afterEach(() => real.stop());

    it("runs as many jobs at once as it has, and then the others", async () => {
      const dones = await Promise.all(Array.from({ length: 2 * uidCount }, () => real.run("js")));
      expect(dones.map(({ record }) => record.response.statusCode)).to.deep.equal(dones.map(() => 0));
      const failed = real.lines.filter((line) => line.includes('"event":"container-start-failed"'));
      expect(failed).to.deep.equal([]);
    });

    it("gives up an idle container of another kind for a job that needs its user id", async () => {
      await Promise.all(Array.from({ length: uidCount }, () => real.run("js")));
      for (const name of ["py", "js", "py"]) {
        const { record } = await real.run(name);
        expect(record.response, name).to.deep.include({ statusCode: 0, result: {} });
      }
    });
  });
