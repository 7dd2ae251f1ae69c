// Activations of one action that share a real container at the same time, good days and bad ones.

import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import type { Json } from "../../invoker/index.ts";
import { within } from "../within.ts";
import { type ActionSource, type Done, RealInvoker } from "./real-invoker.ts";

const kind = "nodejs:20";
const memoryMB = 256;
const oneContainer = { userMemoryMB: memoryMB, stemCells: [{ kind, count: 1, memoryMB }] };

/** `meets` waits until so many are in at the same time, `after` until that one has ended. `n` counts activations since the last rewind. */
const code = `
  const { setTimeout: pause } = require("timers/promises");
  let inside = 0, most = 0, n = 0;
  const ended = new Set();
  async function main({ id, meets = 1, ms = 0, after, loops, exits, eats }) {
    n++;
    most = Math.max(most, ++inside);
    console.log("in " + id);
    while (most < meets) await pause(1);
    if (ms) await pause(ms);
    while (after && !ended.has(after)) await pause(1);
    if (loops) for (;;);
    if (exits) process.exit(1);
    if (eats) for (const all = []; ; ) all.push(Buffer.alloc(1 << 20, 1));
    console.log("out " + id);
    ended.add(id);
    inside--;
    return { id, most, n };
  }`;

const result = (done: Done): Json | undefined => done.record.response.result;
const statusOf = (done: Done): number => done.record.response.statusCode;
const hasInit = (done: Done): boolean => done.record.annotations.some(({ key }) => key === "initTime");

