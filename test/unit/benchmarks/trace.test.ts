// Whether a replayed day is like the published one: the same each time, most calls to few actions, most actions seldom called.

import { expect } from "chai";
import { traceOf } from "../../../benchmarks/day/trace.ts";

const settings = { seed: 1, actions: 1000, calls: 20_000, durationMs: 90_000 };

describe("the trace of a day", () => {
  const trace = traceOf(settings);

  it("is the same for the same seed, and another one for another", () => {
    expect(traceOf(settings)).to.deep.equal(trace);
    expect(traceOf({ ...settings, seed: 2 })).not.to.deep.equal(trace);
  });

  it("has its calls in order, within the day, each of an action that there is", () => {
    expect(trace).to.have.lengthOf(settings.calls);
    let lastMs = 0;
    for (const { atMs, action, waitMs } of trace) {
      expect(atMs).to.be.within(lastMs, settings.durationMs);
      expect(action).to.be.within(0, settings.actions - 1);
      expect(waitMs).to.be.within(0, 1000);
      lastMs = atMs;
    }
  });

  it("calls few actions often, none of them most of the time, and most never or seldom", () => {
    const counts = Array.from({ length: settings.actions }, () => 0);
    for (const { action } of trace) counts[action] = (counts[action] ?? 0) + 1;
    counts.sort((one, other) => other - one);
    const first = (share: number): number =>
      counts.slice(0, settings.actions * share).reduce((sum, count) => sum + count, 0) / settings.calls;
    expect(first(0.186)).to.be.greaterThan(0.99);
    expect(first(0.001)).to.be.lessThan(0.2);
    expect(counts[settings.actions / 2]).to.be.lessThan(5);
  });

  it("has more calls in the first half of the day, when the rate is above its mean", () => {
    const morning = trace.filter(({ atMs }) => atMs < settings.durationMs / 2).length;
    expect(morning / settings.calls).to.be.within(0.6, 0.72);
  });
});
