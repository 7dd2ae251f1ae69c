// Limits of memory that are reached while an action checkpoint is taken: the container's own, and that of the invoker.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { instanceName } from "./instance.ts";
import { RealInvoker } from "./real-invoker.ts";
import { starve } from "./runtime-process.ts";

const memoryMB = 256;

/** Counts, so that state that was left would show; takes much memory where it is told to. */
const actions = {
  "nodejs:20": `
    let n = 0;
    function main({ grows }) {
      n += 1;
      if (grows) Buffer.alloc(64 << 20, 1);
      return { n };
    }`,
  "python:3": `
n = 0
def main(args):
    global n
    n += 1
    if args.get("grows"): bytearray(b"x") * (64 << 20)
    return {"n": n}
`,
} as const;

for (const kind of Object.keys(actions) as (keyof typeof actions)[])
  describe(`while an action checkpoint of ${kind} is taken`, () => {
    for (const grows of [false, true])
      it(`a container that gets no more memory than it has ${grows ? "is replaced when it needs more" : "goes on"}, and answers`, async () => {
        let [isFirst, asked] = [false, 0];
        const stemCells = [{ kind, count: 1, memoryMB }];
        const settings = { userMemoryMB: memoryMB, stemCells, levelMemoryMB: 64, levelInitMs: 0 };
        const real = await RealInvoker.start(settings, "level-memory", (sandbox) => {
          // It is asked when the init has ended, right before the container is frozen.
          const isAlone = sandbox.isAlone.bind(sandbox);
          sandbox.isAlone = () => {
            if (isFirst && asked++ === 0) starve(sandbox.runtimePid);
            return isAlone();
          };
        });
        try {
          real.put("one", { kind, code: actions[kind] });
          isFirst = true;
          const { statusCode, result } = (await real.run("one", { grows })).record.response;
          isFirst = false;
          expect(asked).to.be.greaterThan(0);
          expect(await real.metric('rewhisk_action_checkpoints_total{result="taken"}')).to.equal(1);
          // By its own limit it may be killed in its run, as any action may; the platform is never at fault.
          if (statusCode === 0) expect([grows, result]).to.deep.equal([false, { n: 1 }]);
          else expect(statusCode).to.equal(2);
          for (let i = 0; i < 3; i++) {
            const { record } = await real.run("one");
            expect(record.response).to.deep.include({ statusCode: 0, result: { n: 1 } });
          }
          for (const taint of real.taints()) expect(taint).to.match(/^process-gone: /);
          if (grows) expect(real.taints()).to.have.lengthOf(1);
        } finally {
          await real.stop();
        }
      });

    it("an invoker that has no memory for its image puts the container back to its base, and the activation is answered", () => {
      const host = join(import.meta.dirname, "level-short-of-memory.js");
      const argv = [host, instanceName("level-short"), kind, actions[kind]];
      const { stdout, stderr, status } = spawnSync(process.execPath, argv, {
        ...{ encoding: "utf8", timeout: 120_000 },
      });
      expect(status, stderr).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal({
        results: [
          ["clean", { n: 1 }],
          ["rewound", { n: 1 }],
          ["warm", { n: 1 }],
        ],
        ...{ outcomes: ["unsupported", "taken"], taints: [], containers: 1 },
      });
    });
  });
