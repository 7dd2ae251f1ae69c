// Action checkpoints that other containers are brought to: who is, what forbids it, what becomes of an activation where it fails.

import { expect } from "chai";
import type { SharedLevel } from "../../../pool/machine.ts";
import { Pool } from "../../../pool/pool.ts";
import { SharedLevels } from "../../../pool/shared-levels.ts";
import {
  defaultPoolSettings,
  type InitFrame,
  type Job,
  type Lease,
  type PoolSettings,
} from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const frame: InitFrame = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 256, owner: "a", ...fields });
const pageMB = 1 / 256;

class FakeLevel implements SharedLevel {
  readonly summary = { threads: 2, pages: 10 };
  releases = 0;
  release(): void {
    this.releases++;
  }
}

describe("shared levels", () => {
  it("are there as long as a container is at one, and one for each owner", () => {
    const levels = new SharedLevels(3);
    const [first, second] = [new FakeLevel(), new FakeLevel()];
    levels.offer("a", 1, first, 50);
    levels.offer("a", 2, second, 50);
    expect([levels.of("a")?.level, levels.of("b"), second.releases]).to.deep.equal([first, undefined, 1]);
    levels.joined("a", 3, first);
    levels.left(1);
    levels.left(2);
    expect(levels.of("a")).to.include({ level: first, initMs: 50 });
    levels.left(3);
    levels.left(3);
    expect([levels.of("a"), first.releases]).to.deep.equal([undefined, 1]);
  });

  it("are looked at by the oracle when the first is brought, and then at one in so many", () => {
    const levels = new SharedLevels(3);
    levels.offer("a", 1, new FakeLevel(), 50);
    const verified = Array.from({ length: 4 }, () => levels.bringing("a", 0)?.verify);
    expect(verified).to.deep.equal([true, false, false, true]);
  });

  it("are not taken for another of the same owner's that has come meanwhile", () => {
    const levels = new SharedLevels(3);
    const [first, second] = [new FakeLevel(), new FakeLevel()];
    levels.offer("a", 1, first, 50);
    const bringing = levels.bringing("a", 0);
    levels.left(1);
    levels.offer("a", 2, second, 50);
    levels.joined("a", 3, first);
    levels.drop("a", first);
    levels.left(3);
    expect([bringing?.level, first.releases, second.releases]).to.deep.equal([first, 1, 0]);
    expect(levels.of("a")?.level).to.equal(second);
    expect(levels.bringing("a", 0)?.verify).to.equal(true);
  });

  it("hold back their own owner where they took longer than the init, for longer each time, until one did not", () => {
    const levels = new SharedLevels(Number.MAX_SAFE_INTEGER);
    for (const owner of ["a", "b"]) {
      levels.offer(owner, 1, new FakeLevel(), 50);
      levels.bringing(owner, 0);
    }
    let nowMs = 0;
    const heldBackMs = (tookMs: number): number => {
      const bringing = levels.bringing("a", nowMs);
      if (bringing === undefined) throw new Error("held back already");
      levels.measured("a", bringing, tookMs, nowMs);
      const sinceMs = nowMs;
      while (levels.bringing("a", nowMs) === undefined) nowMs += 100;
      return nowMs - sinceMs;
    };
    expect([51, 51, 51, 50, 51].map(heldBackMs)).to.deep.equal([200, 400, 800, 0, 200]);
    const longestMs = Math.max(...Array.from({ length: 20 }, () => heldBackMs(51)));
    expect(longestMs).to.equal(30_000);
    expect(levels.bringing("b", 0)).to.not.equal(undefined);
  });

  it("are not judged by how long it took where the oracle looked", () => {
    const levels = new SharedLevels(3);
    levels.offer("a", 1, new FakeLevel(), 50);
    const bringing = levels.bringing("a", 0);
    if (bringing !== undefined) levels.measured("a", bringing, 1000, 0);
    expect([bringing?.verify, levels.bringing("a", 0)?.verify]).to.deep.equal([true, false]);
  });

  it("are released at the end, and where they are dropped", () => {
    const levels = new SharedLevels(3);
    const [first, second] = [new FakeLevel(), new FakeLevel()];
    levels.offer("a", 1, first, 50);
    levels.drop("a");
    levels.left(1);
    levels.offer("b", 2, second, 50);
    levels.clear();
    expect([first.releases, second.releases, levels.of("b")]).to.deep.equal([1, 1, undefined]);
  });
});

