// What is expected by how many containers were in use at once, and what is kept, made and given up by it.

import { expect } from "chai";
import { Arrivals, predictedCells, soonMs, spareOf } from "../../../pool/arrivals.ts";
import { Pool } from "../../../pool/pool.ts";
import { surplus, topUp } from "../../../pool/prewarm.ts";
import { plan } from "../../../pool/schedule.ts";
import type { Placed } from "../../../pool/seats.ts";
import { defaultPoolSettings, type Job, type PoolSettings, type StemCell } from "../../../pool/types.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "./fake-machine.ts";

const kind = "nodejs:20";
const memoryMB = 256;
const minuteMs = 60_000;

describe("what is expected", () => {
  let nowMs = 0;
  let arrivals: Arrivals;
  const expected = (halfLifeMs = soonMs): number => arrivals.expected({ kind }, halfLifeMs);
  beforeEach(() => {
    nowMs = 0;
    arrivals = new Arrivals(() => nowMs, [soonMs, 10 * minuteMs]);
  });
  function use(count: number): void {
    for (let i = 0; i < count; i++) arrivals.began({ kind }, memoryMB);
    for (let i = 0; i < count; i++) arrivals.ended({ kind });
  }

  it("is nothing of what nobody has used", () => {
    expect(expected()).to.equal(0);
    expect(arrivals.all(soonMs)).to.deep.equal([]);
  });

  it("is as many as were in use at once, and less and less when no more come", () => {
    use(8);
    const later = [0, 1, 2, 3, 4, 5].map((minutes) => {
      nowMs = minutes * minuteMs;
      return expected();
    });
    expect(later).to.deep.equal([8, 4, 2, 1, 1, 0]);
  });

  it("is remembered for longer where the half-life is longer", () => {
    use(8);
    nowMs = 10 * minuteMs;
    expect([expected(), expected(10 * minuteMs)]).to.deep.equal([0, 4]);
  });

  it("is one of a kind whose jobs come often, but one at a time", () => {
    for (let i = 0; i < 100; i++) {
      use(1);
      nowMs += 1000;
    }
    expect(expected()).to.equal(1);
  });

  it("is what comes in bursts, between the bursts too", () => {
    for (let i = 0; i < 5; i++) {
      use(10);
      nowMs += 20_000;
    }
    expect(expected()).to.be.within(7, 9);
  });

  it("is at least what is in use, however long that stays", () => {
    arrivals.began({ kind }, memoryMB);
    arrivals.began({ kind }, memoryMB);
    nowMs = 60 * minuteMs;
    expect(expected()).to.equal(2);
    arrivals.ended({ kind });
    arrivals.ended({ kind });
    expect(expected(), "they were in use until now").to.equal(2);
    nowMs += minuteMs;
    expect(expected()).to.equal(1);
  });

  it("is told apart by library sets and by images", () => {
    arrivals.began({ kind, libraries: "express" }, memoryMB);
    arrivals.began({ kind, image: "php" }, 512);
    expect(expected()).to.equal(0);
    expect(arrivals.all(soonMs)).to.deep.equal([
      { kind, libraries: "express", memoryMB, count: 1 },
      { kind, image: "php", memoryMB: 512, count: 1 },
    ]);
  });

  it("is forgotten of what was used longest ago, but for what is in use", () => {
    arrivals.began({ kind }, memoryMB);
    for (let i = 0; i < 500; i++) {
      arrivals.began({ kind: `kind ${i}` }, memoryMB);
      arrivals.ended({ kind: `kind ${i}` });
    }
    expect(arrivals.all(soonMs)).to.have.lengthOf(500);
    expect([expected(), arrivals.expected({ kind: "kind 0" }, soonMs)]).to.deep.equal([1, 0]);
  });

  it("is not forgotten for thousands of images that were used once each", () => {
    use(10);
    nowMs += soonMs;
    for (let i = 0; i < 2000; i++) {
      arrivals.began({ kind: "blackbox", image: `image ${i}` }, memoryMB);
      arrivals.ended({ kind: "blackbox", image: `image ${i}` });
    }
    expect(expected()).to.equal(5);
  });
});

const cell = (count: number, fields: Partial<StemCell> = {}): StemCell => ({
  kind,
  count,
  memoryMB,
  ...fields,
});
const seat = (id: number, fields: Partial<Placed> = {}): Placed => ({
  ...{ id, kind, state: "clean", memoryMB, owner: undefined, lastUsed: id },
  ...fields,
});
const more = (count: number) => ({ kind, memoryMB, count });

