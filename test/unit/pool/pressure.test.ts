// What is given up when memory is short, and in which order.

import { expect } from "chai";
import {
  type Holdings,
  type Relief,
  reliefs,
  relieve,
  type Weighed,
  type Weight,
  weigh,
} from "../../../pool/pressure.ts";
import { isIdle } from "../../../pool/seats.ts";

const MB = 1024 * 1024;

function seat(id: number, fields: Partial<Weighed> = {}): Weighed {
  return {
    ...{ id, kind: "nodejs:20", state: "clean", memoryMB: 256, owner: undefined, lastUsed: id },
    ...{ bytes: 10 * MB, ...fields },
  };
}

const holdings = (seats: readonly Weighed[], fields: Partial<Holdings> = {}): Holdings => ({
  ...{ seats, cells: [], aheadBytes: 0, isDockerThere: true },
  ...{ isLearnt: ({ libraries }) => libraries === "learnt", isBootable: () => false },
  ...fields,
});
const named = (steps: readonly Relief[]): readonly string[] =>
  steps.map((one) => ("container" in one ? `${one.step} ${one.container}` : one.step));
const everything = Number.POSITIVE_INFINITY;

describe("what the end of a container would give back", () => {
  const [image, embryo] = [{}, {}];
  const weight = (ownMB: number, common: Weight["common"] = []): Weight => ({ ownBytes: ownMB * MB, common });

  it("is its own, and of what it has in common with others its part", () => {
    const started = weight(14, [{ of: image, bytes: 12 * MB }]);
    const booted = weight(1, [
      { of: image, bytes: 12 * MB },
      { of: embryo, bytes: 10 * MB },
    ]);
    const living = [
      [seat(1), started],
      [seat(2), booted],
      [seat(3, { state: "running" }), booted],
      [seat(4), weight(5)],
    ] as const;
    const given = weigh(living).map(({ bytes, commonBytes }) => [bytes / MB, (commonBytes ?? 0) / MB]);
    expect(given).to.deep.equal([
      [18, 4],
      [10, 9],
      [0, 0],
      [5, 0],
    ]);
  });

  it("is not looked at while it is in use", () => {
    const unreadable: Weight = {
      common: [],
      get ownBytes(): number {
        throw new Error("read");
      },
    };
    expect(weigh([[seat(1, { state: "running" }), unreadable]])[0]?.bytes).to.equal(0);
  });
});

