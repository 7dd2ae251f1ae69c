// A pool whose containers are booted: who is started nevertheless, who waits for that, and what becomes of boots that fail.

import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import type { BootFailure } from "../../../pool/makings.ts";
import { Pool } from "../../../pool/pool.ts";
import { defaultPoolSettings, type Job, type PoolSettings } from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { FakeMachine } from "./fake-machine.ts";

const age = 20_000;
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 256, owner: "a", ...fields });
const cell = (count: number, kind = "nodejs:20") => ({ kind, count, memoryMB: 256 });

describe("a pool that boots", () => {
  const pools: Pool[] = [];
  let machine: FakeMachine;
  let nowMs: number;
  let failures: BootFailure[];

  beforeEach(() => {
    nowMs = 1e6;
    failures = [];
    machine = new FakeMachine({ boots: age });
    machine.clock = { nowMs: () => nowMs };
  });

  async function opened(settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const usual = { ...defaultPoolSettings, userMemoryMB: 2048, stemCells: [cell(4)] };
    const pool = new Pool(machine, { ...usual, ageBeforeRetirementMs: age, ...settings });
    pools.push(pool);
    pool.events.on("bootFailed", (failure) => failures.push(failure));
    await pool.settled();
    return pool;
  }
  const started = (): string[] =>
    machine.sandboxes.map(({ id }) => id).filter((id) => !machine.booted.includes(id));

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
    expect(machine.checkpoints.reduce((kept, { templates }) => kept + templates, 0)).to.equal(0);
  });

  it("starts one interpreter of each kind, and boots all others from it", async () => {
    const told: [string, boolean][] = [];
    const opening = opened({ stemCells: [cell(3), cell(2, "python:3")] });
    pools[0]?.events.on("started", ({ kind, isBooted }) => told.push([kind, isBooted]));
    const pool = await opening;
    expect(started()).to.have.lengthOf(2);
    expect(machine.booted).to.have.lengthOf(3);
    expect(told.filter(([, isBooted]) => !isBooted).map(([kind]) => kind)).to.have.members([
      ...["nodejs:20", "python:3"],
    ]);
    expect(pool.status().containers.filter(({ isBooted }) => isBooted)).to.have.lengthOf(3);
  });

  it("starts one interpreter for a burst of jobs, who get booted containers besides", async () => {
    const pool = await opened({ stemCells: [] });
    machine.boot = async () => void nowMs++;
    const leases = await Promise.all(
      Array.from({ length: 6 }, (_, i) => pool.lease(job({ owner: String(i) }))),
    );
    expect(started()).to.have.lengthOf(1);
    expect(new Set(leases.map(({ containerId }) => containerId)).size).to.equal(6);
    expect(leases.filter(({ place }) => place === "booted")).to.have.lengthOf(5);
    for (const lease of leases) await lease.release(true);
  });

  it("replaces by a boot what is not known to be clean, however many at once", async () => {
    const pool = await opened({ stemCells: [cell(8)] });
    const before = machine.sandboxes.length;
    nowMs++;
    for (const sandbox of machine.living) sandbox.die();
    await once(pool.events, "removed");
    await pool.settled();
    const replacing = machine.sandboxes.slice(before).map(({ id }) => id);
    expect(replacing).to.have.lengthOf(8);
    expect(machine.booted).to.include.members(replacing);
  });

  it("proves a booted container by a rewind under the oracle before anybody gets it", async () => {
    await opened();
    for (const { led, verified } of machine.checkpoints)
      expect([led, verified]).to.deep.equal([["base"], [true]]);
  });

  for (const [staysStopped, before] of [
    [true, [true]],
    [false, [true, true]],
  ] as const)
    it(`has what was booted ahead proved ahead, and ${staysStopped ? "let go on" : "put back once more, for it has run,"} for whoever gets it`, async () => {
      machine.isAhead = true;
      machine.staysStopped = staysStopped;
      const pool = await opened();
      const expectBooted = (...expected: readonly boolean[]): void => {
        for (const { verified } of machine.checkpoints.slice(1)) expect(verified).to.deep.equal(expected);
      };
      expectBooted(...before);
      const leases = await Promise.all(Array.from({ length: 4 }, () => pool.lease(job())));
      for (const lease of leases) await lease.release(true);
      expectBooted(...before, true);
    });

  it("makes the next template before the last is too old, in place of one container, while bursts are booted", async () => {
    const pool = await opened();
    nowMs += age / 5 + 1;
    const release = machine.hold();
    pool.events.emit("changed");
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.lease(job())));
    const more = Array.from({ length: 2 }, () => pool.lease(job()));
    for (const lease of leases) await lease.release(true);
    for (const lease of more) await (await lease).release(true);
    release();
    await pool.settled();
    expect(started(), "the first and the next template's").to.have.lengthOf(2);
    expect(pool.status().containers.filter(({ isBooted }) => isBooted !== true)).to.have.lengthOf(1);
    nowMs += age / 5;
    for (const sandbox of machine.living) sandbox.die();
    await once(pool.events, "removed");
    await pool.settled();
    expect(started(), "booted from the next one").to.have.lengthOf(2);
  });

  it("boots what it has begun to make from a template that is given up meanwhile", async () => {
    const pool = await opened();
    const release = machine.hold();
    nowMs++;
    machine.living[0]?.die();
    await once(pool.events, "removed");
    nowMs += age / 4 + 1;
    machine.templates?.sweep();
    const before = machine.booted.length;
    release();
    await pool.settled();
    expect([machine.booted.length, failures]).to.deep.equal([before + 1, []]);
  });

  it("starts one, and lets the others wait for it, where the last template has become too old", async () => {
    const pool = await opened({ userMemoryMB: 1024 });
    nowMs += age / 4 + 1;
    for (const sandbox of machine.living) sandbox.die();
    await once(pool.events, "removed");
    await pool.settled();
    expect([started().length, machine.living.length]).to.deep.equal([2, 4]);
  });

  it("starts what cannot be booted, tells why, and goes on so", async () => {
    machine.boot = () => Promise.reject(new RestorerError("unsupported", "a socket of its own", false));
    const pool = await opened();
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(Array(4).fill("clean"));
    expect(machine.booted).to.deep.equal([]);
    expect(new Set(failures.map(({ kind, reason }) => `${kind} ${reason}`))).to.deep.equal(
      new Set(["nodejs:20 unsupported"]),
    );
    const before = failures.length;
    machine.living[0]?.die();
    await once(pool.events, "removed");
    await pool.settled();
    expect(failures).to.have.lengthOf(before);
  });

  it("gives nobody what was booted wrongly: it is removed, and one is started in its place", async () => {
    machine.boot = async (checkpoint) => {
      checkpoint.behave = () => Promise.reject(new RestorerError("verify-difference", "a byte", false));
    };
    const pool = await opened({ stemCells: [cell(2)] });
    expect(failures.map(({ reason }) => reason)).to.deep.equal(["verify-difference"]);
    expect(machine.living.map(({ id }) => id)).to.deep.equal(started());
    expect(pool.status().containers.map(({ state, isBooted }) => [state, isBooted])).to.deep.equal([
      ["clean", undefined],
      ["clean", undefined],
    ]);
  });

  it("starts one in place of what has ended once it was booted, and boots the others", async () => {
    const ends = [new LeanError("start", "the runtime ended at once")];
    machine.endedOnceBooted = () => ends.pop();
    const pool = await opened();
    expect(failures.map(({ reason }) => reason)).to.deep.equal(["process-gone"]);
    expect(machine.checkpoints.filter(({ isReleased }) => isReleased)).to.have.lengthOf(1);
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(Array(4).fill("clean"));
    expect([started().length, machine.booted.length]).to.deep.equal([2, 2]);
  });

  it("boots others where one that was killed has failed in its proof, whatever that found", async () => {
    const fails = [new LeanError("survivor", "a process that has ended is not reaped")];
    machine.boot = async (checkpoint) => {
      const failure = fails.pop();
      if (failure === undefined) return;
      checkpoint.behave = async () => {
        const proved = machine.sandboxes.find(({ id }) => id === machine.booted[0]);
        proved?.die();
        await proved?.exited;
        await nextTurn();
        throw failure;
      };
    };
    const pool = await opened();
    expect(failures.map(({ reason }) => reason)).to.deep.equal(["process-gone"]);
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(Array(4).fill("clean"));
    expect([started().length, machine.booted.length]).to.deep.equal([2, 3]);
  });

  it("starts one in place of what hangs while it is booted", async () => {
    machine = new FakeMachine({ boots: age, bootTimeoutMs: 1 });
    machine.clock = { nowMs: () => nowMs };
    machine.boot = () => new Promise(() => undefined);
    const pool = await opened({ stemCells: [cell(2)] });
    expect(failures.map(({ reason }) => reason)).to.deep.equal(["freeze-timeout"]);
    expect(machine.living.map(({ id }) => id)).to.deep.equal(started());
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(["clean", "clean"]);
  });

  it("takes templates from no container that a job has used, whatever that left there", async () => {
    machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true,"level":true}');
    const pool = await opened({ stemCells: [cell(1)], levelMemoryMB: 64, levelInitMs: 0 });
    const limits = { timeoutMs: 10_000, maxBodyBytes: 1e6, keptBodyBytes: 1e6 };
    const lease = await pool.lease(job());
    await lease.init({ name: "a", main: "main", binary: false, env: {}, code: undefined }, limits);
    await lease.release(true);
    const [used] = machine.checkpoints;
    expect(used?.level).to.not.equal(undefined);
    nowMs += age / 5 + 1;
    await (await pool.lease(job())).release(true);
    await pool.settled();
    expect(machine.checkpoints.map(({ templates }) => templates)).to.deep.equal([0, 1]);
    expect(machine.booted).to.deep.equal([]);
  });
});
