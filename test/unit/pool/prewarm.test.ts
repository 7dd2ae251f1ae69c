// What is made ahead, given up and held back, as tables.

import { expect } from "chai";
import { backOffMs, surplus, topUp } from "../../../pool/prewarm.ts";
import type { Placed } from "../../../pool/schedule.ts";
import { StartFailures, StartGate } from "../../../pool/starts.ts";

function seat(id: number, fields: Partial<Placed> = {}): Placed {
  return { id, kind: "node", state: "clean", memoryMB: 256, owner: undefined, lastUsed: id, ...fields };
}
const node = { kind: "node", count: 2, memoryMB: 256 };
const python = { kind: "python", count: 1, memoryMB: 256 };
const never = (): boolean => false;
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
