// Action checkpoints in several real containers: while one is in use another one is brought to it, with no init, and nothing else.

import { expect } from "chai";
import { within } from "../within.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";

const memoryMB = 256;
const patienceMs = 10_000;

/** Counts in every place in which state can live on, draws a number, and is long in its run on request. */
const actions = {
  "nodejs:20": `
    const fs = require("fs");
    const kept = { list: Array.from({ length: 20000 }, (_, i) => ({ i })) };
    let n = 0;
    function main({ waits }) {
      n += 1;
      kept.list.push(n);
      process.env.COUNT = String(1 + Number(process.env.COUNT ?? 0));
      fs.appendFileSync("/tmp/count", "x");
      if (waits) for (;;);
      const file = fs.readFileSync("/tmp/count", "utf8").length;
      return { n, env: process.env.COUNT, file, kept: kept.list.length, drawn: Math.random() };
    }`,
  "python:3": `
import os, random
kept = [{"i": i} for i in range(20000)]
n = 0
def main(args):
    global n
    n += 1
    kept.append(n)
    os.environ["COUNT"] = str(1 + int(os.environ.get("COUNT", "0")))
    open("/tmp/count", "a").write("x")
    while args.get("waits"): pass
    file = len(open("/tmp/count").read())
    return {"n": n, "env": os.environ["COUNT"], "file": file, "kept": len(kept), "drawn": random.random()}
`,
  "ruby:3": `
$kept = (0...20000).map { |i| {i: i} }
$n = 0
def main(args)
  $n += 1
  $kept << $n
  ENV["COUNT"] = (1 + ENV.fetch("COUNT", "0").to_i).to_s
  File.write("/tmp/count", "x", mode: "a")
  loop {} if args["waits"]
  {n: $n, env: ENV["COUNT"], file: File.size("/tmp/count"), kept: $kept.size, drawn: rand}
end
`,
} as const;

type Kind = keyof typeof actions;

const hasInit = (done: Done): boolean => done.record.annotations.some(({ key }) => key === "initTime");

for (const kind of Object.keys(actions) as Kind[]) {
  describe(`the checkpoint of an action in two real ${kind} containers`, () => {
    let real: RealInvoker;
    const places = (place: string): Promise<number> => real.metric(`rewhisk_starts_total{place="${place}"}`);
    beforeEach(async () => {
      const stemCells = [{ kind, count: 2, memoryMB }];
      const levels = { levelMemoryMB: 256, levelInitMs: 0, sharesLevels: true };
      real = await RealInvoker.start(
        { userMemoryMB: 2 * memoryMB, stemCells, boots: true, ...levels },
        "shared",
      );
    });
    afterEach(async () => {
      const taints = real.taints();
      await real.stop();
      expect(taints).to.deep.equal([]);
    });

    it("is brought to the second while the first is in use, which has no init and sees nothing of others", async () => {
      real.put("one", { kind, code: actions[kind], timeoutMs: 8000 });
      real.put("two", { kind, code: `${actions[kind]}\n` });
      const first = real.run("one", { waits: true });
      const taken = (): Promise<number> => real.metric('rewhisk_action_checkpoints_total{result="taken"}');
      await within(patienceMs, async () => (await taken()) === 1 || undefined);
      const dones: Done[] = [];
      for (let i = 0; i < 3; i++) dones.push(await real.run("one"));
      const results = dones.map(({ record }) => record.response.result as { readonly drawn: number });
      for (const result of results) expect(result).to.include({ n: 1, env: "1", file: 1, kept: 20_001 });
      expect(new Set(results.map(({ drawn }) => drawn)).size).to.equal(3);
      expect(dones.map(hasInit)).to.deep.equal([false, false, false]);
      expect([await places("brought"), await places("level")]).to.deep.equal([1, 2]);
      // Its base is its own.
      const other = await real.run("two");
      expect(other.record.response.result).to.include({ n: 1, env: "1", file: 1, kept: 20_001 });
      expect(hasInit(other)).to.equal(true);
      await first;
      const after = await real.run("one");
      expect(after.record.response.result).to.include({ n: 1, env: "1", file: 1, kept: 20_001 });
      expect(hasInit(after)).to.equal(false);
    });
  });
}