describe("neighbours in a real container", () => {
  let real: RealInvoker;
  const start = async (rewind: "always" | "on-change", concurrencyMax = 100): Promise<void> => {
    real = await RealInvoker.start({ ...oneContainer, rewind }, "neighbours", undefined, concurrencyMax);
  };
  const put = (fields: Partial<ActionSource> = {}): void =>
    real.put("shared", { kind, code, concurrency: 10, ...fields });
  const run = (content: { [name: string]: Json }): Promise<Done> => real.run("shared", content);
  const rewinds = (): Promise<number> => real.metric('rewhisk_rewinds_total{verified="true"}');
  const containers = (): Promise<number> => real.metric('rewhisk_container_starts_total{result="ready"}');
  afterEach(() => real.stop());

  it("run at the same time, have one init, and leave nothing behind under always", async () => {
    await start("always");
    put();
    for (let round = 1; round <= 3; round++) {
      const all = await Promise.all([1, 2, 3, 4].map((id) => run({ id, meets: 4 })));
      expect(all.map(result)).to.deep.equal([1, 2, 3, 4].map((id) => ({ id, most: 4, n: 4 })));
      expect(all.filter(hasInit).length).to.equal(1);
      expect(await rewinds(), "once for all").to.equal(round);
    }
    expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
  });

  it("let nobody in under always once one has ended, who would see what that one left", async () => {
    await start("always");
    put();
    // A busy machine has looked by then.
    const long = run({ id: 1, meets: 2, ms: 5000 });
    expect(result(await run({ id: 2, meets: 2 }))).to.deep.equal({ id: 2, most: 2, n: 2 });
    expect(await rewinds(), "a neighbour runs").to.equal(0);
    const late = run({ id: 3 });
    expect(result(await long)).to.deep.equal({ id: 1, most: 2, n: 2 });
    expect(result(await late)).to.deep.equal({ id: 3, most: 1, n: 1 });
    expect(hasInit(await late)).to.equal(true);
    expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
  });

  it("let others in under on-change at any time, and keep the state between them", async () => {
    await start("on-change");
    put();
    const long = run({ id: 1, meets: 2, after: 3 });
    await run({ id: 2, meets: 2 });
    expect(result(await run({ id: 3 }))).to.deep.equal({ id: 3, most: 2, n: 3 });
    await long;
    const next = await run({ id: 4 });
    expect([result(next), hasInit(next)]).to.deep.equal([{ id: 4, most: 2, n: 4 }, false]);
    expect(await rewinds()).to.equal(0);
    put();
    expect(result(await run({ id: 5 })), "another revision").to.deep.equal({ id: 5, most: 1, n: 1 });
    expect(await rewinds()).to.equal(1);
    expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
  });

  it("are no more than the limit allows", async () => {
    await start("on-change");
    put({ concurrency: 2 });
    const all = await Promise.all([1, 2, 3, 4, 5].map((id) => run({ id, meets: 2, ms: 20 })));
    expect(all.map(statusOf)).to.deep.equal([0, 0, 0, 0, 0]);
    const most = all.map((done) => (result(done) as { most: number }).most);
    expect(Math.max(...most)).to.equal(2);
    expect(await containers()).to.equal(1);
  });

  it("hundreds of them, each with its own answer, cost no container", async () => {
    for (const rewind of ["always", "on-change"] as const) {
      await start(rewind);
      put();
      const ids = Array.from({ length: 300 }, (_, id) => id);
      const all = await Promise.all(ids.map((id) => run({ id, ms: id % 5 })));
      expect(all.map((done) => (result(done) as { id: number }).id)).to.deep.equal(ids);
      expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
      if (rewind === "always") await real.stop();
    }
  });

  it("have all that any of them prints, each line in one record", async () => {
    await start("on-change");
    put();
    const ids = [1, 2, 3, 4, 5];
    const all = await Promise.all(ids.map((id) => run({ id, meets: 5, ms: id })));
    const lines = all.flatMap(({ logs }) => logs.map((line) => line.slice(31)));
    expect(lines).to.have.members(ids.flatMap((id) => [`stdout: in ${id}`, `stdout: out ${id}`]));
  });

  it("outlive one that runs out of time, whose late answer harms nobody", async () => {
    // The answer comes while a neighbour runs, or is undone by the rewind before it comes.
    for (const [rewind, timeoutMs, lateMs] of [
      ["always", 3000, 30_000],
      ["on-change", 6000, 100],
    ] as const) {
      await start(rewind);
      put({ timeoutMs });
      const slow = run({ id: 1, meets: 2, ms: timeoutMs + lateMs });
      const quick = run({ id: 2, meets: 2, ms: 50 });
      expect(statusOf(await quick)).to.equal(0);
      let other: Promise<Done> | undefined;
      if (rewind === "on-change") {
        // Early enough to be let in, and late enough to have time left when the slow one's late answer comes: half of it for each.
        await pause(timeoutMs / 2);
        other = run({ id: 3, after: 1 });
      }
      expect((await slow).record.response).to.deep.include({
        statusCode: 2,
        result: { error: `The action exceeded its time limits of ${timeoutMs} milliseconds.` },
      });
      if (other !== undefined) expect(result(await other)).to.deep.equal({ id: 3, most: 2, n: 3 });
      expect(result(await run({ id: 4 })), "rewound").to.deep.equal({ id: 4, most: 1, n: 1 });
      expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
      if (rewind === "always") await real.stop();
    }
  });

  it("all run out of time with one that never lets go, and the next finds nothing of them", async () => {
    await start("on-change");
    put({ timeoutMs: 3000 });
    const all = await Promise.all([
      run({ id: 1, meets: 2, loops: true }),
      run({ id: 2, meets: 2, ms: 20_000 }),
    ]);
    expect(all.map(statusOf)).to.deep.equal([2, 2]);
    expect(result(await run({ id: 3 }))).to.deep.equal({ id: 3, most: 1, n: 1 });
    expect(real.taints()).to.deep.equal([]);
  });

  for (const [fault, error] of [
    ["exits", "The action did not produce a valid response and exited unexpectedly."],
    ["eats", "The action exhausted its memory and was aborted."],
  ] as const) {
    it(`all fall with one that ${fault}, and the container is replaced once`, async () => {
      await start("on-change");
      put();
      const all = await Promise.all([
        run({ id: 1, meets: 3, [fault]: true }),
        run({ id: 2, meets: 3, ms: 20_000 }),
        run({ id: 3, meets: 3, ms: 20_000 }),
      ]);
      expect(all.map((done) => done.record.response.result)).to.deep.equal([{ error }, { error }, { error }]);
      expect(result(await run({ id: 4 }))).to.deep.equal({ id: 4, most: 1, n: 1 });
      expect(real.taints().length).to.equal(1);
      expect(await containers()).to.equal(2);
    });
  }

  it("share the failure of the init that they waited for", async () => {
    await start("on-change");
    put({ code: "const until = Date.now() + 300; while (Date.now() < until); throw new Error('no');" });
    const all = await Promise.all([run({ id: 1 }), run({ id: 2 }), run({ id: 3 })]);
    for (const done of all) {
      expect(statusOf(done)).to.equal(2);
      expect(JSON.stringify(result(done))).to.contain("Initialization has failed due to: Error: no");
    }
    expect(all.map(hasInit)).to.deep.equal([true, false, false]);
    expect(all.slice(1).map((done) => done.record.duration)).to.deep.equal([0, 0]);
    // Those that waited have no logs to wait for: their slots are free before they leave.
    expect(await within(60_000, async () => (await rewinds()) || undefined)).to.equal(1);
    expect([real.taints(), await containers()]).to.deep.equal([[], 1]);
  });

  it("have an environment as in stock: that of the last one to begin", async () => {
    await start("always");
    put({
      code: `let inside = 0;
        const { setTimeout: pause } = require("timers/promises");
        async function main() {
          inside++;
          while (inside < 2) await pause(1);
          await pause(20);
          return { id: process.env.__OW_ACTIVATION_ID };
        }`,
    });
    const all = await Promise.all([run({}), run({})]);
    const [first, second] = all.map((done) => (result(done) as { id: string }).id);
    expect(first).to.equal(second);
    expect(all.map((done) => done.record.activationId)).to.include(first);
  });

  it("are none where the runtime cannot: python's activations come one after the other", async () => {
    real = await RealInvoker.start(
      { userMemoryMB: memoryMB, stemCells: [{ kind: "python:3", count: 1, memoryMB }], rewind: "on-change" },
      "neighbours",
      undefined,
      10,
    );
    const lines = [
      ...[
        "import time",
        "inside = most = 0",
        "def main(args):",
        "    global inside, most",
        "    inside += 1",
      ],
      ...[
        "    most = max(most, inside)",
        "    time.sleep(0.02)",
        "    inside -= 1",
        "    return {'most': most}",
      ],
    ];
    real.put("shared", { kind: "python:3", code: `${lines.join("\n")}\n`, concurrency: 10 });
    const all = await Promise.all([1, 2, 3, 4].map((id) => run({ id })));
    expect(all.map(result)).to.deep.equal([1, 2, 3, 4].map(() => ({ most: 1 })));
    expect(await containers()).to.equal(1);
  });

  it("are none where the operator does not allow them", async () => {
    await start("always", 1);
    put({ concurrency: 2 });
    expect((await run({ id: 1 })).record.response).to.deep.include({
      statusCode: 1,
      result: { error: "concurrency 2 exceeds allowed threshold of 1" },
    });
  });
});
