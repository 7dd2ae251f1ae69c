// A pool on a machine whose memory gets short: what goes, what is made again and when, and who waits.

import { expect } from "chai";
import { Pool } from "../../../pool/pool.ts";
import { type Relieved, reliefs } from "../../../pool/pressure.ts";
import {
  defaultPoolSettings,
  type InitFrame,
  type Job,
  type Lease,
  type PoolSettings,
} from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const frame: InitFrame = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const job = (fields: Partial<Job> = {}): Job => ({ kind: "nodejs:20", memoryMB: 256, owner: "a", ...fields });
const cell = (count: number, kind = "nodejs:20") => ({ kind, count, memoryMB: 256 });
const MB = 1024 * 1024;
const pagesPerMB = 256;
const patienceMs = 10_000;
const leastMemoryMB = 100;
/** With so much there is enough again. */
const enoughMB = 150;
const calmMs = 10_000;

describe("a pool on a machine whose memory gets short", () => {
  const pools: Pool[] = [];
  let machine: FakeMachine;
  let nowMs: number;
  /** What there would be without containers. */
  let othersLeaveMB: number;
  let looks: number;
  let given: Relieved[];
  let told: boolean[];

  /** What its containers and their checkpoints have is not there for others. */
  const availableMB = (): number => {
    const used = machine.living.reduce((sum, { usedBytes }) => sum + usedBytes / MB, 0);
    const levels = machine.checkpoints.filter(({ isReleased }) => !isReleased);
    return (
      othersLeaveMB - used - levels.reduce((sum, { level }) => sum + (level?.pages ?? 0) / pagesPerMB, 0)
    );
  };

  beforeEach(() => {
    [nowMs, othersLeaveMB, looks, given, told] = [1e6, 5000, 0, [], []];
    machine = new FakeMachine();
    machine.clock = { nowMs: () => nowMs };
    machine.behave = (request, runtime) => runtime.answer(request, 200, '{"ok":true,"level":true}');
    machine.memory = () => {
      looks++;
      return [{ totalMB: 8000, availableMB: availableMB() }];
    };
  });

  async function opened(settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const pool = new Pool(machine, {
      ...{ ...defaultPoolSettings, userMemoryMB: 4096, leastMemoryMB, memoryLookMs: 1, ...settings },
    });
    pools.push(pool);
    pool.events.on("relieved", ({ what }) => given.push(what));
    pool.events.on("memoryShort", ({ isShort }) => told.push(isShort));
    await pool.settled();
    return pool;
  }

  async function run(lease: Lease): Promise<void> {
    if (!lease.initialised) await lease.init(frame, limits);
    expect((await lease.run("{}", limits)).exchange).to.include({ outcome: "answer", status: 200 });
    await lease.release(true);
  }
  const use = async (pool: Pool, fields: Partial<Job> = {}): Promise<void> =>
    run(await pool.lease(job(fields)));
  const useAtOnce = async (pool: Pool, owners: readonly string[]): Promise<void> => {
    const leases = await Promise.all(owners.map((owner) => pool.lease(job({ owner }))));
    await Promise.all(leases.map(run));
  };
  const holds = async (claim: () => boolean): Promise<void> => {
    expect(await holdsWithin(patienceMs, claim)).to.equal(true);
  };
  /** So often that what was to happen has happened. */
  const looked = async (): Promise<void> => {
    const from = looks;
    await holds(() => looks > from + 5);
    await pools[0]?.settled();
  };
  const counts = (what: Relieved): number => given.filter((one) => one === what).length;
  const sizeAll = (usedMB: number): void => {
    for (const sandbox of machine.sandboxes) sandbox.usedBytes = usedMB * MB;
  };

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it("gives up nothing while there is enough, nor where nobody is to look", async () => {
    const pool = await opened({ stemCells: [cell(2)] });
    await use(pool);
    await looked();
    expect([given, told, pool.status().memory?.isShort]).to.deep.equal([[], [], false]);
    await pool.close();
    othersLeaveMB = 0;
    const blind = await opened({ leastMemoryMB: 0 });
    expect(blind.status().memory).to.equal(undefined);
  });

  it("gives up levels before containers, idle ones before those of stem cells, and answers meanwhile", async () => {
    const pool = await opened({ stemCells: [cell(2)], levelMemoryMB: 64, levelInitMs: 0 });
    const takesLevels = (): void => {
      for (const checkpoint of machine.checkpoints)
        checkpoint.nextLevel = { threads: 1, pages: 10 * pagesPerMB };
    };
    takesLevels();
    await useAtOnce(pool, ["a", "b"]);
    await useAtOnce(pool, ["a", "b", "c", "d"]);
    sizeAll(20);
    expect(
      pool.status().containers.filter(({ levelBytes = 0 }) => levelBytes > 0),
    ).to.have.length.of.at.least(2);
    othersLeaveMB -= availableMB() - (enoughMB - 60);
    await holds(() => availableMB() >= enoughMB);
    await looked();
    const places = given.map((what) => reliefs.indexOf(what));
    expect(places).to.deep.equal([...places].sort((one, other) => one - other));
    expect(counts("level")).to.be.at.least(2);
    expect(counts("idle")).to.be.within(1, 2);
    expect(counts("stem-cell")).to.equal(0);
    expect(pool.status().containers.every(({ levelBytes }) => levelBytes === undefined)).to.equal(true);
    expect([told, machine.isSaving, pool.status().memory?.isShort]).to.deep.equal([[true], true, true]);
    // No level is taken now.
    await use(pool, { owner: "e" });
    expect(pool.status().containers.every(({ levelBytes }) => levelBytes === undefined)).to.equal(true);
    othersLeaveMB -= availableMB();
    await holds(() => pool.status().containers.length === 0);
    expect(counts("stem-cell")).to.be.at.least(1);
  });

  it("does not make again what it gave up before there has been enough for a while, and each time for longer", async () => {
    const pool = await opened({ stemCells: [cell(2)] });
    const shrink = async (): Promise<void> => {
      othersLeaveMB = 10;
      await holds(() => pool.status().containers.length === 0);
    };
    const recover = async (forMs: number): Promise<void> => {
      othersLeaveMB = 5000;
      await looked();
      nowMs += forMs - 1;
      await looked();
      expect([pool.status().containers.length, told.at(-1)]).to.deep.equal([0, true]);
      nowMs += 1;
      await holds(() => pool.status().containers.length === 2);
      expect([told.at(-1), machine.isSaving]).to.deep.equal([false, false]);
      await pool.settled();
    };
    await shrink();
    await recover(calmMs);
    nowMs += calmMs / 2;
    await shrink();
    await recover(2 * calmMs);
    nowMs += 2 * calmMs;
    await shrink();
    await recover(calmMs);
  });

  it("has jobs wait while all that is left is in use, refuses none, and goes on as others end", async () => {
    const pool = await opened();
    const first = await pool.lease(job({ owner: "a" }));
    othersLeaveMB = 10;
    await looked();
    const granted: string[] = [];
    const more = ["b", "c"].map(async (owner) => {
      const lease = await pool.lease(job({ owner, kind: "python:3" }));
      granted.push(owner);
      await run(lease);
    });
    await looked();
    expect([granted, pool.status().waiting, machine.living.length]).to.deep.equal([[], 2, 1]);
    await run(first);
    // Never two at a time, for there is no more memory than one had; but one after the other.
    await Promise.all(more);
    expect(granted).to.deep.equal(["b", "c"]);
    expect(pool.status().waiting).to.equal(0);
  });

  it("goes on with one container at a time, of any size, where others leave no memory at all", async () => {
    othersLeaveMB = 0;
    const pool = await opened({ stemCells: [cell(2)] });
    await holds(() => pool.status().containers.length === 0);
    await Promise.all([128, 1024, 4096].map((memoryMB) => use(pool, { memoryMB, owner: `${memoryMB}` })));
    const refusal = await pool.lease(job({ memoryMB: 8192 })).catch((error: { code: string }) => error.code);
    expect(refusal).to.equal("too-large");
  });

  it("lets more be made as soon as there is enough, before what was given up is made again", async () => {
    const pool = await opened();
    const first = await pool.lease(job({ owner: "a" }));
    othersLeaveMB = 10;
    await looked();
    const second = pool.lease(job({ owner: "b" }));
    await looked();
    expect(pool.status().waiting).to.equal(1);
    othersLeaveMB = 5000;
    await run(await second);
    expect(told).to.deep.equal([true]);
    await run(first);
  });

  it("boots used containers of stem cells anew, which have few pages of their own then", async () => {
    machine = Object.assign(new FakeMachine({ boots: 3_600_000 }), {
      ...{ clock: machine.clock, memory: machine.memory },
    });
    const pool = await opened({ stemCells: [cell(3)], boots: true });
    await useAtOnce(pool, ["a", "b", "c"]);
    const before = [...machine.sandboxes];
    sizeAll(20);
    othersLeaveMB -= availableMB() - (enoughMB - 55);
    await holds(() => before.every(({ isDestroyed }) => isDestroyed) && machine.living.length === 3);
    await looked();
    expect([...new Set(given)]).to.deep.equal(["used"]);
    expect(given).to.have.lengthOf(3);
    expect(machine.booted).to.include.members(machine.living.map(({ id }) => id));
    expect(pool.status().containers.every(({ isUnused }) => isUnused === true)).to.equal(true);
  });

  it("boots those of an older template anew, also such as nobody has used: with the last of them its memory comes back", async () => {
    const [templateMB, ageMs] = [50, 3_600_000];
    let older: typeof machine.living = [];
    const isOlderThere = (): boolean => older.some(({ isDestroyed }) => !isDestroyed);
    machine = Object.assign(new FakeMachine({ boots: ageMs }), {
      clock: machine.clock,
      memory: () => {
        looks++;
        return [{ totalMB: 8000, availableMB: availableMB() - (isOlderThere() ? 2 * templateMB : 0) }];
      },
    });
    const pool = await opened({ stemCells: [cell(3)], ageBeforeRetirementMs: ageMs });
    for (const checkpoint of machine.checkpoints)
      checkpoint.summary = { threads: 1, pages: templateMB * pagesPerMB };
    // The template is due, and one of the three makes way for the one that the next is of.
    nowMs += 0.21 * ageMs;
    await use(pool);
    await holds(() => machine.sandboxes.length === 4 && machine.living.length === 3);
    await pool.settled();
    older = machine.living.filter((sandbox) => machine.sandboxes.indexOf(sandbox) < 3);
    expect(older).to.have.lengthOf(2);
    othersLeaveMB = enoughMB + 20;
    await holds(() => !isOlderThere() && machine.living.length === 3);
    await looked();
    expect([given, told]).to.deep.equal([["used", "used"], [true]]);
  });
});
