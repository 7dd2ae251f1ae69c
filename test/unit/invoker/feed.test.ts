// Reading the topic: never more at a time than there is room for, never a message twice, never stuck.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { Bus, Subscription, SubscriptionOptions } from "../../../invoker/bus/bus.ts";
import { Feed, type Progress } from "../../../invoker/feed.ts";
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

  subscribe(
    _topic: string,
    handle: (message: string) => Promise<void> | void,
    { foresee = () => undefined }: SubscriptionOptions = {},
  ): Subscription {
    const reading = this.#readAll((message) => {
      foresee(message);
      return handle(message);
    });
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

/** The activation id that ends in a digit or some. */
const idOf = (digits: string): string => digits.padStart(32, "0");

describe("the feed", () => {
  function fed(
    capacity: number,
    places: () => number = () => capacity,
    parked: () => number = () => 0,
  ): {
    bus: TestBus;
    feed: Feed;
    running: (() => void)[];
    progress: Progress[];
    ran: string[];
    unreadable: unknown[];
    faults: unknown[];
    foreseen: string[];
  } {
    const bus = new TestBus();
    const running: (() => void)[] = [];
    const progress: Progress[] = [];
    const ran: string[] = [];
    const unreadable: unknown[] = [];
    const faults: unknown[] = [];
    const run = (order: Order, its: Progress): Promise<void> => {
      if (order.message.activationId === idOf("f")) return Promise.reject(new Error("a fault of ours"));
      progress.push(its);
      ran.push(order.message.activationId.replace(/^0+/, ""));
      return new Promise((resolve) => running.push(resolve));
    };
    const onUnreadable = (error: unknown): void => void unreadable.push(error);
    const onFault = (_order: Order, error: unknown): void => void faults.push(error);
    const foreseen: string[] = [];
    const foresee = (id: string, revision: string): void => void foreseen.push(`${id} ${revision}`);
    const parts = { bus, topic: "invoker0", capacity, places, parked, run, foresee, onUnreadable, onFault };
    return { bus, feed: new Feed(parts), running, progress, ran, unreadable, faults, foreseen };
  }
  const send = (bus: TestBus, activationId: string): Promise<void> =>
    bus.send("invoker0", JSON.stringify(messageFields({ activationId: idOf(activationId) })));

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

  it("takes the next message though an ack of the one before is not taken yet, and waits for that at the end", async () => {
    const { bus, feed, running, progress, ran } = fed(1);
    for (const id of ["1", "2", "3"]) await send(bus, id);
    await pause(10);
    expect(ran).to.deep.equal(["1"]);
    progress[0]?.released();
    progress[0]?.released();
    await pause(10);
    expect(ran).to.deep.equal(["1", "2"]);
    expect(feed.underWay).to.equal(2);
    running[0]?.();
    await pause(10);
    expect(ran).to.deep.equal(["1", "2"]);
    running[1]?.();
    await pause(10);
    expect(ran).to.deep.equal(["1", "2", "3"]);
    running[2]?.();
    await feed.stop();
    await feed.idle();
  });

  for (const [what, messageLength, keptLength] of [
    ["however short they are", 0, 0],
    ["by the length of their messages", 1_000_000, 0],
    ["by the length of what they keep beside those", 0, 1_000_000],
  ] as const)
    it(`takes no more than may wait until the bus takes their acks, ${what}`, async () => {
      const most = messageLength + keptLength === 0 ? 2_048 : 34;
      const { bus, feed, running, progress, ran } = fed(1, undefined, () => 1);
      const content = { filling: "x".repeat(messageLength) };
      const all = most + 20;
      for (let sent = 0; sent < all; sent++) {
        await bus.send("invoker0", JSON.stringify(messageFields({ activationId: idOf("1"), content })));
      }
      const releaseAll = async (): Promise<void> => {
        for (let released = 0; released < progress.length; released++) {
          progress[released]?.released(keptLength);
          await nextTurn();
        }
      };
      await releaseAll();
      expect(ran.length).to.be.within(most * 0.9, most);
      expect([feed.isHeldBack, feed.underWay]).to.deep.equal([true, ran.length]);
      running[0]?.();
      await nextTurn();
      expect(ran.length, "there is room for one again").to.be.within(most * 0.9, most + 1);
      for (let ended = 1; ended < all; ended++) {
        running[ended]?.();
        await nextTurn();
      }
      expect([ran.length, feed.isHeldBack]).to.deep.equal([all, false]);
      await feed.idle();
      await feed.stop();
    });

  it("stops although it takes no more until acks are taken", async () => {
    const { bus, feed, running, progress, ran } = fed(1);
    for (const id of ["1", "2"]) await send(bus, id);
    await nextTurn();
    progress[0]?.released(Number.MAX_SAFE_INTEGER);
    await nextTurn();
    expect([ran, feed.isHeldBack]).to.deep.equal([["1"], true]);
    await feed.stop();
    running[0]?.();
    await feed.idle();
    expect(ran).to.deep.equal(["1"]);
  });

  it("leaves on the bus what could not have a container soon", async () => {
    let places = 2;
    const { bus, feed, running, progress, ran } = fed(16, () => places);
    for (const id of ["1", "2", "3", "4", "5", "6"]) await send(bus, id);
    await pause(10);
    expect(ran).to.deep.equal(["1", "2"]);
    progress[1]?.placed();
    progress[1]?.placed();
    await pause(10);
    expect(ran, "one has its container, however often that is said").to.deep.equal(["1", "2", "3"]);
    places = 3;
    feed.lookAgain();
    await pause(10);
    expect(ran, "there is one place more").to.deep.equal(["1", "2", "3", "4"]);
    running[0]?.();
    running[1]?.();
    await pause(10);
    expect(ran, "one ended without a container, and one had one").to.deep.equal(["1", "2", "3", "4", "5"]);
    for (const end of running) end();
    await pause(10);
    expect(ran.length).to.equal(6);
    running.at(-1)?.();
    await feed.idle();
    await feed.stop();
  });

  it("does not let others wait for those that may wait for ever", async () => {
    let parked = 0;
    const { bus, feed, running, ran } = fed(
      3,
      () => 2,
      () => parked,
    );
    for (const id of ["1", "2", "3", "4", "5"]) await send(bus, id);
    await pause(10);
    expect(ran).to.deep.equal(["1", "2"]);
    parked = 2;
    feed.lookAgain();
    await pause(10);
    expect(ran).to.deep.equal(["1", "2", "3", "4"]);
    parked = 0;
    running[0]?.();
    running[1]?.();
    await pause(10);
    expect(ran, "all are counted again").to.deep.equal(["1", "2", "3", "4"]);
    running[2]?.();
    await pause(10);
    expect(ran).to.deep.equal(["1", "2", "3", "4", "5"]);
    for (const end of running) end();
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

  it("says which action will be run, where a message names a revision and is not too long to be read twice", async () => {
    const { bus, feed, running, ran, foreseen } = fed(8);
    await bus.send("invoker0", "{");
    for (const [id, revision, length] of [
      ["1", "1-abc", 1],
      ["2", null, 1],
      ["3", "3-abc", 100_000],
    ] as const) {
      const fields = { activationId: idOf(id), revision, content: { filling: "x".repeat(length) } };
      await bus.send("invoker0", JSON.stringify(messageFields(fields)));
    }
    await pause(10);
    expect([ran, foreseen]).to.deep.equal([["1", "2", "3"], ["guest/hello 1-abc"]]);
    for (const end of running) end();
    await feed.stop();
  });

  it("gives the room back and goes on after a fault of ours", async () => {
    const { bus, feed, running, ran, faults } = fed(1);
    await send(bus, "f");
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