describe("a container whose owner has an action checkpoint in another one that is in use", () => {
  const pools: Pool[] = [];

  async function opened(settings: Partial<PoolSettings> = {}): Promise<{ pool: Pool; machine: FakeMachine }> {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true,"level":true}');
    const stemCells = [{ kind: "nodejs:20", count: 2, memoryMB: 256 }];
    const levels = { levelMemoryMB: 64, levelInitMs: 0, sharesLevels: true };
    const own = { ...defaultPoolSettings, userMemoryMB: 1024, stemCells, ...levels, ...settings };
    const pool = new Pool(machine, own);
    pools.push(pool);
    await pool.settled();
    return { pool, machine };
  }

  /** An init takes 30 ms, and all else none, but by what is given. */
  function clocked(machine: FakeMachine): (passingMs: number) => void {
    let nowMs = machine.clock.nowMs();
    machine.clock = { nowMs: () => nowMs };
    machine.behave = (request, runtime) => {
      if (request.type === 1) nowMs += 30;
      runtime.answer(request, 200, '{"ok":true,"level":true}');
    };
    return (passingMs) => {
      nowMs += passingMs;
    };
  }

  /** Holds a container at its checkpoint, in use. */
  async function hold(pool: Pool): Promise<Lease> {
    const lease = await pool.lease(job());
    await lease.init(frame, limits);
    return lease;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("is brought there, has no init, and comes back to it", async () => {
    const { pool, machine } = await opened();
    const first = await hold(pool);
    const second = await pool.lease(job());
    expect([second.start, second.place, second.initialised]).to.deep.equal(["warm", "brought", true]);
    expect((await second.run("{}", limits)).exchange.outcome).to.equal("answer");
    await second.release(true);
    await first.release(true);
    const levels = pool.status().containers.map(({ state, levelBytes }) => [state, levelBytes]);
    expect(levels).to.deep.equal([
      ["warm", 10 * 4096],
      ["warm", 10 * 4096],
    ]);
    expect(machine.checkpoints.flatMap(({ brought }) => brought)).to.have.lengthOf(1);
    expect((await pool.lease(job())).place).to.equal("level");
  });

  it("is looked at by the oracle on its way if it is the first, else when it first comes back", async () => {
    const stemCells = [{ kind: "nodejs:20", count: 3, memoryMB: 256 }];
    const { pool, machine } = await opened({ stemCells, verifyFirst: 0, verifyOneIn: 1000 });
    clocked(machine);
    const leases = [await hold(pool), await pool.lease(job()), await pool.lease(job())];
    expect(leases.map(({ place }) => place)).to.deep.equal(["clean", "brought", "brought"]);
    for (const lease of leases) {
      await lease.run("{}", limits);
      await lease.release(true);
    }
    expect(machine.checkpoints.map(({ verified }) => verified)).to.have.deep.members([
      [true, true],
      [true, true, false],
      [true, false, true],
    ]);
  });

  const placeOfSecond = async (
    { pool }: { readonly pool: Pool },
    fields: Partial<Job> = {},
  ): Promise<string> => {
    const first = await hold(pool);
    const second = await pool.lease(job(fields));
    await first.release(true);
    await second.release(true);
    return second.place;
  };

  it("is the last where one that was brought cannot come back", async () => {
    const { pool, machine } = await opened({ stemCells: [{ kind: "nodejs:20", count: 3, memoryMB: 256 }] });
    clocked(machine);
    const leases = [await hold(pool), await pool.lease(job())];
    const brought = machine.checkpoints.find((checkpoint) => checkpoint.brought.length > 0);
    if (brought !== undefined)
      brought.behave = () => Promise.reject(new RestorerError("verify-difference", "a byte", false));
    await leases[1]?.release(true);
    const next = await pool.lease(job());
    expect([leases[1]?.place, next.place]).to.deep.equal(["brought", "clean"]);
    for (const lease of [leases[0], next]) await lease?.release(true);
  });

  it("is given as it is where none are shared, to another owner, and for what is never come back to", async () => {
    expect(await placeOfSecond(await opened({ sharesLevels: false }))).to.equal("clean");
    expect(await placeOfSecond(await opened(), { owner: "b" })).to.equal("clean");
    expect(await placeOfSecond(await opened(), { rewind: "on-change" })).to.equal("clean");
    expect(await placeOfSecond(await opened(), { hasOwnInit: true })).to.equal("clean");
    expect(await placeOfSecond(await opened(), { concurrency: 2 })).to.equal("clean");
  });

  it("is given as it is where to be brought there took longer than the init", async () => {
    for (const [bringMs, place] of [
      [50, "clean"],
      [20, "brought"],
    ] as const) {
      const { pool, machine } = await opened({ stemCells: [{ kind: "nodejs:20", count: 4, memoryMB: 256 }] });
      const pass = clocked(machine);
      for (const checkpoint of machine.checkpoints) checkpoint.bringing = async () => pass(bringMs);
      const leases = [await hold(pool)];
      // Of the first the oracle has a part.
      for (let i = 0; i < 3; i++) leases.push(await pool.lease(job()));
      expect(leases.map((lease) => lease.place)).to.deep.equal(["clean", "brought", "brought", place]);
      for (const lease of leases) await lease.release(true);
    }
  });

  it("is brought there again some time after that took longer than the init", async () => {
    const { pool, machine } = await opened({ verifyOneIn: Number.MAX_SAFE_INTEGER });
    const pass = clocked(machine);
    let bringMs = 1;
    for (const checkpoint of machine.checkpoints) checkpoint.bringing = async () => pass(bringMs);
    const first = await hold(pool);
    const placeOf = async (owner: string): Promise<string> => {
      const lease = await pool.lease(job({ owner }));
      if (!lease.initialised) await lease.init(frame, limits);
      await lease.release(true);
      await pool.settled();
      return lease.place;
    };
    const places: string[] = [];
    for (const takesMs of [1, 1000, 1, 1]) {
      bringMs = takesMs;
      // The only container beside the first is another owner's then.
      await placeOf("b");
      places.push(await placeOf("a"));
      if (places.length === 3) pass(1000);
    }
    expect(places).to.deep.equal(["brought", "brought", "rewound", "brought"]);
    await first.release(true);
  });

  it("is given as it is where there is no room for another one", async () => {
    expect(await placeOfSecond(await opened({ levelMemoryMB: 15 * pageMB }))).to.equal("clean");
  });

  it("is given as it is where the base is another, and the next one is not tried", async () => {
    const { pool, machine } = await opened({ stemCells: [{ kind: "nodejs:20", count: 3, memoryMB: 256 }] });
    for (const checkpoint of machine.checkpoints)
      checkpoint.bringing = () => Promise.reject(new RestorerError("unsupported", "another base", true));
    const first = await hold(pool);
    const [second, third] = [await pool.lease(job()), await pool.lease(job())];
    expect([second.place, second.initialised, third.place]).to.deep.equal(["clean", false, "clean"]);
    expect(machine.checkpoints.flatMap(({ brought }) => brought)).to.have.lengthOf(1);
    expect((await second.init(frame, limits)).exchange.outcome).to.equal("answer");
    for (const lease of [first, second, third]) await lease.release(true);
    expect(machine.living).to.have.lengthOf(3);
  });

  it("is replaced where it does not get there, and the job has another one, with an init", async () => {
    const { pool, machine } = await opened({ stemCells: [{ kind: "nodejs:20", count: 3, memoryMB: 256 }] });
    const reasons: string[] = [];
    pool.events.on("tainted", ({ reason }) => reasons.push(reason));
    for (const checkpoint of machine.checkpoints)
      checkpoint.bringing = () => Promise.reject(new RestorerError("verify-difference", "a byte", false));
    const first = await hold(pool);
    const second = await pool.lease(job());
    expect([second.place, second.initialised, reasons]).to.deep.equal([
      "clean",
      false,
      ["verify-difference"],
    ]);
    await first.release(true);
    await second.release(true);
  });

  it("is given to nobody where the pool closes on its way", async () => {
    const { pool, machine } = await opened();
    const first = await hold(pool);
    let arrive = (): void => undefined;
    for (const checkpoint of machine.checkpoints)
      checkpoint.bringing = () =>
        new Promise((resolve) => {
          arrive = resolve;
        });
    const second = pool.lease(job()).then(
      () => "leased",
      (error: { readonly code: string }) => error.code,
    );
    const closed = pool.close();
    arrive();
    expect(await second).to.equal("closed");
    await first.release(true);
    await closed;
    expect(machine.living).to.have.lengthOf(0);
  });

  it("holds the level no longer than a container is at it", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 512 });
    const first = await hold(pool);
    const second = await pool.lease(job());
    await first.release(true);
    await second.release(true);
    const [shared] = machine.checkpoints.flatMap(({ shared }) => shared);
    expect(shared?.isReleased).to.equal(false);
    const others = [await pool.lease(job({ owner: "b" })), await pool.lease(job({ owner: "c" }))];
    expect(shared?.isReleased).to.equal(true);
    for (const lease of others) await lease.release(true);
  });
});
