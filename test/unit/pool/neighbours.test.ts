// Jobs of one owner in one container at the same time: who joins, what they share, and when it is rewound.

import { expect } from "chai";
import { Pool } from "../../../pool/pool.ts";
import { defaultPoolSettings, type Job, type Lease, type PoolSettings } from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine, obedient, type Request } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const init = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("neighbours in a container", () => {
  const pools: Pool[] = [];
  let rewinds = 0;

  async function opened(machine: FakeMachine, settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 256, stemCells, ...settings });
    pools.push(pool);
    await pool.settled();
    rewinds = 0;
    pool.events.on("rewound", () => rewinds++);
    return pool;
  }
  const job = (fields: Partial<Job> = {}): Job => ({
    ...{ kind: "nodejs:20", memoryMB: 256, owner: "a", concurrency: 3, rewind: "on-change", ...fields },
  });
  const granted = async (lease: Promise<Lease>): Promise<boolean> => {
    const first = await Promise.race([lease.then(() => true), pause(30).then(() => false)]);
    return first;
  };
  const states = (pool: Pool): string[] => pool.status().containers.map(({ state }) => state);

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("are as many as the job allows, of one owner", async () => {
    const pool = await opened(new FakeMachine());
    const leases = [await pool.lease(job()), await pool.lease(job()), await pool.lease(job())];
    expect(leases.map(({ start }) => start)).to.deep.equal(["clean", "warm", "warm"]);
    const fourth = pool.lease(job());
    const other = pool.lease(job({ owner: "b" }));
    expect(await granted(fourth)).to.equal(false);
    await leases[0]?.release(true);
    expect(await granted(fourth), "there is room again").to.equal(true);
    expect(await granted(other)).to.equal(false);
    for (const lease of [...leases, await fourth]) await lease.release(true);
    expect((await other).start).to.equal("rewound");
    await (await other).release(true);
  });

  it("under on-change leave the container warm with the last one, unrewound", async () => {
    const pool = await opened(new FakeMachine());
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    await one.release(true);
    expect([states(pool), rewinds]).to.deep.equal([["running"], 0]);
    await two.release(true);
    expect([states(pool), rewinds]).to.deep.equal([["warm"], 0]);
  });

  it("under always come no more once one has left, and are rewound away with the last", async () => {
    const pool = await opened(new FakeMachine());
    const always = job({ rewind: "always" });
    const [one, two] = [await pool.lease(always), await pool.lease(always)];
    await one.release(true);
    expect([states(pool), rewinds]).to.deep.equal([["running"], 0]);
    const late = pool.lease(always);
    expect(await granted(late)).to.equal(false);
    await two.release(true);
    expect((await late).start).to.equal("rewound");
    expect(rewinds).to.equal(1);
    await (await late).release(true);
  });

  it("come no more once one has misbehaved, and are rewound away with the last", async () => {
    const pool = await opened(new FakeMachine());
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    await one.release(false);
    const late = pool.lease(job());
    expect(await granted(late)).to.equal(false);
    expect(rewinds, "not while a neighbour runs").to.equal(0);
    await two.release(true);
    expect((await late).start).to.equal("rewound");
    await (await late).release(true);
  });

  it("come no more once the container has served long enough", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { usesBeforeRetirement: 2 });
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    const late = pool.lease(job());
    expect(await granted(late)).to.equal(false);
    await one.release(true);
    await two.release(true);
    expect((await late).containerId).to.not.equal(one.containerId);
    await (await late).release(true);
  });

  it("leave no live state in a container that has served long enough", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { usesBeforeRetirement: 1 });
    const one = await pool.lease(job());
    await one.release(true);
    expect((await pool.lease(job())).containerId).to.not.equal(one.containerId);
  });

  it("are used once, all together, where nothing can be rewound", async () => {
    const machine = new FakeMachine({ rewinds: false });
    const pool = await opened(machine);
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    await one.release(true);
    const late = pool.lease(job());
    expect(await granted(late)).to.equal(false);
    await two.release(true);
    expect((await late).containerId).to.not.equal(one.containerId);
    await (await late).release(true);
  });

  it("wait for the first one's init, and then run at the same time", async () => {
    const machine = new FakeMachine();
    const held: Request[] = [];
    machine.behave = (request) => void held.push(request);
    const pool = await opened(machine);
    const runtime = machine.sandboxes[0]?.runtime;
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    const loaded = one.init(init, limits);
    const second = two.run("2", limits);
    expect(await holdsWithin(60_000, () => held.length > 0)).to.equal(true);
    await pause(20);
    expect(
      held.map(({ type }) => type),
      "the run waits",
    ).to.deep.equal([1]);
    obedient(held[0] as Request, runtime as never);
    expect((await loaded).exchange.outcome).to.equal("answer");
    const first = one.run("1", limits);
    expect(await holdsWithin(60_000, () => held.length === 3)).to.equal(true);
    expect(held.slice(1).map(({ type, payload }) => `${type} ${payload}`)).to.have.members(["5 1", "5 2"]);
    for (const request of held.slice(1)) runtime?.answer(request, 200, `{"ran":${request.payload}}`);
    expect((await first).exchange).to.include({ body: '{"ran":1}' });
    expect((await second).exchange).to.include({ body: '{"ran":2}' });
    await Promise.all([one.release(true), two.release(true)]);
  });

  it("need not wait in a container that was kept warm", async () => {
    const pool = await opened(new FakeMachine());
    const before = await pool.lease(job());
    await before.init(init, limits);
    await before.release(true);
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    expect([one.initialised, two.initialised]).to.deep.equal([true, true]);
    expect((await two.run("2", limits)).exchange.outcome).to.equal("answer");
    await Promise.all([one.release(true), two.release(true)]);
  });

  it("have the failure of the first one's init, in no time of their own", async () => {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => runtime.answer(request, 502, '{"error":"no"}');
    let nowMs = 0;
    machine.clock = { nowMs: () => nowMs++ };
    const pool = await opened(machine);
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    const second = two.run("2", limits);
    const loaded = await one.init(init, limits);
    const { startMs, endMs, exchange } = await second;
    expect(exchange).to.deep.equal({ outcome: "unloaded", init: loaded });
    expect(endMs - startMs).to.equal(0);
    await one.release(false);
    await two.release(false);
    expect(states(pool)).to.deep.equal(["clean"]);
    expect(machine.sandboxes[0]?.runtime.requests.map(({ type }) => type)).to.deep.equal([1]);
  });

  it("do not wait for ever when the first one leaves without an init", async () => {
    const pool = await opened(new FakeMachine());
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    const second = two.run("2", limits);
    await one.release(false);
    expect((await second).exchange).to.deep.equal({ outcome: "unloaded", init: undefined });
    await two.release(false);
  });

  it("are all told when the runtime ends, and the container goes with the last", async () => {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => request.type === 1 && obedient(request, runtime);
    const pool = await opened(machine);
    const reasons: string[] = [];
    pool.events.on("tainted", ({ reason }) => reasons.push(reason));
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    await one.init(init, limits);
    const runs = [one.run("1", limits), two.run("2", limits)];
    const [sandbox] = machine.sandboxes;
    expect(await holdsWithin(60_000, () => sandbox?.runtime.requests.length === 3)).to.equal(true);
    sandbox?.die({ oomKilled: true });
    for (const { exchange } of await Promise.all(runs)) {
      expect(exchange).to.include({ outcome: "gone", oomKilled: true });
    }
    await one.release(false);
    expect(sandbox?.isDestroyed).to.equal(false);
    await two.release(false);
    await pool.settled();
    expect([sandbox?.isDestroyed, reasons]).to.deep.equal([true, ["process-gone"]]);
  });

  it("share their output: whoever ends has what any has printed since the last one ended", async () => {
    const machine = new FakeMachine();
    const held: Request[] = [];
    machine.behave = (request, runtime) => {
      if (request.type === 1) obedient(request, runtime);
      else held.push(request);
      runtime.print(`${request.payload}\n`);
    };
    const pool = await opened(machine);
    const runtime = machine.sandboxes[0]?.runtime;
    const texts = async (lease: Lease): Promise<string[]> =>
      (await lease.collectLogs()).lines.map((line) => line.slice(31));
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    for (const lease of [one, two]) lease.keepLogs(1000);
    await one.init(init, limits);
    const runs = [one.run("from one", limits), two.run("from two", limits)];
    expect(await holdsWithin(60_000, () => held.length === 2)).to.equal(true);
    const three = await pool.lease(job());
    three.keepLogs(1000);
    runtime?.answer(held[1] as Request, 200, "{}");
    await runs[1];
    expect((await texts(two)).slice(1)).to.deep.equal(["stdout: from one", "stdout: from two"]);
    await two.release(true);
    runtime?.print("one again\n");
    runtime?.answer(held[0] as Request, 200, "{}");
    await runs[0];
    expect(await texts(one)).to.deep.equal(["stdout: one again"]);
    await one.release(true);
    expect(await texts(three), "it has printed nothing").to.deep.equal([]);
    await three.release(true);
    const next = await pool.lease(job());
    next.keepLogs(1000);
    runtime?.print("next\n");
    expect(await texts(next)).to.deep.equal(["stdout: next"]);
    await next.release(true);
  });

  it("are ended together when the pool closes", async () => {
    const machine = new FakeMachine();
    machine.behave = () => undefined;
    const pool = await opened(machine);
    const [one, two] = [await pool.lease(job()), await pool.lease(job())];
    const loading = one.init(init, limits);
    const waiting = two.run("2", limits);
    await pool.close();
    expect((await loading).exchange.outcome).to.equal("stopped");
    expect((await waiting).exchange.outcome).to.equal("unloaded");
    await Promise.all([one.release(true), two.release(true)]);
    expect(pool.status().containers).to.deep.equal([]);
  });
});
