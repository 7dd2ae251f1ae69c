// Action checkpoints that are refused time and again: they are not tried, at the caller's cost, at each activation.

import { expect } from "chai";
import { RealInvoker } from "./real-invoker.ts";

const kind = "python:3";
const memoryMB = 512;
const runs = 8;

const refusals = {
  memory: { init: "kept = bytearray(b'x') * 200_000_000\n", levelInitMs: 0 },
  short: { init: "", levelInitMs: 60_000 },
} as const;

describe("an action of which no checkpoint can be taken", () => {
  for (const [why, { init, levelInitMs }] of Object.entries(refusals))
    it(`is asked for one at ever fewer activations: ${why}`, async () => {
      const stemCells = [{ kind, count: 1, memoryMB }];
      const levels = { levelMemoryMB: 100, levelInitMs };
      const real = await RealInvoker.start({ userMemoryMB: memoryMB, stemCells, ...levels }, "refused");
      try {
        real.put("one", { kind, memoryMB, code: `${init}\ndef main(args): return {}\n` });
        for (let i = 0; i < runs; i++)
          expect((await real.run("one")).record.response.result).to.deep.equal({});
        // The first, the second, the fourth and the eighth.
        expect(await real.metric(`rewhisk_action_checkpoints_total{result="${why}"}`)).to.equal(4);
        expect(await real.metric("rewhisk_action_checkpoints_total")).to.equal(4);
        expect(real.taints()).to.deep.equal([]);
      } finally {
        await real.stop();
      }
    });
});
