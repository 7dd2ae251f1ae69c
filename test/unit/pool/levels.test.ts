// Action checkpoints in the pool: who comes back to one, what forbids it, and whose is given up.

import { expect } from "chai";
import { type LevelOutcome, type LevelRefusal, levelsToGiveUp } from "../../../pool/levels.ts";
import { Pool } from "../../../pool/pool.ts";
import type { Placed } from "../../../pool/seats.ts";
import {
  defaultPoolSettings,
  type InitFrame,
  type Job,
  type Lease,
  type PoolSettings,
} from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const frame: InitFrame = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 256, owner: "a", ...fields });
const pageMB = 1 / 256;

describe("an action checkpoint", () => {
  const pools: Pool[] = [];

  async function opened(
    settings: Partial<PoolSettings> = {},
    machine = new FakeMachine(),
  ): Promise<{ pool: Pool; machine: FakeMachine; outcomes: LevelOutcome[] }> {
    machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true,"level":true}');
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const levels = { levelMemoryMB: 64, levelInitMs: 0 };
    const own = { ...defaultPoolSettings, userMemoryMB: 1024, stemCells, ...levels, ...settings };
    const pool = new Pool(machine, own);
    const outcomes: LevelOutcome[] = [];
    pool.events.on("level", ({ outcome }) => outcomes.push(outcome));
    pools.push(pool);
    await pool.settled();
    return { pool, machine, outcomes };
  }

  async function use(pool: Pool, fields: Partial<Job> = {}): Promise<Lease> {
    const lease = await pool.lease(job(fields));
    if (!lease.initialised) await lease.init(frame, limits);
    await lease.run("{}", limits);
    await lease.release(true);
    return lease;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("is what the same owner's next job finds, without an init", async () => {
    const { pool, machine, outcomes } = await opened();
    expect((await use(pool)).start).to.equal("clean");
    expect(pool.status().containers).to.have.lengthOf(1);
    expect(pool.status().containers[0]).to.include({ state: "warm", owner: "a", levelBytes: 10 * 4096 });
    const second = await use(pool);
    expect([second.start, second.place, second.initialised]).to.deep.equal(["warm", "level", true]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "level", "level"]);
    expect(outcomes.map((outcome) => Object.keys(outcome))).to.deep.equal([["taken"]]);
  });

  it("is taken while nobody can be born in the container, who could change its memory unseen", async () => {
    const { pool, machine } = await opened();
    const [sandbox] = machine.sandboxes;
    const [checkpoint] = machine.checkpoints;
    if (sandbox === undefined || checkpoint === undefined) throw new Error("no container");
    const [isAlone, takeLevel] = [sandbox.isAlone.bind(sandbox), checkpoint.takeLevel.bind(checkpoint)];
    const seen: boolean[] = [];
    sandbox.isAlone = () => {
      seen.push(sandbox.forbidsBirths);
      return isAlone();
    };
    checkpoint.takeLevel = (options) => {
      seen.push(sandbox.forbidsBirths);
      return takeLevel(options);
    };
    await use(pool);
    expect(seen).to.deep.equal([true, true, true]);
    expect(sandbox.forbidsBirths).to.equal(false);
  });

  it("ends where another owner's job needs the container, which is put back to its base before", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 256 });
    await use(pool);
    const other = await use(pool, { owner: "b" });
    expect([other.start, other.initialised]).to.deep.equal(["rewound", false]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "level", "base", "level"]);
    expect(machine.sandboxes).to.have.lengthOf(1);
  });

  it("keeps the memory of its jobs, which is reserved, as long as it is there", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 512 });
    const memory = (): number[] => [pool.status().reservedMB, machine.sandboxes[0]?.memoryMB ?? 0];
    await use(pool, { memoryMB: 512 });
    expect([pool.status().containers[0]?.state, ...memory()]).to.deep.equal(["warm", 512, 512]);
    expect((await use(pool, { memoryMB: 512 })).place).to.equal("level");
    expect(memory()).to.deep.equal([512, 512]);
    // It is put back for another owner's job, whose container is to be as small as it was ordered again.
    const other = await use(pool, { owner: "b" });
    expect([other.place, ...memory()]).to.deep.equal(["rewound", 256, 256]);
    expect(machine.sandboxes).to.have.lengthOf(1);
  });

  it("is passed over where another owner's job waits already", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 256 });
    const first = await pool.lease(job());
    await first.init(frame, limits);
    const waiting = pool.lease(job({ owner: "b" }));
    await first.release(true);
    await (await waiting).release(true);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "base", "base"]);
  });

  it("is not asked of the runtime where none are wanted, nor of what is shared, kept alive or initialised anew each time", async () => {
    const asks = async (settings: Partial<PoolSettings>, fields: Partial<Job>): Promise<boolean> => {
      const { pool, machine, outcomes } = await opened(settings);
      await use(pool, fields);
      expect(outcomes).to.have.lengthOf(machine.checkpoints[0]?.level === undefined ? 0 : 1);
      const init = machine.sandboxes[0]?.runtime.requests[0]?.payload.toString() ?? "";
      return init.includes('"level":true');
    };
    expect(await asks({}, {})).to.equal(true);
    expect(await asks({ levelMemoryMB: 0 }, {})).to.equal(false);
    expect(await asks({}, { concurrency: 2 })).to.equal(false);
    expect(await asks({}, { rewind: "on-change" })).to.equal(false);
    expect(await asks({}, { hasOwnInit: true })).to.equal(false);
  });

  it("is not begun at by a job with an init of its own, nor come back to for one that waits", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 256 });
    await use(pool);
    const own = await use(pool, { hasOwnInit: true });
    expect([own.start, own.initialised]).to.deep.equal(["rewound", false]);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "level", "base", "base"]);
    const first = await pool.lease(job());
    await first.init(frame, limits);
    const waiting = pool.lease(job({ hasOwnInit: true }));
    await first.release(true);
    await (await waiting).release(true);
    expect(machine.checkpoints[0]?.led.slice(4)).to.deep.equal(["base", "base"]);
    expect(machine.sandboxes).to.have.lengthOf(1);
  });

  const refusedWith = async (
    prepare: (machine: FakeMachine) => void,
    settings: Partial<PoolSettings> = {},
  ): Promise<LevelRefusal | undefined> => {
    const { pool, machine, outcomes } = await opened(settings);
    prepare(machine);
    await use(pool);
    expect((await use(pool)).initialised).to.equal(false);
    expect(machine.checkpoints[0]?.led).to.deep.equal(["base", "base", "base"]);
    expect(pool.status().containers[0]?.levelBytes).to.equal(undefined);
    const [outcome] = outcomes;
    return outcome !== undefined && "refused" in outcome ? outcome.refused : undefined;
  };

  for (const left of ["processes", "sockets", "files"] as const)
    it(`is not taken where the init has left ${left}`, async () => {
      const why = await refusedWith(({ sandboxes: [sandbox] }) => {
        if (sandbox !== undefined) sandbox.left = left;
      });
      expect(why).to.equal(left);
    });

  it("is not taken where the runtime tells of random numbers, or says nothing", async () => {
    const why = await refusedWith((machine) => {
      machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true}');
    });
    expect(why).to.equal("randomness");
  });

  it("is not taken of an init that is over too soon", async () => {
    expect(await refusedWith(() => undefined, { levelInitMs: 60_000 })).to.equal("short");
  });

  it("is of no use where it alone is larger than all may be", async () => {
    expect(await refusedWith(() => undefined, { levelMemoryMB: 9 * pageMB })).to.equal("memory");
  });

  for (const [code, expected] of [
    ["not-quiescent", "not-quiescent"],
    ["unsupported", "unsupported"],
    ["lost-descriptor", "unsupported"],
    ["system", "system"],
  ] as const)
    it(`is refused for ${expected} where the restorer says ${code}, and the activation goes on`, async () => {
      const why = await refusedWith(({ checkpoints: [checkpoint] }) => {
        if (checkpoint !== undefined) checkpoint.nextLevel = new RestorerError(code, "no", true);
      });
      expect(why).to.equal(expected);
    });

  /** Of each init of the container so far, whether the runtime was asked to watch it. */
  const watched = (machine: FakeMachine, container: number): boolean[] =>
    (machine.sandboxes[container]?.runtime.requests ?? [])
      .filter(({ type }) => type === 1)
      .map(({ payload }) => payload.includes('"level":true'));

  it("is tried at ever fewer inits where it is refused each time, and not told of at the others", async () => {
    const { pool, machine, outcomes } = await opened();
    const [sandbox] = machine.sandboxes;
    if (sandbox !== undefined) sandbox.left = "files";
    for (let i = 0; i < 20; i++) await use(pool);
    const tried = watched(machine, 0).flatMap((isTried, i) => (isTried ? [i + 1] : []));
    expect(tried).to.deep.equal([1, 2, 4, 8, 16]);
    expect(outcomes).to.deep.equal(tried.map(() => ({ refused: "files" })));
    await use(pool, { owner: "b" });
    expect(watched(machine, 0).at(-1), "of another owner").to.equal(true);
  });

  for (const code of ["not-quiescent", "system"] as const)
    it(`is tried at each init where what forbids it may be of the moment: ${code}`, async () => {
      const { pool, machine, outcomes } = await opened();
      const [checkpoint] = machine.checkpoints;
      if (checkpoint !== undefined) checkpoint.nextLevel = new RestorerError(code, "no", true);
      for (let i = 0; i < 5; i++) await use(pool);
      expect(outcomes).to.have.lengthOf(5);
      expect(watched(machine, 0)).to.deep.equal([true, true, true, true, true]);
    });

  const halfDone = new RestorerError("injection", "half done", false);

  it("is not tried in one container after the other where the taking fails half-way", async () => {
    const { pool, machine } = await opened({ stemCells: [{ kind: "nodejs:20", count: 3, memoryMB: 256 }] });
    for (const checkpoint of machine.checkpoints) checkpoint.nextLevel = halfDone;
    const told: string[] = [];
    for (let i = 0; i < 3; i++) {
      const lease = await pool.lease(job());
      told.push((await lease.init(frame, limits)).exchange.outcome);
      await lease.release(told[i] === "answer");
    }
    expect(told).to.deep.equal(["unavailable", "unavailable", "answer"]);
  });

  it("is not taken each time anew where no container can be put back to it", async () => {
    const { pool, machine, outcomes } = await opened({
      stemCells: [{ kind: "nodejs:20", count: 3, memoryMB: 256 }],
    });
    const behave = (how: () => Promise<void>): void => {
      for (const checkpoint of machine.checkpoints) checkpoint.behave = how;
    };
    for (let i = 0; i < 3; i++) {
      const lease = await pool.lease(job());
      await lease.init(frame, limits);
      behave(() => Promise.reject(halfDone));
      await lease.release(true);
      behave(() => Promise.resolve());
      await pool.settled();
    }
    expect(outcomes.map((outcome) => Object.keys(outcome))).to.deep.equal([["taken"], ["taken"]]);
  });

  it("costs the container where the process is not what it was, and another one is asked for the activation", async () => {
    const { pool, machine } = await opened();
    const [checkpoint] = machine.checkpoints;
    if (checkpoint !== undefined) checkpoint.nextLevel = new RestorerError("injection", "half done", false);
    const lease = await pool.lease(job());
    expect((await lease.init(frame, limits)).exchange.outcome).to.equal("unavailable");
    await lease.release(false);
    await holdsWithin(1000, () => machine.sandboxes[0]?.isDestroyed === true);
    expect((await use(pool)).containerId).to.not.equal(lease.containerId);
  });

  it("is proven when it is come back to for the first time, each one anew", async () => {
    const { pool, machine } = await opened({ userMemoryMB: 256, verifyFirst: 0, verifyOneIn: 1000 });
    for (const owner of ["a", "a", "a", "b", "b"]) await use(pool, { owner });
    const [checkpoint] = machine.checkpoints;
    const returns = checkpoint?.verified.filter((_verified, i) => checkpoint.led[i] === "level");
    expect(returns).to.deep.equal([true, false, false, true, false]);
  });

  it("is not taken where those in use leave no room for it, nor while another one is being taken", async () => {
    const { pool, machine, outcomes } = await opened({ levelMemoryMB: 25 * pageMB });
    const leases = await Promise.all(["a", "b", "c", "d"].map((owner) => pool.lease(job({ owner }))));
    await leases[0]?.init(frame, limits);
    const second = machine.checkpoints[1];
    if (second !== undefined) second.nextLevel = { threads: 1, pages: 16 };
    await leases[1]?.init(frame, limits);
    let go = (): void => undefined;
    const third = machine.checkpoints[2];
    if (third !== undefined)
      third.behave = () =>
        new Promise((resolve) => {
          go = resolve;
        });
    const taking = leases[2]?.init(frame, limits);
    await holdsWithin(1000, () => machine.sandboxes[2]?.runtime.requests.length === 1);
    await leases[3]?.init(frame, limits);
    go();
    await taking;
    expect(outcomes.map((outcome) => ("refused" in outcome ? outcome.refused : "taken"))).to.deep.equal([
      ...["taken", "memory", "memory", "taken"],
    ]);
    if (third !== undefined) third.behave = () => Promise.resolve();
    for (const lease of leases) await lease.release(true);
  });

  it("has those of idle containers given up at once, not only when its activation is over", async () => {
    const { pool } = await opened({ levelMemoryMB: 15 * pageMB });
    await use(pool);
    const lease = await pool.lease(job({ owner: "b" }));
    await lease.init(frame, limits);
    const levels = (): string[] =>
      pool.status().containers.flatMap(({ owner, levelBytes }) => (levelBytes ? [`${owner}`] : []));
    await holdsWithin(1000, () => levels().length === 1);
    expect(levels()).to.deep.equal(["b"]);
    await lease.release(true);
  });

  it("is given up with the container that was used longest ago, where together they are too large", async () => {
    const { pool, machine } = await opened({ levelMemoryMB: 25 * pageMB });
    const leases = await Promise.all(["a", "b", "c"].map((owner) => pool.lease(job({ owner }))));
    for (const lease of leases) {
      await lease.init(frame, limits);
      await lease.release(true);
    }
    await pool.settled();
    const levels = pool.status().containers.map(({ state, owner, levelBytes }) => [state, owner, levelBytes]);
    expect(levels).to.have.deep.members([
      ["clean", undefined, undefined],
      ["warm", "b", 10 * 4096],
      ["warm", "c", 10 * 4096],
    ]);
    expect(machine.sandboxes.some(({ isDestroyed }) => isDestroyed)).to.equal(false);
  });
});

describe("levels to give up", () => {
  const seat = (id: number, fields: Partial<Placed>): Placed => ({
    ...{ id, kind: "nodejs:20", state: "warm", memoryMB: 256, owner: "a", lastUsed: id },
    levelBytes: 10 * 1024 * 1024,
    ...fields,
  });

  it("are of idle containers, those used longest ago first, until the others have room", () => {
    const seats = [seat(3, {}), seat(1, {}), seat(2, {}), seat(0, { state: "running" })];
    const given = (limit: number): number[] => levelsToGiveUp(seats, limit).map(({ id }) => id);
    expect(given(40)).to.deep.equal([]);
    expect(given(39)).to.deep.equal([1]);
    expect(given(20)).to.deep.equal([1, 2]);
    expect(given(0)).to.deep.equal([1, 2, 3]);
  });

  it("are none of those that have none", () => {
    expect(levelsToGiveUp([{ ...seat(1, {}), levelBytes: 0 }], -1)).to.deep.equal([]);
  });
});
