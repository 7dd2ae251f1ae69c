// When what is spent is removed: by an alarm that rings when it is told to.

import { expect } from "chai";
import { RemovalGate } from "../../../pool/removal-gate.ts";

describe("removals", () => {
  let alarms: { readonly afterMs: number; readonly ring: () => void }[];
  let gate: RemovalGate;
  let begun: string[];

  beforeEach(() => {
    [alarms, begun] = [[], []];
    gate = new RemovalGate((afterMs, ring) => {
      const alarm = { afterMs, ring };
      alarms.push(alarm);
      return () => {
        alarms = alarms.filter((one) => one !== alarm);
      };
    });
  });

  const ring = (afterMs: number): void => {
    for (const alarm of alarms.filter((one) => one.afterMs === afterMs)) {
      alarms = alarms.filter((one) => one !== alarm);
      alarm.ring();
    }
  };
  const begins = async (name: string): Promise<void> => {
    void gate.pass().then(() => begun.push(name));
    await Promise.resolve();
  };

  it("begin at once where no jobs have come", async () => {
    await begins("a");
    expect(begun).to.deep.equal(["a"]);
    expect(alarms).to.deep.equal([]);
  });

  it("begin when none have come for 50 ms", async () => {
    gate.jobsCome();
    await begins("a");
    gate.jobsCome();
    await begins("b");
    expect(begun).to.deep.equal([]);
    ring(50);
    await Promise.resolve();
    expect(begun).to.deep.equal(["a", "b"]);
    await begins("c");
    expect(begun).to.deep.equal(["a", "b", "c"]);
    expect(alarms, "nothing is left of it").to.deep.equal([]);
  });

  it("begin after 250 ms although they come, and are forgotten", async () => {
    gate.jobsCome();
    await begins("a");
    ring(250);
    await Promise.resolve();
    expect(begun).to.deep.equal(["a"]);
    gate.open();
    await Promise.resolve();
    expect(begun).to.deep.equal(["a"]);
    expect(alarms).to.deep.equal([]);
  });

  it("begin at once where it is told so", async () => {
    gate.jobsCome();
    await begins("a");
    gate.open();
    await Promise.resolve();
    expect(begun).to.deep.equal(["a"]);
  });
});
