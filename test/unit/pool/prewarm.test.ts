// What is made ahead, given up and held back, as tables.

import { expect } from "chai";
import {
  backOffMs,
  expired,
  isBeyondCells,
  Prewarming,
  reactiveCount,
  surplus,
  topUp,
} from "../../../pool/prewarm.ts";
import type { Placed } from "../../../pool/seats.ts";
import { StartFailures, StartGate } from "../../../pool/starts.ts";
import type { RewindPolicy, StemCell } from "../../../pool/types.ts";

function seat(id: number, fields: Partial<Placed> = {}): Placed {
  return { id, kind: "node", state: "clean", memoryMB: 256, owner: undefined, lastUsed: id, ...fields };
}
const node = { kind: "node", count: 2, memoryMB: 256 };
const python = { kind: "python", count: 1, memoryMB: 256 };
const never = (): boolean => false;
const prewarmingOf = (
  stemCells: readonly StemCell[],
  { rewind = "always" as RewindPolicy, nowMs = (): number => 0 } = {},
): Prewarming => new Prewarming({ stemCells, rewind, idleMs: 100 }, nowMs);
const kinds = (orders: readonly { readonly kind: string }[]): string[] => orders.map(({ kind }) => kind);

describe("topping up", () => {
  it("makes every kind's number, in the order of the cells, as far as memory allows", () => {
    expect(kinds(topUp([node, python], [], 1024, never))).to.deep.equal(["node", "node", "python"]);
    expect(kinds(topUp([node, python], [], 600, never))).to.deep.equal(["node", "node"]);
    expect(kinds(topUp([{ ...node, memoryMB: 512 }, python], [], 768, never))).to.deep.equal([
      "node",
      "python",
    ]);
  });

  it("counts what runs or is under way, for it comes back", () => {
    const seats = [seat(1, { state: "running" }), seat(2, { state: "starting" })];
    expect(topUp([node], seats, 1024, never)).to.deep.equal([]);
  });

  it("replaces a tainted container, but not before there is memory", () => {
    const seats = [seat(1), seat(2, { state: "tainted" })];
    expect(kinds(topUp([node], seats, 768, never))).to.deep.equal(["node"]);
    expect(topUp([node], seats, 512, never)).to.deep.equal([]);
  });

  it("adds up two cells of one kind", () => {
    const cells = [node, { kind: "node", count: 1, memoryMB: 512 }];
    expect(topUp(cells, [seat(1), seat(2)], 4096, never)).to.deep.equal([
      { kind: "node", count: 1, memoryMB: 512 },
    ]);
  });

  it("leaves out a kind that has just failed", () => {
    expect(kinds(topUp([node, python], [], 1024, (kind) => kind === "node"))).to.deep.equal(["python"]);
  });
});

describe("giving up", () => {
  it("takes idle containers beyond the cells that were not used for long, the oldest first", () => {
    const seats = [seat(1), seat(2), seat(3), seat(4, { state: "running" }), seat(5, { lastUsed: 99 })];
    expect(surplus([node], seats, 50).map(({ id }) => id)).to.deep.equal([1, 2, 3]);
  });

  it("keeps the cells' numbers however long nobody came", () => {
    expect(surplus([node], [seat(1), seat(2)], 50)).to.deep.equal([]);
    expect(surplus([node], [seat(1), seat(2), seat(3)], 50).map(({ id }) => id)).to.deep.equal([1]);
  });

  it("keeps nothing of kinds without a cell", () => {
    expect(surplus([], [seat(1, { state: "warm" })], 50).map(({ id }) => id)).to.deep.equal([1]);
  });
});

