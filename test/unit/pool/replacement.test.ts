// What becomes of the jobs around containers that are not known to be clean: each reason is told, and nobody waits for more
// than a start.

import { expect } from "chai";
import { Pool } from "../../../pool/pool.ts";
import { taintReasons } from "../../../pool/taint.ts";
import { defaultPoolSettings, type Job, type PoolSettings, TaintError } from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { FakeMachine } from "./fake-machine.ts";

const job = (kind: string, owner = "a"): Job => ({ kind, memoryMB: 256, owner });
const node = (count: number) => [{ kind: "nodejs:20", count, memoryMB: 256 }];

describe("a replacement", () => {
  const pools: Pool[] = [];
  /** In the order of events: who was tainted, is ready, got which container. */
  let story: string[] = [];

  function opened(machine: FakeMachine, settings: Partial<PoolSettings>): Pool {
    const pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 1024, ...settings });
    pools.push(pool);
    story = [];
    pool.events.on("tainted", ({ container, reason }) => story.push(`${container} tainted: ${reason}`));
    pool.events.on("started", ({ container, kind }) => story.push(`${container} started: ${kind}`));
    pool.events.on("leased", ({ container }) => story.push(`${container} leased`));
    return pool;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  for (const reason of taintReasons)
    it(`tells the reason ${reason}, and takes the place of the container`, async () => {
      const machine = new FakeMachine();
      const pool = opened(machine, { stemCells: node(1), userMemoryMB: 256 });
      await pool.settled();
      const lease = await pool.lease(job("nodejs:20"));
      const [checkpoint] = machine.checkpoints;
      if (checkpoint === undefined) throw new Error("no checkpoint was taken");
      const fault =
        reason === "engine" || reason === "logs"
          ? new TaintError(reason, "as wanted")
          : new RestorerError(reason, "as wanted", true);
      checkpoint.behave = () => Promise.reject(fault);
      await lease.release(true);
      await (await pool.lease(job("nodejs:20", "b"))).release(true);
      expect(story).to.deep.equal([
        ...["sandbox-0 started: nodejs:20", "sandbox-0 leased", `sandbox-0 tainted: ${reason}`],
        ...["sandbox-1 started: nodejs:20", "sandbox-1 leased"],
      ]);
    });

  it("is not waited for where another container is free", async () => {
    const machine = new FakeMachine();
    const pool = opened(machine, { stemCells: node(2) });
    await pool.settled();
    const release = machine.hold();
    const lease = await pool.lease(job("nodejs:20"));
    const other = machine.sandboxes.find(({ id }) => id !== lease.containerId);
    machine.sandboxes.find(({ id }) => id === lease.containerId)?.die();
    await lease.release(false);
    const next = await pool.lease(job("nodejs:20", "b"));
    expect(next.containerId).to.equal(other?.id);
    expect(story.filter((event) => event.includes("started")).length, "starts so far").to.equal(2);
    release();
    await next.release(true);
  });

  it("of many at once does not delay a job of another kind: it waits for its own start alone", async () => {
    const machine = new FakeMachine();
    const pool = opened(machine, { stemCells: node(20), userMemoryMB: 20 * 256, parallelStarts: 4 });
    await pool.settled();
    machine.createDelayMs = 20;
    story = [];
    for (const sandbox of machine.living) sandbox.die();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const lease = await pool.lease(job("python:3"));
    await lease.release(true);
    await pool.settled();
    const started = story.filter((event) => event.includes("started"));
    expect(started.findIndex((event) => event.includes("python:3"))).to.be.within(0, 3);
    expect(story.filter((event) => event.includes("tainted")).length).to.equal(20);
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(Array(20).fill("clean"));
  });
});
