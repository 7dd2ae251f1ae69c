// Figures from samples whose figures are known, and chance that is the same for the same seed.

import { expect } from "chai";
import { bySide, type Call, type Series } from "../../benchmarks/compare/call.ts";
import { chance, noise, unevenly } from "../../benchmarks/compare/chance.ts";
import { Ledger } from "../../benchmarks/compare/ledger.ts";
import { linearScale, logScale } from "../../benchmarks/compare/scale.ts";
import { addedOf, ratioOf, rowOf, rowsOf, spreadOf } from "../../benchmarks/compare/statistics.ts";

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const series: Series = { part: "first", kind: "nodejs:20", subject: "never called before" };

describe("the figures of a comparison", () => {
  it("are quantiles that samples have", () => {
    expect(spreadOf(upTo(100))).to.deep.equal({ p50: 50, p95: 95, p99: 99, n: 100 });
    expect(spreadOf([7])).to.deep.equal({ p50: 7, p95: 7, p99: 7, n: 1 });
    expect(spreadOf([])).to.equal(undefined);
  });

  it("have a ratio of quantiles, with a range that chance may give it", () => {
    const ratio = ratioOf(
      upTo(100).map((one) => one * 10),
      upTo(100),
    );
    expect(ratio).to.include({ p50: 10, p95: 10, p99: 10 });
    expect(ratio?.low).to.be.within(5, 10);
    expect(ratio?.high).to.be.within(10, 20);
    expect(ratioOf([8, 8, 8], [2, 2])).to.deep.equal({ p50: 4, p95: 4, p99: 4, low: 4, high: 4 });
  });

  it("have the same range each time, and a narrower one for more samples", () => {
    const width = (count: number): number => {
      const ratio = ratioOf(upTo(count), upTo(count));
      return (ratio?.high ?? 0) - (ratio?.low ?? 0);
    };
    expect(ratioOf(upTo(50), upTo(60))).to.deep.equal(ratioOf(upTo(50), upTo(60)));
    expect(width(1000)).to.be.below(width(50) / 2);
    expect(width(50)).to.be.above(0);
  });

  it("tell what one way adds to another from pairs, whatever moves both", () => {
    const pairs = upTo(101).map((time) => [time * 10 + 5, time * 10] as const);
    const added = addedOf(pairs);
    expect(added?.share).to.be.closeTo(5 / 510, 1e-12);
    expect(added?.low).to.equal(added?.high);
    expect(addedOf([[9, 10]])?.share).to.be.closeTo(-0.1, 1e-12);
    expect(addedOf([])).to.equal(undefined);
  });

  it("have no ratio where a side has no samples or none above zero", () => {
    expect(ratioOf([1], [])).to.equal(undefined);
    expect(ratioOf([1, 2], [0, 0, 5])).to.equal(undefined);
  });

  it("are of calls for each measure that there is, and better means shorter or more", () => {
    const ledger = new Ledger();
    const call = { series, pass: 0, startedMs: 0, durationMs: 3, activationId: "", throttled: 0 };
    const times = { stock: [100, 200, 300], rewhisk: [10, 20, 30] } as const;
    for (const side of ["stock", "rewhisk"] as const) {
      for (const [index, tookMs] of times[side].entries()) {
        const initMs = side === "stock" ? 50 : undefined;
        ledger.calls.push({ ...call, side, index, tookMs, waitMs: tookMs / 2, initMs } satisfies Call);
      }
      ledger.rates.push({ series, side, pass: 0, perSecond: side === "stock" ? 4 : 40, answered: 3 });
    }
    const rows = rowsOf(ledger, series);
    expect(rows.map(({ measure }) => measure)).to.deep.equal(["call", "wait", "init", "duration", "rate"]);
    expect(rowOf(rows, series, "call")?.spreads.stock?.p50).to.equal(200);
    expect(rowOf(rows, series, "call")?.ratio?.p50).to.equal(10);
    expect(rowOf(rows, series, "rate")?.ratio?.p50).to.equal(10);
    expect(rowOf(rows, series, "init")?.spreads).to.deep.equal({
      stock: { p50: 50, p95: 50, p99: 50, n: 3 },
      rewhisk: undefined,
    });
  });
});