describe("starts", () => {
  it("wait longer after each failure in a row, up to a bound", () => {
    expect([0, 1, 2, 3, 20].map(backOffMs)).to.deep.equal([0, 200, 400, 800, 30_000]);
  });

  it("of a kind are held back after a failure until a success", () => {
    const failures = new StartFailures();
    expect(failures.failed("node", 1000)).to.equal(1);
    expect([failures.isHeldBack("node", 1100), failures.isHeldBack("node", 1200)]).to.deep.equal([
      true,
      false,
    ]);
    expect(failures.failed("node", 1200)).to.equal(2);
    expect(failures.nextTryInMs(1300)).to.equal(300);
    failures.succeeded("node");
    expect([failures.isHeldBack("node", 1300), failures.nextTryInMs(1300)]).to.deep.equal([false, undefined]);
  });

  it("ahead of any job leave one place free, if there is more than one", async () => {
    expect([new StartGate(1).freeAhead, new StartGate(2).freeAhead]).to.deep.equal([1, 1]);
    const gate = new StartGate(4);
    expect(gate.freeAhead).to.equal(3);
    const entered = [1, 2, 3].map(() => gate.enter());
    await Promise.all(entered);
    expect(gate.freeAhead).to.equal(0);
    gate.leave();
    expect(gate.freeAhead).to.equal(1);
  });

  it("go through the gate so many at a time, in order", async () => {
    const gate = new StartGate(2);
    const entered: number[] = [];
    const enter = (number: number): Promise<void> => gate.enter().then(() => void entered.push(number));
    const all = [1, 2, 3, 4].map(enter);
    await Promise.all(all.slice(0, 2));
    expect(entered).to.deep.equal([1, 2]);
    gate.leave();
    await all[2];
    expect(entered).to.deep.equal([1, 2, 3]);
    gate.leave();
    await all[3];
    gate.leave();
    gate.leave();
    await gate.enter();
  });
});

describe("prewarming what Docker runs", () => {
  const image = { name: "images/php", pull: false, sentinelled: true };
  const reactive = { minCount: 1, maxCount: 5, ttlMs: 100, threshold: 2, increment: 2 };
  const php = { kind: "php", count: 2, memoryMB: 256, image };
  const phpSeat = (id: number, fields: Partial<Placed> = {}): Placed =>
    seat(id, { kind: "php", image: image.name, ...fields });

  it("replaces a container as soon as somebody has it, for it does not come back", () => {
    const taken = phpSeat(1, { state: "running" });
    const kept = phpSeat(2, { state: "warm" });
    expect(topUp([php], [taken, kept, phpSeat(3)], 4096, never)).to.deep.equal([{ ...php, count: 1 }]);
    expect(topUp([php], [phpSeat(1), phpSeat(2, { state: "starting" })], 4096, never)).to.deep.equal([]);
  });

  it("counts only containers of the cell's size", () => {
    const other = phpSeat(1, { memoryMB: 512 });
    expect(kinds(topUp([php], [other, phpSeat(2)], 4096, never))).to.deep.equal(["php"]);
  });

  it("gives up whatever is warm for too long, and what is clean beyond the cells", () => {
    const seats = [phpSeat(1, { state: "warm" }), phpSeat(2), phpSeat(3), phpSeat(4)];
    expect(surplus([php], seats, 50).map(({ id }) => id)).to.deep.equal([1, 2]);
    expect(surplus([], seats, 50).map(({ id }) => id)).to.deep.equal([1, 2, 3, 4]);
  });

  it("needs one that nobody waits for any more only while the cells lack it", () => {
    const made = phpSeat(9, { state: "starting" });
    expect(isBeyondCells([php], [phpSeat(1), made], made)).to.equal(false);
    expect(isBeyondCells([php], [phpSeat(1), phpSeat(2), made], made)).to.equal(true);
    expect(isBeyondCells([], [made], made)).to.equal(true);
  });

  it("follows the cold starts within its bounds, in steps", () => {
    const counts = [0, 1, 2, 3, 4, 5, 6, 100].map((coldStarts) => reactiveCount(reactive, coldStarts));
    expect(counts).to.deep.equal([1, 1, 2, 2, 4, 4, 5, 5]);
    expect(reactiveCount({ ...reactive, minCount: 0 }, 0)).to.equal(0);
  });

  it("begins with the cell's number, and decides anew by the cold starts since the last time", () => {
    const prewarming = prewarmingOf([{ ...php, reactive }, node]);
    const counts = (): number[] => prewarming.cells.map(({ count }) => count);
    expect([prewarming.isReactive, prewarmingOf([php, node]).isReactive]).to.deep.equal([true, false]);
    expect(counts()).to.deep.equal([2, 2]);
    prewarming.begun();
    expect(counts(), "the least, before the first decision").to.deep.equal([1, 2]);
    for (let start = 0; start < 4; start++) prewarming.countColdStart({ kind: "php", memoryMB: 256, image });
    for (let start = 0; start < 9; start++) prewarming.countColdStart({ kind: "php", memoryMB: 512, image });
    prewarming.decide();
    expect(counts()).to.deep.equal([4, 2]);
    prewarming.begun();
    expect(counts(), "that is over").to.deep.equal([4, 2]);
    prewarming.decide();
    expect(counts()).to.deep.equal([1, 2]);
  });

  it("leaves to their cell's own time those that are made ahead of any job", () => {
    const seats = [phpSeat(1), phpSeat(2), phpSeat(3, { state: "warm" })];
    expect(surplus([{ ...php, count: 1, reactive }], seats, 50).map(({ id }) => id)).to.deep.equal([3]);
  });

  it("lets those of reactive cells expire that nobody has used for too long, the oldest first", () => {
    const cells = [{ ...php, reactive }];
    const seats = [
      ...[phpSeat(1, { lastUsed: 10 }), phpSeat(2, { lastUsed: 5 }), phpSeat(3, { lastUsed: 50 })],
      ...[phpSeat(4, { lastUsed: 1, state: "warm" }), seat(5, { lastUsed: 1 })],
      phpSeat(6, { lastUsed: 1, memoryMB: 512 }),
    ];
    expect(expired(cells, seats, 111).map(({ id }) => id)).to.deep.equal([2, 1]);
    expect(expired([php], seats, 111)).to.deep.equal([]);
  });
});

