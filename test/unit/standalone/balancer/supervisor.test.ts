// The table of invokers on a clock of the test's own: silence, minutes, disabling, and tests that cannot be sent.

import { expect } from "chai";
import { invokerName, Supervisor } from "../../../../standalone/balancer/supervisor.ts";
import { createBus } from "../../../../standalone/bus.ts";
import { holdsWithin } from "../../../within.ts";

const instance = {
  ...{ instance: 0, userMemory: "536870912 B", instanceType: "invoker" as const },
  ...{ tags: [], dedicatedNamespaces: [], uniqueName: "0", displayedName: "host" },
};

describe("the supervisor", () => {
  let nowMs: number;
  let tests: number[];
  let faults: string[];
  let supervisor: Supervisor;
  let test: (instance: number) => Promise<void>;
  const bus = createBus((topic, error) => expect.fail(`${topic}: ${String(error)}`));
  beforeEach(() => {
    nowMs = 0;
    tests = [];
    faults = [];
    test = async (id) => {
      tests.push(id);
    };
    supervisor = new Supervisor({
      testEveryMs: 60_000,
      ...{ bus, topicPrefix: "", controller: "0" },
      nowMs: () => nowMs,
      test: (id) => test(id),
      onExtended: () => {},
      onState: () => {},
      onFault: (what, error) => faults.push(`${what}: ${String(error)}`),
    });
  });
  afterEach(() => supervisor.close());

  let pings = 0;
  /** Resolves when the ping has been heard: each has another displayed name. */
  async function ping(isEnabled = true): Promise<void> {
    const displayedName = `host${++pings}`;
    await bus.send("health", JSON.stringify({ name: { ...instance, displayedName }, isEnabled }));
    const isHeard = () => supervisor.invokers[0]?.instance.displayedName === displayedName;
    expect(await holdsWithin(60_000, isHeard)).to.equal(true);
  }

  function stateAt(timeMs: number): string | undefined {
    nowMs = timeMs;
    supervisor.look();
    return supervisor.invokers[0]?.state;
  }

  it("takes an invoker for down ten seconds after its last ping or completion, not earlier", async () => {
    await ping();
    supervisor.finished(0, "success");
    expect([stateAt(9_999), stateAt(10_000)]).to.deep.equal(["up", "down"]);
    await ping();
    supervisor.finished(0, "success");
    nowMs = 15_000;
    supervisor.finished(0, "success");
    expect([stateAt(24_999), stateAt(25_000)]).to.deep.equal(["up", "down"]);
  });

  it("tests a sick invoker on entry and then every minute, and a healthy or silent one never", async () => {
    await ping();
    for (nowMs = 5_000; nowMs < 120_000; nowMs += 5_000) {
      supervisor.look();
      await ping();
    }
    expect(tests).to.deep.equal([0, 0]);
    supervisor.look();
    expect(tests).to.deep.equal([0, 0, 0]);
    supervisor.finished(0, "success");
    expect(tests).to.deep.equal([0, 0, 0, 0]);
    for (; nowMs < 300_000; nowMs += 5_000) {
      supervisor.look();
      await ping();
    }
    expect(stateAt(600_000)).to.equal("down");
    expect(tests).to.deep.equal([0, 0, 0, 0]);
  });

  it("takes one that disables itself for down, until a ping says otherwise", async () => {
    await ping();
    supervisor.finished(0, "success");
    await ping(false);
    expect(supervisor.isHealthy(0)).to.equal(false);
    await ping(false);
    expect(supervisor.invokers[0]?.state).to.equal("down");
    await ping();
    expect(supervisor.invokers[0]?.state).to.equal("unhealthy");
    // On the first entry, at the success, and on the second entry.
    expect(tests).to.deep.equal([0, 0, 0]);
  });

  it("never takes one for silent that it was told to assume healthy, until it has pinged", async () => {
    supervisor.assumeHealthy(instance);
    supervisor.finished(0, "success");
    expect(stateAt(1_000_000)).to.equal("up");
    await ping();
    expect([stateAt(1_009_999), stateAt(1_010_000)]).to.deep.equal(["up", "down"]);
  });

  it("has no opinion of an invoker that never pinged", () => {
    supervisor.finished(3, "success");
    expect(supervisor.invokers).to.deep.equal([]);
    expect(supervisor.isHealthy(3)).to.equal(false);
  });

  it("tells of a test that could not be sent, and goes on", async () => {
    test = () => Promise.reject(new Error("the broker is gone"));
    await ping();
    expect(await holdsWithin(60_000, () => faults.length === 1)).to.equal(true);
    expect(faults).to.deep.equal(["test activation for invoker0: Error: the broker is gone"]);
  });

  it("names invokers as OpenWhisk does", () => {
    const { uniqueName, displayedName, ...plain } = instance;
    expect(invokerName(plain)).to.equal("invoker0");
    expect(invokerName({ ...plain, uniqueName })).to.equal("invoker0/0");
    expect(invokerName({ ...plain, uniqueName, displayedName })).to.equal("invoker0/0/host");
  });
});
