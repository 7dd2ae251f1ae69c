// How long a kind is not made ahead whose containers are lost before anybody has used them.

import { expect } from "chai";
import { Losses } from "../../../pool/starts.ts";

describe("a loss before any use", () => {
  /** For how long the kind is held back after each loss. */
  function heldBackMs(...stood: readonly (readonly [sinceMs: number, lostMs: number])[]): number[] {
    const losses = new Losses();
    return stood.map(([sinceMs, lostMs]) => {
      losses.lost("php:8", sinceMs, lostMs);
      const waitMs = losses.nextTryInMs(lostMs) ?? 0;
      expect(losses.isHeldBack("php:8", lostMs + waitMs)).to.equal(false);
      if (waitMs > 0) expect(losses.isHeldBack("php:8", lostMs + waitMs - 1)).to.equal(true);
      expect(losses.isHeldBack("nodejs:20", lostMs)).to.equal(false);
      return waitMs;
    });
  }
  const t = 1_000_000_000;

  it("is made good at once, and the next in a row later and later, up to half a minute", () => {
    const row = Array.from({ length: 12 }, (_, i) => [t + 40_000 * i, t + 40_000 * i + 9_000] as const);
    expect(heldBackMs(...row)).to.deep.equal([
      ...[0, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000],
    ]);
  });

  it("counts once for all that stood together", () => {
    expect(heldBackMs([t, t + 10], [t + 1, t + 11], [t + 2, t + 12])).to.deep.equal([0, 0, 0]);
  });

  it("begins a new row where those between have stood, or long after", () => {
    const row = [
      [t, t + 10],
      [t + 20, t + 30],
    ] as const;
    const afterStanding = [
      [t + 300, t + 70_000],
      [t + 70_001, t + 70_010],
    ] as const;
    expect(heldBackMs(...row, ...afterStanding)).to.deep.equal([0, 200, 0, 0]);
    expect(heldBackMs(...row, [t + 90_000, t + 90_010])).to.deep.equal([0, 200, 0]);
  });
});