describe("prewarming for jobs that take what nobody has used", () => {
  const fresh = { ...node, isFresh: true };
  const unused = (id: number, fields: Partial<Placed> = {}): Placed =>
    seat(id, { isUnused: true, ...fields });

  it("replaces a container as soon as somebody has it", () => {
    expect(kinds(topUp([fresh], [seat(1, { state: "running" }), unused(2)], 1024, never))).to.deep.equal([
      "node",
    ]);
    expect(topUp([fresh], [unused(1), unused(2, { state: "starting" })], 1024, never)).to.deep.equal([]);
    expect(kinds(topUp([fresh], [seat(1), seat(2, { state: "rewinding" })], 1024, never))).to.deep.equal([
      "node",
      "node",
    ]);
  });

  it("leaves other kinds as they are", () => {
    expect(
      topUp([fresh, python], [unused(1), unused(2), seat(3, { kind: "python" })], 1024, never),
    ).to.deep.equal([]);
  });

  it("gives up what others have used, if nobody has needed it for long", () => {
    const seats = [seat(1), unused(2), unused(3)];
    expect(surplus([fresh], seats, 50).map(({ id }) => id)).to.deep.equal([1]);
  });

  it("is for all kinds where that is usual, else for those of which such a job came, as long as idle ones are kept", () => {
    expect(
      prewarmingOf([node, python], { rewind: "fresh" }).cells.map(({ isFresh }) => isFresh),
    ).to.deep.equal([true, true]);
    let now = 0;
    const prewarming = prewarmingOf([node, python], { nowMs: () => now });
    expect(prewarming.cells).to.deep.equal([node, python]);
    prewarming.expectFresh({ kind: "node", memoryMB: 512 });
    now = 99;
    expect(prewarming.cells).to.deep.equal([fresh, python]);
    now = 100;
    expect(prewarming.cells).to.deep.equal([node, python]);
  });

  it("keeps one of a kind without a cell, of the size of the last such job, as long as more are expected", () => {
    for (const rewind of ["always", "fresh"] as const) {
      let now = 0;
      const prewarming = prewarmingOf([], { rewind, nowMs: () => now });
      prewarming.expectFresh({ kind: "ruby", memoryMB: 512 });
      expect(prewarming.cells).to.deep.equal([{ kind: "ruby", count: 1, memoryMB: 512, isFresh: true }]);
      now = 100;
      expect(prewarming.cells).to.deep.equal([]);
    }
  });

  it("lets Docker's be as they are, which nobody gets who has not had them before", () => {
    const image = { name: "images/php", pull: false, sentinelled: true };
    const php = { kind: "php", count: 2, memoryMB: 256, image };
    expect(prewarmingOf([php], { rewind: "fresh" }).cells).to.deep.equal([php]);
  });
});
