// Reading the topic: never more at a time than there is room for, never a message twice, never stuck.

import { expect } from "chai";
import type { Bus, Subscription } from "../../../invoker/bus/bus.ts";
import { Feed } from "../../../invoker/feed.ts";
import type { Order } from "../../../invoker/wire/orders.ts";
import { messageFields } from "./orders.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One topic in memory, read as the interface says. */
class TestBus implements Bus {
  readonly messages: string[] = [];
  read = 0;
  #wake: (() => void) | undefined;
  #isStopped: boolean = false;

  send(_topic: string, message: string): Promise<void> {
    this.messages.push(message);
    this.#wake?.();
    return Promise.resolve();
  }

  subscribe(_topic: string, handle: (message: string) => Promise<void> | void): Subscription {
    const reading = this.#readAll(handle);
    return {
      stop: () => {
        this.#isStopped = true;
        this.#wake?.();
        return reading;
      },
    };
  }

  async #readAll(handle: (message: string) => Promise<void> | void): Promise<void> {
    while (!this.#isStopped) {
      const message = this.messages[this.read];
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else {
        this.read++;
        await handle(message);
      }
    }
  }
}

describe("the feed", () => {
  function fed(capacity: number): {
    bus: TestBus;
    feed: Feed;
    running: (() => void)[];
    ran: string[];
    unreadable: unknown[];
    faults: unknown[];
  } {
    const bus = new TestBus();
    const running: (() => void)[] = [];
    const ran: string[] = [];
    const unreadable: unknown[] = [];
    const faults: unknown[] = [];
    const run = (order: Order): Promise<void> => {
      if (order.message.activationId === "fault") return Promise.reject(new Error("a fault of ours"));
      ran.push(order.message.activationId);
      return new Promise((resolve) => running.push(resolve));
    };
    const onUnreadable = (error: unknown): void => void unreadable.push(error);
    const onFault = (_order: Order, error: unknown): void => void faults.push(error);
    const feed = new Feed({ bus, topic: "invoker0", capacity, run, onUnreadable, onFault });
    return { bus, feed, running, ran, unreadable, faults };
  }
  const send = (bus: TestBus, activationId: string): Promise<void> =>
    bus.send("invoker0", JSON.stringify(messageFields({ activationId })));

  it("leaves on the bus what there is no room for", async () => {
    const { bus, feed, running, ran } = fed(2);
    for (const id of ["1", "2", "3", "4"]) await send(bus, id);
    await pause(10);
    expect([ran, bus.read]).to.deep.equal([["1", "2"], 2]);
    running.shift()?.();
    await pause(10);
    expect([ran, bus.read, feed.underWay]).to.deep.equal([["1", "2", "3"], 3, 2]);
    for (let end = running.shift(); end !== undefined; end = running.shift()) {
      end();
      await pause(5);
    }
    expect(ran).to.deep.equal(["1", "2", "3", "4"]);
    await feed.idle();
    await feed.stop();
  });

  it("skips what it cannot read, and goes on", async () => {
    const { bus, feed, running, ran, unreadable } = fed(1);
    await bus.send("invoker0", "{");
    await bus.send("invoker0", "{}");
    await send(bus, "1");
    await pause(10);
    expect([unreadable.length, ran]).to.deep.equal([2, ["1"]]);
    running[0]?.();
    await feed.stop();
  });

  it("gives the room back and goes on after a fault of ours", async () => {
    const { bus, feed, running, ran, faults } = fed(1);
    await send(bus, "fault");
    await send(bus, "1");
    await pause(10);
    expect([faults.length, ran]).to.deep.equal([1, ["1"]]);
    running[0]?.();
    await feed.stop();
  });

  it("stops although it is full, and takes no more", async () => {
    const { bus, feed, running, ran } = fed(1);
    await send(bus, "1");
    await send(bus, "2");
    await pause(10);
    await feed.stop();
    expect([ran, feed.underWay]).to.deep.equal([["1"], 1]);
    running[0]?.();
    await feed.idle();
    await pause(10);
    expect(ran).to.deep.equal(["1"]);
  });
});
