// What jobs do where user ids or addresses of containers run out before the memory does.

import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { LeanLimit } from "../../../pool/lean-limit.ts";
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

const most = 3;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 128, owner: "a", ...fields });
const python = job({ kind: "python:3", owner: "p" });

describe("a pool with memory for more containers than there can be", () => {
  let machine: FakeMachine;
  let pool: Pool;
  let tries: number;
  let putOff: string[];
  let refused: number;

  function open(settings: Partial<PoolSettings> = {}, holders = most): void {
    machine.refuseToCreate = () => {
      tries++;
      return machine.living.length < holders ? undefined : new LeanError("no-uid", "all are in use");
    };
    pool = new Pool(machine, { ...defaultPoolSettings, userMemoryMB: 2048, ...settings });
    pool.events.on("startPutOff", ({ error }) => putOff.push(error.code));
    pool.events.on("startFailed", () => refused++);
  }

  beforeEach(() => {
    machine = new FakeMachine();
    [tries, putOff, refused] = [0, [], 0];
  });
  afterEach(() => pool.close());

  const leases = (count: number, wanted: Job = job()): Promise<Lease>[] =>
    Array.from({ length: count }, () => pool.lease(wanted));

  it("has the others wait, and gives them what is released in the order of their arrival", async () => {
    open();
    const given: number[] = [];
    const all = leases(2 * most).map(async (lease, number) => {
      const granted = await lease;
      given.push(number);
      await pause(5);
      await granted.release(true);
    });
    await Promise.all(all);
    expect(given).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(machine.sandboxes).to.have.length(most);
    expect([tries, putOff.length, refused]).to.deep.equal([2 * most, most, 0]);
  });

  it("evicts the idle one of another kind that was used longest ago, and no more", async () => {
    open();
    const [first, ...others] = await Promise.all(leases(most));
    if (first === undefined) throw new Error("no lease");
    await first.release(true);
    await pause(5);
    for (const lease of others) await lease.release(true);
    const lease = await pool.lease(python);
    await pool.settled();
    const left = [...others, lease].map(({ containerId }) => containerId);
    expect(machine.living.map(({ id }) => id)).to.have.members(left);
    await lease.release(true);
  });

  it("has a job of another kind wait while all are in use, and nobody who comes later pass it", async () => {
    open();
    const running = await Promise.all(leases(most));
    const given: string[] = [];
    const waiting = [python, job({ owner: "b" })].map(async (wanted) => {
      const lease = await pool.lease(wanted);
      given.push(wanted.kind);
      await lease.release(true);
    });
    await pause(20);
    expect([given, pool.status().waiting, tries]).to.deep.equal([[], 2, most + 2]);
    await running[0]?.release(true);
    await waiting[0];
    expect(given[0]).to.equal("python:3");
    for (const lease of running) await lease.release(true);
    await Promise.all(waiting);
  });

  it("refuses all in the end where there can be none, without trying for ever", async () => {
    open({}, 0);
    const ends = await Promise.allSettled(leases(most));
    for (const end of ends) {
      const why: unknown = end.status === "rejected" ? end.reason : undefined;
      expect(why).to.be.instanceOf(PoolError).with.property("code", "cannot-create");
      expect((why as PoolError).message).to.contain("all are in use");
    }
    await pause(50);
    expect([tries <= most * most, refused]).to.deep.equal([true, most]);
  });

  it("refuses who waits for one that goes where there can be none any more", async () => {
    open({}, 1);
    const running = await pool.lease(job());
    const waiting = pool.lease(python).catch((error: unknown) => error);
    await pause(20);
    machine.refuseToCreate = () => new LeanError("no-address", "others have them");
    await running.release(false);
    expect(await waiting)
      .to.be.instanceOf(PoolError)
      .with.property("code", "cannot-create");
  });

  it("makes as many ahead as there can be, and tries no more before one has gone", async () => {
    open({ stemCells: [{ kind: "nodejs:20", count: 2 * most, memoryMB: 128 }] });
    expect(await holdsWithin(10_000, () => machine.living.length === most)).to.equal(true);
    await pool.settled();
    const before = tries;
    const lease = await pool.lease(job());
    await lease.release(true);
    await pause(50);
    expect([tries, refused]).to.deep.equal([before, 0]);
    const other = await pool.lease(python);
    await other.release(true);
    await pool.settled();
    expect(machine.living.map(({ kind }) => kind)).to.have.members(["nodejs:20", "nodejs:20", "python:3"]);
  });
});

describe("how many lean containers there can be", () => {
  it("is known for ten seconds from the last start that failed, and then tried again", () => {
    let rings: (() => void)[] = [];
    let forgotten = 0;
    const alarm = (afterMs: number, ring: () => void): (() => void) => {
      expect(afterMs).to.equal(10_000);
      rings.push(ring);
      return () => {
        rings = rings.filter((one) => one !== ring);
      };
    };
    const limit = new LeanLimit(() => forgotten++, alarm);
    expect(limit.most).to.equal(Number.POSITIVE_INFINITY);
    expect([limit.found(3), limit.found(2), limit.most, rings.length]).to.deep.equal([true, true, 2, 1]);
    rings[0]?.();
    expect([limit.most, forgotten]).to.deep.equal([Number.POSITIVE_INFINITY, 1]);
    expect([limit.found(0), limit.most]).to.deep.equal([false, Number.POSITIVE_INFINITY]);
  });
});