describe("what is given up for want of memory", () => {
  it("is nothing where nothing is missing", () => {
    const all = holdings([seat(1), seat(2, { levelBytes: MB })], { aheadBytes: MB });
    expect(relieve(all, 0)).to.deep.equal([]);
    expect(relieve(all, -MB)).to.deep.equal([]);
  });

  it("is what is ahead, learnt libraries, levels, used pages, idle containers and those of stem cells, in this order", () => {
    const seats = [
      seat(1, { state: "running" }),
      seat(2, { kind: "python:3" }),
      seat(3),
      seat(4, { kind: "ruby:3", bytes: 5 * MB }),
      seat(5, { state: "warm", levelBytes: MB, owner: "a" }),
      seat(6, { libraries: "learnt" }),
    ];
    const cells = [{ kind: "python:3", count: 1, memoryMB: 256 }];
    const isBootable: Holdings["isBootable"] = ({ kind }) => kind === "ruby:3";
    expect(named(relieve(holdings(seats, { cells, isBootable, aheadBytes: MB }), everything))).to.deep.equal([
      "ahead",
      "libraries 6",
      "level 5",
      "used 4",
      "idle 3",
      "stem-cell 2",
      "hold",
    ]);
  });

  it("is as little as will do", () => {
    const seats = [seat(1, { state: "warm", levelBytes: 2 * MB }), seat(2, { levelBytes: 2 * MB }), seat(3)];
    expect(named(relieve(holdings(seats, { aheadBytes: MB }), MB))).to.deep.equal(["ahead"]);
    expect(named(relieve(holdings(seats, { aheadBytes: MB }), 2 * MB))).to.deep.equal(["ahead", "level 1"]);
    expect(named(relieve(holdings(seats), 4 * MB))).to.deep.equal(["level 1", "level 2"]);
    expect(named(relieve(holdings(seats), 5 * MB))).to.deep.equal(["level 1", "level 2", "idle 3"]);
  });

  it("are the levels and containers used longest ago first, but of used pages the most", () => {
    const levels = [seat(1, { lastUsed: 9, levelBytes: MB }), seat(2, { lastUsed: 3, levelBytes: MB })];
    expect(named(relieve(holdings(levels), everything))).to.deep.equal(["level 2", "level 1", "hold"]);
    const idle = [seat(1, { lastUsed: 9 }), seat(2, { lastUsed: 3 })];
    expect(named(relieve(holdings(idle), everything))).to.deep.equal(["idle 2", "idle 1", "hold"]);
    const used = [seat(1, { bytes: 5 * MB }), seat(2, { bytes: 9 * MB })];
    const isBootable = (): boolean => true;
    expect(named(relieve(holdings(used, { isBootable }), 6 * MB))).to.deep.equal(["used 2"]);
  });

  it("is no container for its pages that has few, was never used, is kept for its owner, or that could only be started anew", () => {
    const isBootable: Holdings["isBootable"] = ({ kind }) => kind === "nodejs:20";
    const seats = [
      seat(1, { bytes: 2 * MB }),
      seat(2, { isUnused: true }),
      seat(3, { state: "warm", owner: "a" }),
      seat(4, { kind: "ruby:3" }),
      seat(5, { image: "images/action" }),
    ];
    const steps = relieve(holdings(seats, { isBootable }), everything);
    expect(steps.filter(({ step }) => step === "used")).to.deep.equal([]);
  });

  it("is a container for the memory of an older template, also where nobody has used it", () => {
    const seats = [seat(1, { isUnused: true, commonBytes: 8 * MB }), seat(2, { isUnused: true })];
    const all = holdings(seats, { isBootable: () => true });
    expect(named(relieve(all, 10 * MB))).to.deep.equal(["used 1"]);
    const few = [seat(1, { isUnused: true, commonBytes: MB, bytes: 2 * MB })];
    expect(named(relieve(holdings(few, { isBootable: () => true }), MB))).to.deep.equal(["idle 1"]);
  });

  it("is nothing that runs, is being made or put back, or on its way out", () => {
    const states = ["starting", "running", "rewinding", "tainted", "removing", "gone"] as const;
    const seats = states.map((state, id) => seat(id, { state, levelBytes: MB, libraries: "learnt" }));
    expect(named(relieve(holdings(seats), everything))).to.deep.equal(["hold"]);
  });

  it("is no container of Docker's while that does not answer", () => {
    const seats = [seat(1, { image: "images/action", state: "warm" })];
    expect(named(relieve(holdings(seats, { isDockerThere: false }), MB))).to.deep.equal(["hold"]);
    expect(named(relieve(holdings(seats), MB))).to.deep.equal(["idle 1"]);
  });

  it("holds, whatever there is, to the order, to what is idle, and to no more than is missing", () => {
    const states = ["starting", "clean", "clean", "warm", "running", "rewinding", "removing"] as const;
    let state = 1;
    const below = (most: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    for (let round = 0; round < 500; round++) {
      const seats = Array.from({ length: below(12) }, (_, id) =>
        seat(id, {
          kind: ["nodejs:20", "python:3"][below(2)] ?? "",
          state: states[below(states.length)] ?? "clean",
          ...{ bytes: below(20) * MB, lastUsed: below(100), isUnused: below(2) === 0 },
          ...(below(3) === 0 && { levelBytes: below(5) * MB }),
          ...(below(4) === 0 && { libraries: below(2) === 0 ? "learnt" : "asked" }),
          ...(below(5) === 0 && { image: "images/action" }),
        }),
      );
      const cells = [{ kind: "python:3", count: below(3), memoryMB: 256 }];
      const all = holdings(seats, {
        ...{ cells, aheadBytes: below(3) * MB, isDockerThere: below(2) === 0 },
        isBootable: ({ kind }) => kind === "python:3",
      });
      const missing = below(100) * MB;
      const steps = relieve(all, missing);
      const places = steps.map(({ step }) => (step === "hold" ? reliefs.length : reliefs.indexOf(step)));
      expect(places).to.deep.equal([...places].sort((one, other) => one - other));
      const ids = steps.flatMap((one) => ("container" in one ? [one.container] : []));
      expect(new Set(ids).size).to.equal(ids.length);
      for (const id of ids) expect(seats[id] && isIdle(seats[id])).to.equal(true);
      const gains = steps.map((one) =>
        one.step === "ahead" ? all.aheadBytes : "bytes" in one ? one.bytes : 0,
      );
      const sum = gains.reduce((total, one) => total + one, 0);
      if (steps.at(-1)?.step === "hold") {
        expect(sum).to.be.below(missing);
        const removable = seats.filter((one) => isIdle(one) && (!one.image || all.isDockerThere));
        expect(ids).to.have.members(removable.map(({ id }) => id));
      } else {
        expect(sum).to.be.at.least(missing);
        expect(sum - (gains.at(-1) ?? 0)).to.satisfy(
          (before: number) => steps.length === 0 || before < missing,
        );
      }
    }
  });
});