describe("outcomes of both sides", () => {
  const place = bySide((side) => ({ series, side, pass: 0, index: 0 }));
  const times = { startedMs: 1, tookMs: 2, throttled: 0 };
  const activation = { activationId: "a", isSuccess: true, waitMs: 1, initMs: 1, durationMs: 1 };

  it("are compared in pairs, in whatever order they come", () => {
    const ledger = new Ledger();
    ledger.activation(place.rewhisk, { ...activation, outcome: "x" }, times);
    ledger.activation(place.stock, { ...activation, outcome: "x" }, times);
    ledger.activation({ ...place.stock, index: 1 }, { ...activation, outcome: "y" }, times);
    ledger.activation({ ...place.rewhisk, index: 1 }, { ...activation, outcome: "z" }, times);
    ledger.activation({ ...place.rewhisk, index: 2 }, { ...activation, outcome: "alone" }, times);
    expect(ledger.compared).to.equal(2);
    expect(ledger.differences).to.deep.equal([
      { series, pass: 0, index: 1, outcomes: { stock: "y", rewhisk: "z" } },
    ]);
  });

  it("that are failures are no samples, but are compared", () => {
    const ledger = new Ledger();
    ledger.activation(place.stock, { ...activation, isSuccess: false, outcome: "failed" }, times);
    ledger.activation(place.rewhisk, { ...activation, outcome: "fine" }, times);
    expect(ledger.calls.map(({ side }) => side)).to.deep.equal(["rewhisk"]);
    expect(ledger.troubles.map(({ side, what }) => [side, what])).to.deep.equal([["stock", "failed"]]);
    expect(ledger.differences.length).to.equal(1);
  });
});

describe("chance in a comparison", () => {
  it("is the same for the same seed, and spread over its range", () => {
    const drawn = (seed: number): readonly number[] => {
      const random = chance(seed);
      return Array.from({ length: 10_000 }, () => random());
    };
    expect(drawn(7)).to.deep.equal(drawn(7));
    expect(drawn(7)).not.to.deep.equal(drawn(8));
    for (const tenth of upTo(10)) {
      const share = drawn(7).filter((one) => one >= (tenth - 1) / 10 && one < tenth / 10).length / 10_000;
      expect(share).to.be.within(0.08, 0.12);
    }
  });

  it("calls a few actions often and every one of them some time", () => {
    const order = unevenly(10, 10_000, chance(1));
    const counts = upTo(10).map((rank) => order.filter((one) => one === rank - 1).length);
    for (const [i, count] of counts.entries()) {
      expect(count / ((counts[0] ?? 0) / (i + 1))).to.be.within(0.8, 1.2, `action ${i}`);
    }
  });

  it("makes text of the wished size", () => {
    expect(noise(5000, chance(1))).to.match(/^[\w+-]{5000}$/);
  });
});

describe("the axes of a plot", () => {
  it("hold all values, in steps of 1, 2 and 5", () => {
    const scale = logScale([3, 40], [0, 100]);
    expect(scale.ticks).to.deep.equal([2, 5, 10, 20, 50]);
    expect([scale.at(2), scale.at(50)]).to.deep.equal([0, 100]);
    expect(scale.at(10)).to.be.closeTo(50, 1e-9);
  });

  it("have decades alone where there are many", () => {
    expect(logScale([0.2, 40_000], [0, 1]).ticks).to.deep.equal([1, 10, 100, 1000, 10_000]);
  });

  it("make room for a single value, and for none", () => {
    expect(logScale([5], [0, 1]).ticks.length).to.be.above(1);
    expect(logScale([], [0, 1]).ticks.length).to.be.above(1);
    expect(linearScale([0], [0, 1]).ticks.length).to.be.above(1);
  });

  it("begin with 0 where they are even", () => {
    const scale = linearScale([1.2, 17], [0, 200]);
    expect(scale.ticks).to.deep.equal([0, 5, 10, 15, 20]);
    expect(scale.at(10)).to.equal(100);
  });
});
