// Action checkpoints and parameters that are given at init: whoever has such is given them, though another activation had none.

import { expect } from "chai";
import { RealInvoker } from "./real-invoker.ts";

const memoryMB = 256;

const kinds = {
  "nodejs:20": "function main(args) { return { init: process.env.given ?? null, args: Object.keys(args) }; }",
  "python:3":
    "import os\ndef main(args): return {'init': os.environ.get('given'), 'args': list(args.keys())}\n",
} as const;

for (const [kind, code] of Object.entries(kinds))
  for (const levelMemoryMB of [0, 64])
    describe(`${kind}, with ${levelMemoryMB} MB for action checkpoints: an activation that has parameters for its init`, () => {
      it("has them, though those before it had none, and keeps them to itself", async () => {
        const stemCells = [{ kind, count: 1, memoryMB }];
        const pool = { userMemoryMB: memoryMB, stemCells, levelMemoryMB, levelInitMs: 0 };
        const real = await RealInvoker.start(pool, "init");
        try {
          real.put("one", { kind, code });
          for (const [parameters, init] of [
            [{}, null],
            [{ given: "x" }, "x"],
            [{ given: "y" }, "y"],
            [{}, null],
            [{}, null],
          ] as const) {
            const { record } = await real.run("one", parameters, Object.keys(parameters));
            expect(record.response.result).to.deep.equal({ init, args: [] });
          }
          expect(await real.metric('rewhisk_starts_total{place="level"}')).to.equal(
            levelMemoryMB > 0 ? 1 : 0,
          );
        } finally {
          await real.stop();
        }
      });
    });
