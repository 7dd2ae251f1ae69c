// Real containers that grow old: what is the same for all their uses, and that nobody waits for the one that follows.

import { expect } from "chai";
import { RealInvoker } from "./real-invoker.ts";

/** What a rewind puts back as it was: the address layout, and the seed of Python's hashes. */
const programs = {
  "nodejs:20": `function main() {
      return { layout: require('fs').readFileSync('/proc/self/maps', 'latin1').split('\\n').filter((line) => /stack|node$/.test(line)).join() }; }`,
  "python:3": `
def main(args):
    with open("/proc/self/maps") as maps:
        return {"layout": "".join(line for line in maps if "stack" in line or "python" in line), "hash": hash("mark")}
`,
} as const;

const retired = 'rewhisk_containers_removed_total{cause="retired"}';

for (const [kind, code] of Object.entries(programs)) {
  describe(`an ageing ${kind} container`, () => {
    it("is followed by one of another address layout, made while it serves on", async () => {
      const stemCells = [{ kind, count: 1, memoryMB: 256 }];
      const real = await RealInvoker.start({ userMemoryMB: 512, stemCells, usesBeforeRetirement: 100 });
      real.put("seen", { kind, code });
      const seen: string[] = [];
      while ((await real.metric(retired)) < 2 && seen.length < 2000)
        seen.push(JSON.stringify((await real.run("seen")).record.response.result));
      const cold = await real.metric('rewhisk_starts_total{start="cold"}');
      const taints = real.taints();
      await real.stop();
      const changes = seen.filter((one, i) => i > 0 && one !== seen[i - 1]).length;
      expect(new Set(seen).size, "layouts").to.be.within(2, 3);
      expect(changes, "changes of layout").to.equal(new Set(seen).size - 1);
      expect(cold, "activations that waited for a start").to.equal(0);
      expect(taints).to.deep.equal([]);
    });

    it("is replaced while idle, in its place where there is no room for two", async () => {
      const stemCells = [{ kind, count: 1, memoryMB: 256 }];
      const real = await RealInvoker.start({ userMemoryMB: 256, stemCells, ageBeforeRetirementMs: 2000 });
      real.put("seen", { kind, code });
      const first = await real.run("seen");
      const before = await real.metric(retired);
      while ((await real.metric(retired)) === before) await new Promise((resolve) => setTimeout(resolve, 50));
      const second = await real.run("seen");
      await real.stop();
      expect(second.record.response.result).to.not.deep.equal(first.record.response.result);
    });
  });
}
