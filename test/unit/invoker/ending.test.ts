// The end of an invoker, of whose parts any may hang.

import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { type EndingParts, endWithin } from "../../../invoker/ending.ts";

const never = new Promise<void>(() => undefined);
const names = ["invoker", "runtimes", "services", "admin"] as const;

describe("the end of an invoker", () => {
  const stepMs = 10;
  let nowMs = 0;

  // By a clock that the tests move: a machine that stands still for a moment takes no part's time.
  before(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    mock.method(performance, "now", () => nowMs);
  });
  after(() => mock.reset());

  async function untilSettled<Value>(promise: Promise<Value>): Promise<Value> {
    let isPending = true;
    const settled = promise.finally(() => {
      isPending = false;
    });
    while (isPending) {
      nowMs += stepMs;
      mock.timers.tick(stepMs);
      await turn();
    }
    return await settled;
  }

  /** Notes what is asked to end, and with which time; those that hang never have ended. */
  function partsThat(hang: (name: string) => boolean): {
    readonly parts: EndingParts;
    readonly asked: (readonly [name: string, graceMs: number | undefined])[];
  } {
    const asked: (readonly [string, number | undefined])[] = [];
    const end =
      (name: string) =>
      (graceMs?: number): Promise<void> => {
        asked.push([name, graceMs]);
        return hang(name) ? never : Promise.resolve();
      };
    const [invoker, runtimes, services, admin] = names.map((name) => ({
      drain: end(name),
      close: end(name),
    }));
    return { parts: { invoker, runtimes, services, admin } as EndingParts, asked };
  }

  it("gives what runs most of the time, and then each part its own", async () => {
    const { parts, asked } = partsThat(() => false);
    expect(await untilSettled(endWithin(10_000, parts))).to.equal(true);
    expect(asked.map(([name]) => name)).to.deep.equal(names);
    expect(asked[0]?.[1]).to.be.within(5_000, 6_000);
    expect(asked[2]?.[1]).to.equal(5_000);
  });

  for (const hanging of [...names, "each"]) {
    it(`comes, and asks all others to end, though this hangs: ${hanging}`, async () => {
      const { parts, asked } = partsThat((name) => hanging === name || hanging === "each");
      const beganMs = nowMs;
      expect(await untilSettled(endWithin(1_000, parts))).to.equal(false);
      expect(nowMs - beganMs).to.be.at.most(1_000);
      expect(asked.map(([name]) => name)).to.deep.equal(names);
      expect(asked[2]?.[1]).to.be.greaterThan(0);
    });
  }
});