describe("cells for what is expected", () => {
  it("are what the stem cells do not have", () => {
    const counts = (cells: readonly StemCell[], count: number): unknown[] =>
      predictedCells(cells, [more(count)]).map(({ count }) => count);
    expect(counts([], 3)).to.deep.equal([3]);
    expect(counts([cell(1), cell(1, { memoryMB: 512 })], 3)).to.deep.equal([1]);
    expect(counts([cell(3)], 3)).to.deep.equal([]);
    expect(counts([cell(3, { kind: "python:3" })], 3)).to.deep.equal([3]);
  });

  it("are none of Docker's, and none with libraries that are not wanted any more", () => {
    expect(predictedCells([], [{ ...more(3), image: "php" }])).to.deep.equal([]);
    expect(predictedCells([cell(1)], [{ ...more(3), libraries: "express" }])).to.deep.equal([]);
    const [added] = predictedCells(
      [cell(1, { libraries: "express" })],
      [{ ...more(3), libraries: "express" }],
    );
    expect(added).to.deep.include({ libraries: "express", count: 2 });
  });

  it("are of such as nobody has used where the kind's jobs take these", () => {
    expect(predictedCells([cell(1, { isFresh: true })], [more(2)])[0]).to.deep.include({ isFresh: true });
  });

  it("are made after the stem cells, and only while as much memory again stays free", () => {
    const cells = [cell(1), cell(1, { kind: "python:3" }), ...predictedCells([cell(1)], [more(4)])];
    const made = (budgetMB: number): string[] =>
      topUp(cells, [], budgetMB, () => false).map(({ kind }) => kind);
    expect(made(512)).to.deep.equal([kind, "python:3"]);
    expect(made(768)).to.deep.equal([kind, "python:3"]);
    expect(made(1024)).to.deep.equal([kind, "python:3", kind]);
    expect(made(4096)).to.deep.equal([kind, "python:3", kind, kind, kind]);
  });

  it("keep as many idle ones", () => {
    const seats = [seat(1), seat(2), seat(3), seat(4)];
    const given = surplus(predictedCells([], [more(3)]), seats, 100).map(({ id }) => id);
    expect(given).to.deep.equal([1]);
  });
});

describe("what makes way", () => {
  const wanted = { kind: "ruby:3", memoryMB, owner: "a", isPatient: false };

  it("is first what is idle beyond what is expected of its kind, though it was used last", () => {
    const seats = [seat(1), seat(2), seat(3, { kind: "python:3" })];
    const wantedOf = ({ kind: one }: { readonly kind: string }): number => (one === kind ? 2 : 0);
    const { steps } = plan(seats, [wanted], 768, { wantedOf });
    expect(steps).to.deep.equal([{ step: "evict", container: 3 }]);
  });

  it("is the one used longest ago where all are expected", () => {
    const seats = [seat(1), seat(2), seat(3, { kind: "python:3" })];
    const { steps } = plan(seats, [wanted], 768, { wantedOf: () => 2 });
    expect(steps).to.deep.equal([{ step: "evict", container: 1 }]);
  });

  it("is the one used longest ago of those beyond what is expected", () => {
    const seats = [seat(5), seat(4), seat(3), seat(6, { state: "running" }), seat(7, { state: "rewinding" })];
    expect(spareOf(seats, () => 3).map(({ id }) => id)).to.have.members([3, 4]);
    expect(spareOf(seats, () => 5)).to.deep.equal([]);
    expect(spareOf(seats, () => 0).map(({ id }) => id)).to.have.members([3, 4, 5]);
  });
});

describe("a pool that predicts", () => {
  let pool: Pool;
  let nowMs = 0;
  const job = (owner: string, fields: Partial<Job> = {}): Job => ({ kind, memoryMB, owner, ...fields });

  async function opened(settings: Partial<PoolSettings> = {}): Promise<FakeMachine> {
    const machine = new FakeMachine();
    machine.clock = { nowMs: () => nowMs };
    const usual = { ...defaultPoolSettings, userMemoryMB: 2048, predicts: true, ageBeforeRetirementMs: 1e9 };
    pool = new Pool(machine, { ...usual, ...settings });
    await pool.settled();
    return machine;
  }
  async function useAtOnce(count: number): Promise<void> {
    const leases = await Promise.all(Array.from({ length: count }, (_, i) => pool.lease(job(String(i)))));
    await Promise.all(leases.map((lease) => lease.release(true)));
  }
  const kinds = (): string[] => pool.status().containers.map(({ kind }) => kind);
  const kept = (): number => pool.status().containers.filter(({ state }) => state === "clean").length;
  afterEach(() => pool.close());

  it("makes again what it expects and has lost, where nothing asks for it", async () => {
    const machine = await opened();
    await useAtOnce(3);
    for (const sandbox of machine.living) sandbox.die();
    expect(await holdsWithin(10_000, () => machine.sandboxes.length === 6 && kept() === 3)).to.equal(true);
  });

  it("makes nothing ahead unless it is to", async () => {
    const machine = await opened({ predicts: false });
    await useAtOnce(3);
    for (const sandbox of machine.living) sandbox.die();
    expect(await holdsWithin(10_000, () => pool.status().containers.length === 0)).to.equal(true);
    await pool.settled();
    expect(machine.sandboxes).to.have.lengthOf(3);
  });

  it("keeps idle ones for longer, fewer and fewer", async () => {
    await opened({ idleMs: 40, stemCells: [] });
    await useAtOnce(4);
    nowMs += 41;
    expect(await holdsWithin(10_000, () => kept() === 2)).to.equal(true);
    nowMs += 400;
    expect(await holdsWithin(10_000, () => kept() === 0)).to.equal(true);
  });

  it("gives up first those of a kind whose jobs come no more", async () => {
    const machine = await opened({ userMemoryMB: 1280, predicts: false });
    await useAtOnce(4);
    nowMs += 5000;
    await (await pool.lease(job("other", { kind: "python:3" }))).release(true);
    for (const sandbox of machine.sandboxes.slice(0, 2)) sandbox.die();
    expect(await holdsWithin(10_000, () => kinds().length === 3)).to.equal(true);
    nowMs += 65_000;
    const lease = await pool.lease(job("y", { kind: "ruby:3", memoryMB: 768 }));
    expect(kinds(), "though it was used last").to.deep.equal([kind, kind, "ruby:3"]);
    await lease.release(true);
  });
});
