// Action checkpoints of actions that have more memory than their container was ordered with: they are come back to as others are.

import { expect } from "chai";
import { RealInvoker } from "./real-invoker.ts";

const kind = "python:3";
const orderedMB = 128;
const actionMB = 512;

/** What its init has filled is more than the container has between jobs. */
const code = "kept = bytearray(b'x') * 200_000_000\ndef main(args): return {'kept': len(kept)}\n";

describe("an action that has more memory than its container between jobs", () => {
  for (const levelMemoryMB of [0, 512])
    it(`costs no container, with ${levelMemoryMB} MB for action checkpoints`, async () => {
      const stemCells = [{ kind, count: 1, memoryMB: orderedMB }];
      const pool = { userMemoryMB: actionMB, stemCells, levelMemoryMB, levelInitMs: 0 };
      const real = await RealInvoker.start(pool, "outgrows");
      try {
        real.put("one", { kind, code, memoryMB: actionMB });
        real.put("two", { kind, code: "def main(args): return {}\n", memoryMB: orderedMB });
        const inits: boolean[] = [];
        for (const name of ["one", "one", "one", "two", "one", "one"]) {
          const { record } = await real.run(name);
          expect(record.response.statusCode).to.equal(0);
          inits.push(record.annotations.some(({ key }) => key === "initTime"));
        }
        const returns = levelMemoryMB > 0;
        expect(inits).to.deep.equal([true, !returns, !returns, true, true, !returns]);
        expect(real.taints()).to.deep.equal([]);
      } finally {
        await real.stop();
      }
    });
});
