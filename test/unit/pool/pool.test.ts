// The pool over scripted containers: who gets what, and what happens on bad days.

import { expect } from "chai";
import { Pool } from "../../../pool/pool.ts";
import {
  defaultPoolSettings,
  type Job,
  type Lease,
  PoolError,
  type PoolSettings,
} from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const cell = (count: number) => [{ kind: "nodejs:20", count, memoryMB: 256 }];
const pythonCell = [{ kind: "python:3", count: 1, memoryMB: 256 }];
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 256, owner: "a", ...fields });

describe("the pool", () => {
  const pools: Pool[] = [];

  async function opened(machine: FakeMachine, settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const pool = new Pool(machine, {
      ...defaultPoolSettings,
      userMemoryMB: 1024,
      stemCells: cell(1),
      ...settings,
    });
    pools.push(pool);
    await pool.settled();
    return pool;
  }
  const failureOf = async (lease: Promise<Lease>): Promise<unknown> =>
    lease.then(() => undefined).catch((error: unknown) => error);
  const states = (pool: Pool): string[] => pool.status().containers.map(({ state }) => state);

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("gives a prewarmed container, and the same one put back to whoever comes next", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine);
    const first = await pool.lease(job());
    expect(first.start).to.equal("clean");
    await first.run("{}", limits);
    await first.release(true);
    const second = await pool.lease(job({ owner: "b" }));
    expect([second.start, second.place, second.initialised]).to.deep.equal(["rewound", "rewound", false]);
    expect(second.containerId).to.equal(first.containerId);
    await second.release(true);
    expect(machine.sandboxes.length).to.equal(1);
  });

  it("makes a container for a job that finds none, and calls that a cold start", async () => {
    const pool = await opened(new FakeMachine(), { stemCells: [] });
    const lease = await pool.lease(job());
    expect([lease.start, lease.place]).to.deep.equal(["cold", "started"]);
    await lease.release(true);
    expect(states(pool)).to.deep.equal(["clean"]);
  });

  it("lets a job that comes during a rewind wait for it instead of making a container", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine);
    const first = await pool.lease(job());
    const released = first.release(true);
    const second = await pool.lease(job());
    await released;
    expect(second.start).to.equal("rewound");
    expect(machine.sandboxes.length).to.equal(1);
    await second.release(true);
  });

  it("lets jobs that wait for new containers take those that come back first", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { userMemoryMB: 4096, parallelStarts: 1 });
    const first = await pool.lease(job());
    const release = machine.hold();
    const rest = Array.from({ length: 6 }, async () => {
      const lease = await pool.lease(job());
      await lease.release(true);
      return lease.start;
    });
    await first.release(true);
    const starts = await Promise.all(rest);
    expect(starts).to.deep.equal(Array.from({ length: 6 }, () => "rewound"));
    release();
    await pool.settled();
    expect(machine.sandboxes.length, "orders that nobody waits for are not carried out").to.be.at.most(2);
  });

  it("serves everybody once and never over-commits under pressure", async () => {
    const machine = new FakeMachine();
    machine.createDelayMs = 1;
    const pool = await opened(machine, { stemCells: [], userMemoryMB: 1024 });
    const served: number[] = [];
    let most = 0;
    const jobs = Array.from({ length: 60 }, async (_, number) => {
      const memoryMB = [128, 256, 512][number % 3] ?? 256;
      const kind = number % 2 === 0 ? "nodejs:20" : "python:3";
      const lease = await pool.lease(job({ memoryMB, kind, owner: `owner${number % 5}` }));
      served.push(number);
      most = Math.max(most, pool.status().reservedMB);
      const limited = machine.living.reduce((sum, sandbox) => sum + sandbox.memoryMB, 0);
      expect(limited, "of the sandboxes themselves").to.be.at.most(1024);
      await pause(number % 4);
      await lease.release(true);
    });
    await Promise.all(jobs);
    expect(most).to.be.at.most(1024);
    expect(new Set(served).size).to.equal(60);
    expect(pool.status().waiting).to.equal(0);
  });

  it("keeps live state for the same owner when asked to, and puts it back when it changes hands", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { rewind: "on-change" });
    const first = await pool.lease(job());
    await first.release(true);
    expect(states(pool)).to.deep.equal(["warm"]);
    const again = await pool.lease(job());
    expect([again.start, again.initialised]).to.deep.equal(["warm", true]);
    await again.release(true);
    const other = await pool.lease(job({ owner: "b" }));
    expect([other.start, other.initialised]).to.deep.equal(["rewound", false]);
    await other.release(false);
    expect(states(pool), "not kept after a misbehaviour").to.deep.equal(["clean"]);
  });

  it("rewinds as the job says, whatever is usual in the pool", async () => {
    for (const [usual, asked, state] of [
      ["always", "on-change", "warm"],
      ["on-change", "always", "clean"],
    ] as const) {
      const pool = await opened(new FakeMachine(), { rewind: usual });
      const lease = await pool.lease(job({ rewind: asked }));
      await lease.release(true);
      expect(states(pool), `${asked} where ${usual} is usual`).to.deep.equal([state]);
    }
  });

  it("uses every container once where nothing can be rewound, and makes new ones ahead", async () => {
    const machine = new FakeMachine({ rewinds: false });
    const pool = await opened(machine);
    for (let i = 0; i < 3; i++) {
      const lease = await pool.lease(job());
      expect(lease.start).to.equal("clean");
      await lease.release(true);
      await pool.settled();
    }
    expect(machine.sandboxes.length).to.equal(4);
    expect(machine.living.length).to.equal(1);
  });

  it("never offers a container again whose rewind failed, tells the reason, and makes another", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine);
    const reasons: string[] = [];
    pool.events.on("tainted", ({ reason }) => reasons.push(reason));
    const lease = await pool.lease(job());
    const [checkpoint] = machine.checkpoints;
    if (checkpoint !== undefined) {
      checkpoint.behave = () => Promise.reject(Object.assign(new Error("gone"), { code: "lost-thread" }));
    }
    await lease.release(true);
    const next = await pool.lease(job());
    expect(next.containerId).to.not.equal(lease.containerId);
    expect(reasons).to.deep.equal(["lost-thread"]);
    await next.release(true);
    await pool.settled();
    expect(machine.living.length).to.equal(1);
  });

  it("replaces a container that dies while idle", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine);
    machine.sandboxes[0]?.die();
    expect(await holdsWithin(60_000, () => machine.sandboxes.length === 2)).to.equal(true);
    await pool.settled();
    expect(states(pool)).to.deep.equal(["clean"]);
    expect(machine.sandboxes.length).to.equal(2);
  });

  it("tells a job that no container could be made, and does not try for ever", async () => {
    const machine = new FakeMachine();
    // Too little time goes by for it to be tried again, however long a busy machine takes.
    let nowMs = 1e6;
    machine.clock = { nowMs: () => (nowMs += 0.001) };
    let tries = 0;
    machine.refuseToCreate = () => {
      tries++;
      return new Error("no uid left");
    };
    const pool = await opened(machine);
    expect(tries).to.equal(1);
    const error = await failureOf(pool.lease(job()));
    expect(error).to.be.instanceOf(PoolError).and.to.have.property("code", "cannot-create");
    await pause(100);
    expect(tries, "one try for the cell, one for the job").to.equal(2);
    machine.refuseToCreate = () => undefined;
    const lease = await pool.lease(job());
    expect(lease.start, "a job tries at once").to.equal("cold");
    await lease.release(true);
  });

  it("makes its cells by itself once the machine can again", async () => {
    const machine = new FakeMachine();
    machine.refuseToCreate = () => new Error("no uid left");
    const pool = await opened(machine);
    expect(states(pool)).to.deep.equal([]);
    machine.refuseToCreate = () => undefined;
    expect(await holdsWithin(60_000, () => states(pool).includes("clean"))).to.equal(true);
    expect(states(pool)).to.deep.equal(["clean"]);
  });

  it("refuses a job that could never fit, at once", async () => {
    const pool = await opened(new FakeMachine());
    const error = await failureOf(pool.lease(job({ memoryMB: 4096 })));
    expect(error).to.have.property("code", "too-large");
  });

  it("evicts idle containers of other kinds for a job that needs their memory", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { userMemoryMB: 512, stemCells: cell(2) });
    const lease = await pool.lease(job({ kind: "python:3", memoryMB: 512 }));
    expect(machine.living.map(({ kind }) => kind)).to.deep.equal(["python:3"]);
    await lease.release(true);
  });

  it("does not trade containers between kinds whose jobs are short, but lets nobody wait for long ones", async () => {
    const machine = new FakeMachine();
    // However long they take on a busy machine: by this clock they are short.
    const { nowMs } = machine.clock;
    const beginMs = nowMs();
    let areShort: boolean = true;
    machine.clock = { nowMs: () => (areShort ? beginMs : nowMs()) };
    const pool = await opened(machine, {
      userMemoryMB: 512,
      stemCells: [...cell(1), ...pythonCell],
      patienceMs: 100,
    });
    const short = Array.from({ length: 40 }, async (_, number) => {
      const lease = await pool.lease(job({ kind: number % 2 === 0 ? "nodejs:20" : "python:3" }));
      await pause(1);
      await lease.release(true);
    });
    await Promise.all(short);
    expect(machine.sandboxes.length).to.equal(2);
    areShort = false;
    const long = await pool.lease(job());
    const second = await pool.lease(job());
    expect(machine.sandboxes.length, "python's was evicted in the end").to.equal(3);
    await Promise.all([long.release(true), second.release(true)]);
  });

  it("keeps the ready containers of one kind for those who come for them, while others wait for another kind", async () => {
    const machine = new FakeMachine();
    // However long they wait on a busy machine: by this clock their patience lasts.
    const beginMs = machine.clock.nowMs();
    machine.clock = { nowMs: () => beginMs };
    const pool = await opened(machine, { stemCells: cell(2), patienceMs: 50 });
    // There is room for two, and all others wait for these.
    const release = machine.hold();
    const short = async (kind: string): Promise<string> => {
      const lease = await pool.lease(job({ kind }));
      await pause(1);
      await lease.release(true);
      return lease.start;
    };
    const python = Array.from({ length: 10 }, () => short("python:3"));
    const first = short("nodejs:20");
    expect([await first, machine.sandboxes.length], "before any of the other kind").to.deep.equal([
      "clean",
      2,
    ]);
    release();
    await Promise.all([...python, short("nodejs:20")]);
    await pool.settled();
    expect(machine.sandboxes.map(({ isDestroyed }) => isDestroyed)).to.not.include(true);
  });

  it("has places for what is ready and for what is made at a time, and says when that may have changed", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { stemCells: cell(2), parallelStarts: 3 });
    expect(pool.places).to.equal(5);
    const lease = await pool.lease(job());
    expect(pool.places).to.equal(4);
    const places: number[] = [];
    pool.events.on("changed", () => places.push(pool.places));
    await lease.release(true);
    expect(places).to.deep.equal([5]);
    await (await pool.lease(job({ concurrency: 4, rewind: "on-change" }))).release(true);
    const several = await pool.lease(job({ concurrency: 4, rewind: "on-change" }));
    expect(pool.places, "three may join").to.equal(7);
    await several.release(true);
  });

  it("gives up idle containers that nobody needed for long, but keeps its cells", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { idleMs: 60 });
    const leases = await Promise.all([pool.lease(job()), pool.lease(job()), pool.lease(job())]);
    for (const lease of leases) await lease.release(true);
    expect(await holdsWithin(60_000, () => machine.living.length < 2)).to.equal(true);
    // As long again as it took to give up the others.
    await pause(100);
    expect(machine.living.length).to.equal(1);
  });

  it("makes no more use of a lease that was released", async () => {
    const pool = await opened(new FakeMachine());
    const lease = await pool.lease(job());
    await Promise.all([lease.release(true), lease.release(true)]);
    expect(() => lease.run("{}", limits)).to.throw("released");
    expect(() => lease.collectLogs()).to.throw("released");
  });

  it("removes everything on closing: idle, running, rewinding and under way", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { userMemoryMB: 1024, stemCells: cell(2) });
    machine.behave = () => undefined;
    machine.createDelayMs = 20;
    const running = await pool.lease(job());
    const answer = running.run("{}", { ...limits, timeoutMs: 10_000 });
    const rewinding = await pool.lease(job());
    const released = rewinding.release(true);
    const underWay = failureOf(pool.lease(job({ kind: "python:3" })));
    await pool.close();
    expect((await answer).exchange.outcome).to.equal("stopped");
    await released;
    await running.release(true);
    expect(await underWay).to.have.property("code", "closed");
    expect(await failureOf(pool.lease(job()))).to.have.property("code", "closed");
    expect(machine.living).to.deep.equal([]);
    expect(machine.checkpoints.every((checkpoint) => checkpoint.isReleased)).to.equal(true);
    expect(pool.status().containers).to.deep.equal([]);
  });
});
