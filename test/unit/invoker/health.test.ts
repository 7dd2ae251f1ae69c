// What controllers hear of the invoker itself: one ping after the other, and who is disabled is silent.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { Health } from "../../../invoker/health.ts";
import { instanceOf } from "../../../invoker/instance.ts";

const settings = { ...defaultInvokerSettings(), uniqueName: "0", displayedName: "invoker-0.example" };
const instance = instanceOf({ ...settings, tags: ["gpu"], dedicatedNamespaces: ["guest"] });

/** A bus that takes pings when the test says so, and a clock that the test moves. */
class Listener {
  readonly pings: string[] = [];
  readonly changes: unknown[] = [];
  nowMs = 5_000;
  /** How the bus takes the ping under way. */
  taken: (error?: Error) => void = () => undefined;
  /** The alarm that is set. */
  alarm: { readonly afterMs: number; readonly ring: () => void } | undefined;
  readonly health = new Health({
    instance,
    clock: { nowMs: () => this.nowMs },
    send: (ping) => {
      this.pings.push(ping);
      return new Promise((resolve, reject) => {
        this.taken = (error) => (error === undefined ? resolve() : reject(error));
      });
    },
    onChange: (failure) => this.changes.push(failure),
    alarm: (afterMs, ring) => {
      this.alarm = { afterMs, ring };
      return () => {
        this.alarm = undefined;
      };
    },
  });

  get told(): boolean[] {
    return this.pings.map((ping) => (JSON.parse(ping) as { isEnabled: boolean }).isEnabled);
  }

  async take(error?: Error): Promise<void> {
    this.taken(error);
    await nextTurn();
  }

  async ring(): Promise<void> {
    this.alarm?.ring();
    await nextTurn();
  }

  async end(): Promise<void> {
    const ended = this.health.stop();
    this.taken();
    await ended;
  }
}

describe("the health of an invoker", () => {
  let listener = new Listener();
  beforeEach(() => {
    listener = new Listener();
  });
  afterEach(() => listener.end());

  it("is told at once, with all that controllers know of it", () => {
    expect(listener.pings.map((ping) => JSON.parse(ping))).to.deep.equal([
      {
        name: {
          instance: 0,
          userMemory: "2147483648 B",
          instanceType: "invoker",
          tags: ["gpu"],
          dedicatedNamespaces: ["guest"],
          uniqueName: "0",
          displayedName: "invoker-0.example",
        },
        isEnabled: true,
      },
    ]);
  });

  it("is told again a second after the last ping began, and never while one is under way", async () => {
    await listener.ring();
    expect(listener.pings.length).to.equal(1);
    listener.nowMs += 300;
    await listener.take();
    expect(listener.alarm?.afterMs).to.equal(700);
    expect(listener.pings.length).to.equal(1);
    await listener.ring();
    expect(listener.pings.length).to.equal(2);
    listener.nowMs += 60_000;
    await listener.take();
    expect(listener.alarm?.afterMs, "at once, but not once for each second missed").to.equal(0);
    await listener.ring();
    expect(listener.pings.length).to.equal(3);
  });

  it("is told within a second although the clock goes back", async () => {
    listener.nowMs -= 3_600_000;
    await listener.take();
    expect(listener.alarm?.afterMs).to.equal(1000);
  });

  it("is disabled by one ping after the one under way, and by silence", async () => {
    expect(listener.health.disable()).to.equal(true);
    expect(listener.health.isEnabled).to.equal(false);
    expect(listener.told).to.deep.equal([true]);
    await listener.take();
    expect(listener.told).to.deep.equal([true, false]);
    await listener.take();
    await listener.health.noticed();
    await listener.ring();
    expect(listener.alarm, "nothing is to come").to.equal(undefined);
    expect(listener.told).to.deep.equal([true, false]);
  });

  it("is told at once when disabled and when enabled between two pings", async () => {
    await listener.take();
    listener.health.disable();
    await nextTurn();
    expect(listener.told).to.deep.equal([true, false]);
    await listener.take();
    await listener.ring();
    expect(listener.health.enable()).to.equal(true);
    await nextTurn();
    expect(listener.told).to.deep.equal([true, false, true]);
    await listener.take();
    await listener.ring();
    expect(listener.told).to.deep.equal([true, false, true, true]);
  });

  it("keeps the order of a quick change of mind", async () => {
    listener.health.disable();
    listener.health.enable();
    await listener.take();
    await listener.take();
    expect(listener.told).to.deep.equal([true, false, true]);
  });

  it("repeats a repeated disabling, and only that", async () => {
    listener.health.disable();
    await listener.take();
    await listener.take();
    expect(listener.health.disable()).to.equal(false);
    await nextTurn();
    expect(listener.told).to.deep.equal([true, false, false]);
    await listener.take();
    listener.health.enable();
    await nextTurn();
    expect(listener.health.enable()).to.equal(false);
    await listener.take();
    expect(listener.told).to.deep.equal([true, false, false, true]);
  });

  it("says so once when the bus takes no pings, and once when it does again", async () => {
    expect(listener.health.isHeard).to.equal(undefined);
    const gone = new Error("the broker is gone");
    for (const error of [gone, gone, undefined, undefined, gone]) {
      await listener.take(error);
      await listener.ring();
    }
    expect(listener.changes).to.deep.equal([gone, undefined, gone]);
    expect(listener.health.isHeard).to.equal(false);
    expect(listener.pings.length).to.equal(6);
  });

  it("says so once as well when the bus keeps a ping to itself, as one does that waits for its broker", async () => {
    await listener.ring();
    expect(listener.changes.map(String)).to.deep.equal(["Error: no answer for 5 s"]);
    expect(listener.health.isHeard).to.equal(false);
    await listener.take();
    expect(listener.changes.at(-1)).to.equal(undefined);
    expect(listener.health.isHeard).to.equal(true);
    expect(listener.pings.length, "nothing has piled up").to.equal(1);
  });

  it("goes on telling that it is disabled until the bus takes it", async () => {
    listener.health.disable();
    await listener.take();
    await listener.take(new Error("the broker is gone"));
    await listener.ring();
    expect(listener.told).to.deep.equal([true, false, false]);
    await listener.take();
    await listener.health.noticed();
    await listener.ring();
    expect(listener.told).to.deep.equal([true, false, false]);
  });

  it("is told no more once stopped", async () => {
    await listener.take();
    await listener.health.stop();
    expect(listener.alarm).to.equal(undefined);
    expect(listener.pings.length).to.equal(1);
  });

  it("is nobody's business without controllers", async () => {
    const alone = new Health({
      instance,
      clock: { nowMs: () => 0 },
      onChange: () => expect.fail("nothing changes"),
    });
    expect([alone.disable(), alone.isEnabled, alone.enable(), alone.isEnabled]).to.deep.equal([
      true,
      false,
      true,
      true,
    ]);
    await alone.noticed();
    await alone.stop();
  });
});
