// How long a container serves, and who takes its place.

import { once } from "node:events";
import { expect } from "chai";
import { defaultInvokerSettings } from "../../../invoker/index.ts";
import { ageOf } from "../../../pool/ageing.ts";
import { Pool } from "../../../pool/pool.ts";
import { defaultPoolSettings, type Job, type PoolSettings, type StartKind } from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { usesBeforeRetirement: 1000, ageBeforeRetirementMs: 100_000 };
const ids = Array.from({ length: 50 }, (_, id) => id + 1);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("the age of a container", () => {
  const usedUp = (id: number, uses: number) => ageOf({ id, uses, bornMs: 0 }, 0, limits);
  const grownOld = (id: number, nowMs: number) => ageOf({ id, uses: 0, bornMs: 0 }, nowMs, limits);
  /** The first of `steps` numbers at which `test` holds. */
  const first = (steps: number, test: (step: number) => boolean): number =>
    Array.from({ length: steps }, (_, step) => step).find(test) ?? Number.NaN;

  it("is counted in uses and in time, whichever is sooner", () => {
    expect([usedUp(1, 0), usedUp(1, 899), usedUp(1, 1000)]).to.deep.equal(["young", "young", "worn"]);
    expect([grownOld(1, 89_900), grownOld(1, 100_000)]).to.deep.equal(["young", "worn"]);
    expect(ageOf({ id: 1, uses: 1000, bornMs: 0 }, 1, limits)).to.equal("worn");
  });

  it("comes to its end between nine tenths of the limits and the whole, after a time of notice", () => {
    for (const id of ids) {
      const due = first(1001, (uses) => usedUp(id, uses) !== "young");
      const worn = first(1001, (uses) => usedUp(id, uses) === "worn");
      expect(due, `container ${id}`).to.be.at.least(900);
      expect(worn - due, `container ${id}`).to.be.within(19, 21);
    }
  });

  it("is not the same for any two of fifty containers born together", () => {
    const ends = ids.map((id) => first(100_001, (nowMs) => grownOld(id, nowMs) === "worn"));
    const sorted = [...ends].sort((one, other) => one - other);
    const gaps = sorted.slice(1).map((end, i) => end - (sorted[i] ?? 0));
    // Evenly spread they would be 160 ms apart.
    expect(Math.min(...gaps)).to.be.above(50);
    for (const [i, end] of ends.slice(1).entries())
      expect(Math.abs(end - (ends[i] ?? 0)), "one after the other").to.be.above(2000);
  });

  it("ends a container at its first use where it may have one only, and never where there is no limit", () => {
    for (const id of ids) {
      const once = { usesBeforeRetirement: 1, ageBeforeRetirementMs: Number.POSITIVE_INFINITY };
      expect(ageOf({ id, uses: 0, bornMs: 0 }, 1e12, once)).to.equal("young");
      expect(ageOf({ id, uses: 1, bornMs: 0 }, 0, once)).to.equal("worn");
    }
  });
});

it("has the limits that settings.json names", () => {
  const { usesBeforeRetirement, ageBeforeRetirementMs } = defaultInvokerSettings().pool;
  expect({ ...defaultPoolSettings, usesBeforeRetirement, ageBeforeRetirementMs }).to.deep.equal(
    defaultPoolSettings,
  );
});

