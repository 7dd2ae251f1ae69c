// The bus in memory: order, back-pressure, and ends.

import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { createBus } from "../../../standalone/bus.ts";

describe("the bus of one machine", () => {
  it("hands over what was sent before and after the subscription, in order", async () => {
    const bus = createBus(() => {});
    const read: string[] = [];
    await bus.send("t", "1");
    const subscription = bus.subscribe("t", (message) => {
      read.push(message);
    });
    await bus.send("t", "2");
    await bus.send("other", "x");
    await bus.send("t", "3");
    await sleep(1);
    await subscription.stop();
    expect(read).to.deep.equal(["1", "2", "3"]);
  });

  it("does not read on before the handler has resolved", async () => {
    const bus = createBus(() => {});
    const read: string[] = [];
    let release = (): void => {};
    const subscription = bus.subscribe("t", async (message) => {
      read.push(message);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await bus.send("t", "1");
    await bus.send("t", "2");
    await sleep(1);
    expect(read).to.deep.equal(["1"]);
    release();
    await sleep(1);
    expect(read).to.deep.equal(["1", "2"]);
    release();
    await subscription.stop();
  });

  it("stops only after the handler under way, leaves the rest for the next reader, and stops twice", async () => {
    const bus = createBus(() => {});
    let isHandled = false;
    let finish = (): void => {};
    let begin = (): void => {};
    const hasBegun = new Promise<void>((resolve) => (begin = resolve));
    const first = bus.subscribe("t", async () => {
      const isOver = new Promise<void>((resolve) => (finish = resolve));
      begin();
      await isOver;
      isHandled = true;
    });
    await bus.send("t", "1");
    await bus.send("t", "2");
    await hasBegun;
    const stops = Promise.all([first.stop(), first.stop()]);
    finish();
    await stops;
    expect(isHandled).to.equal(true);
    const read: string[] = [];
    let see = (): void => {};
    const wasRead = new Promise<void>((resolve) => (see = resolve));
    const second = bus.subscribe("t", (message) => {
      read.push(message);
      see();
    });
    await wasRead;
    await second.stop();
    expect(read).to.deep.equal(["2"]);
  });

  it("refuses a second reader of a topic", async () => {
    const bus = createBus(() => {});
    const subscription = bus.subscribe("t", () => {});
    expect(() => bus.subscribe("t", () => {})).to.throw("has a reader already");
    await subscription.stop();
  });

  it("gives every group all messages, the first one those before it, and each message to one reader of a group", async () => {
    const bus = createBus(() => {});
    const read: string[] = [];
    await bus.send("t", "1");
    const first = bus.subscribe("t", (message) => void read.push(`a${message}`), { group: "a" });
    const second = bus.subscribe("t", (message) => void read.push(`b${message}`), { group: "b" });
    expect(() => bus.subscribe("t", () => {}, { group: "b" })).to.throw("has a reader already");
    await bus.send("t", "2");
    await sleep(1);
    await Promise.all([first.stop(), second.stop()]);
    expect(read).to.have.members(["a1", "a2", "b2"]);
  });

  it("goes on after a handler that throws, and tells", async () => {
    const faults: string[] = [];
    const bus = createBus((topic, error) => faults.push(`${topic} ${String(error)}`));
    const read: string[] = [];
    const subscription = bus.subscribe("t", (message) => {
      read.push(message);
      throw new Error(`no ${message}`);
    });
    await bus.send("t", "1");
    await bus.send("t", "2");
    await sleep(1);
    await subscription.stop();
    expect(read).to.deep.equal(["1", "2"]);
    expect(faults).to.deep.equal(["t Error: no 1", "t Error: no 2"]);
  });

  it("keeps ten thousand waiting messages in order", async () => {
    const bus = createBus(() => {});
    for (let i = 0; i < 10_000; i++) {
      await bus.send("t", String(i));
    }
    const read: string[] = [];
    const subscription = bus.subscribe("t", (message) => {
      read.push(message);
    });
    await sleep(20);
    await subscription.stop();
    expect(read).to.have.length(10_000);
    expect(read.every((message, i) => message === String(i))).to.equal(true);
  });
});