describe("an ageing pool", () => {
  const pools: Pool[] = [];
  const unlimited = Number.MAX_SAFE_INTEGER;

  async function opened(machine: FakeMachine, settings: Partial<PoolSettings>): Promise<Pool> {
    const pool = new Pool(machine, {
      ...defaultPoolSettings,
      userMemoryMB: 512,
      stemCells: [{ kind: "nodejs:20", count: 1, memoryMB: 256 }],
      ...{ usesBeforeRetirement: unlimited, ageBeforeRetirementMs: unlimited, ...settings },
    });
    pools.push(pool);
    await pool.settled();
    return pool;
  }
  const job = (fields: Partial<Job> = {}): Job => ({
    ...{ kind: "nodejs:20", memoryMB: 256, owner: "a" },
    ...fields,
  });
  /** Uses containers one after the other until `until`; how each came by its container. */
  async function useUntil(pool: Pool, until: () => boolean): Promise<StartKind[]> {
    const starts: StartKind[] = [];
    while (!until() && starts.length < 5000) {
      const lease = await pool.lease(job());
      starts.push(lease.start);
      await pause(1);
      await lease.release(true);
    }
    return starts;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("makes the successor while the old container serves on, and nobody waits for it", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { usesBeforeRetirement: 200 });
    machine.createDelayMs = 20;
    const order: string[] = [];
    pool.events.on("started", ({ container }) => order.push(`${container} ready`));
    pool.events.on("removed", ({ container, cause }) => order.push(`${container} ${cause}`));
    const starts = await useUntil(pool, () => order.length >= 4);
    expect(order).to.deep.equal([
      ...["sandbox-1 ready", "sandbox-0 retired", "sandbox-2 ready", "sandbox-1 retired"],
    ]);
    expect(starts).to.not.include("cold");
    expect(starts.length, "of two containers").to.be.above(360);
  });

  it("replaces idle containers too, one after the other, and never holds more memory than its own", async () => {
    const machine = new FakeMachine();
    const cells = [
      { kind: "nodejs:20", count: 2, memoryMB: 256 },
      { kind: "python:3", count: 1, memoryMB: 256 },
    ];
    let nowMs = 1e6;
    machine.clock = { nowMs: () => nowMs };
    const pool = await opened(machine, { userMemoryMB: 1024, stemCells: cells, ageBeforeRetirementMs: 2000 });
    const born = machine.sandboxes.map(({ id }) => id);
    let fewest = 3;
    let most = 0;
    const watch = (): void => {
      fewest = Math.min(fewest, pool.status().containers.filter(({ state }) => state === "clean").length);
      most = Math.max(most, pool.status().reservedMB);
    };
    pool.events.on("started", watch);
    pool.events.on("removed", watch);
    nowMs += 1700;
    // No container ages while another one is made.
    for (const endMs = nowMs + 300; nowMs < endMs; nowMs += 10) {
      await once(pool.events, "changed");
      await pool.settled();
    }
    expect(machine.living.filter(({ id }) => born.includes(id))).to.deep.equal([]);
    expect(fewest, "clean at any time").to.equal(3);
    expect(most).to.be.at.most(1024);
  });

  it("replaces an idle container in its place where there is no room for two", async () => {
    const machine = new FakeMachine();
    let nowMs = 1e6;
    machine.clock = { nowMs: () => nowMs };
    const pool = await opened(machine, { userMemoryMB: 256, ageBeforeRetirementMs: 300 });
    const causes: string[] = [];
    pool.events.on("removed", ({ cause }) => causes.push(cause));
    nowMs += 300;
    expect(await holdsWithin(60_000, () => machine.sandboxes.length === 2)).to.equal(true);
    await pool.settled();
    expect(causes).to.deep.equal(["retired"]);
    expect(pool.status().containers.map(({ state }) => state)).to.deep.equal(["clean"]);
  });

  it("does not take a container from the job that uses it, but gives it to no other", async () => {
    const machine = new FakeMachine();
    let nowMs = 1e6;
    machine.clock = { nowMs: () => nowMs };
    const pool = await opened(machine, { userMemoryMB: 256, ageBeforeRetirementMs: 200 });
    const lease = await pool.lease(job());
    nowMs += 250;
    await once(pool.events, "changed");
    expect(machine.sandboxes.length).to.equal(1);
    const next = pool.lease(job({ owner: "b" }));
    await lease.release(true);
    expect((await next).containerId).to.not.equal(lease.containerId);
    await (await next).release(true);
  });

  it("ends the live state that one owner keeps in a container for too long", async () => {
    const machine = new FakeMachine();
    const pool = await opened(machine, { rewind: "on-change", usesBeforeRetirement: 100 });
    const starts = await useUntil(pool, () => machine.sandboxes.length === 3);
    expect(starts.filter((start) => start === "clean").length, "first uses").to.be.within(2, 3);
    expect(starts.length).to.be.within(180, 250);
  });

  it("keeps the old container for all its time where its successor cannot be made, and no longer", async () => {
    const machine = new FakeMachine();
    // No time goes by in which another successor could be tried.
    const beginMs = machine.clock.nowMs();
    machine.clock = { nowMs: () => beginMs };
    const pool = await opened(machine, { usesBeforeRetirement: 400 });
    machine.refuseToCreate = () => new Error("no uid left");
    const failures: number[] = [];
    pool.events.on("startFailed", ({ failuresInARow }) => failures.push(failuresInARow));
    const removed: string[] = [];
    pool.events.on("removed", ({ cause }) => removed.push(cause));
    let uses = 0;
    pool.events.on("leased", () => uses++);
    const failure = await useUntil(pool, () => false).catch((error: unknown) => error);
    expect(failure).to.have.property("code", "cannot-create");
    expect(removed.slice(0, 2)).to.deep.equal(["start-failed", "retired"]);
    expect(failures[0]).to.equal(1);
    expect(uses, "it has served all its time").to.be.within(368, 400);
  });
});
