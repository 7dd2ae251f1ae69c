// Parts of containers made ahead: who gets which, which are had again, and what is done where none can be made.

import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { MadeAhead } from "../../../pool/lean/made-ahead.ts";
import { type Alarm, realAlarm } from "../../../pool/time.ts";
import { within } from "../../within.ts";

class FakeNetwork {
  readonly number: number;
  isClosed: boolean = false;
  hasEnded: boolean = false;
  unused: Promise<boolean> = Promise.resolve(true);

  constructor(number: number) {
    this.number = number;
  }

  isUnused(): Promise<boolean> {
    return this.unused;
  }

  close(): void {
    expect(this.isClosed, "closed once").to.equal(false);
    this.isClosed = true;
  }
}

describe("parts of containers made ahead", () => {
  let made: FakeNetwork[];
  let atOnce: number;
  let making: number;
  let refusal: Error | undefined;
  const slots = (ahead: number, alarm?: Alarm): MadeAhead<FakeNetwork> =>
    new MadeAhead(
      ahead,
      async () => {
        if (refusal) throw refusal;
        making++;
        atOnce = Math.max(atOnce, making);
        await nextTurn();
        making--;
        const slot = new FakeNetwork(made.length);
        made.push(slot);
        return slot;
      },
      alarm,
    );
  const ready = (of: MadeAhead<FakeNetwork>, count: number) =>
    within(10_000, () => of.ready === count || undefined);
  beforeEach(() => {
    [made, atOnce, making, refusal] = [[], 0, 0, undefined];
  });

  it("are made from the first that is wanted on, so many and no more", async () => {
    const all = slots(4);
    await nextTurn();
    expect(made).to.deep.equal([]);
    await all.take();
    await ready(all, 4);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(made).to.have.length(5);
    await all.close();
    expect(made.every(({ isClosed }) => isClosed)).to.equal(true);
  });

  it("are none while memory is saved, but for those who wait, and so many again afterwards", async () => {
    const all = slots(2);
    const first = await all.take();
    await ready(all, 2);
    all.pause(true);
    expect([all.ready, made.filter(({ isClosed }) => isClosed).length]).to.deep.equal([0, 2]);
    const second = await all.take();
    all.giveBack(first);
    await within(10_000, () => made.filter(({ isClosed }) => isClosed).length === 3 || undefined);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect([all.ready, made.length, second.isClosed]).to.deep.equal([0, 4, false]);
    all.pause(true);
    all.pause(false);
    await ready(all, 2);
    await all.close();
    expect(made.every(({ isClosed }) => isClosed)).to.equal(true);
  });

  it("are closed when they are made while memory is saved, and nobody waits for them any more", async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const all = new MadeAhead(1, async () => {
      const one = new FakeNetwork(made.length);
      if (made.push(one) > 1) await held;
      return one;
    });
    await all.take();
    await within(10_000, () => made.length === 2 || undefined);
    all.pause(true);
    go();
    await within(10_000, () => made[1]?.isClosed === true || undefined);
    expect(all.ready).to.equal(0);
    await all.close();
  });

  it("are closed where they have ended by themselves, and made again once somebody wants one", async () => {
    const all = slots(2);
    const first = await all.take();
    await ready(all, 2);
    all.drop(first);
    const [, ended] = made;
    if (ended === undefined) throw new Error("there are two");
    all.drop(ended);
    expect([all.ready, ended.isClosed, first.isClosed]).to.deep.equal([1, true, false]);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(made).to.have.length(3);
    await all.take();
    await ready(all, 2);
    all.giveBack(first);
    await all.close();
    expect(made.every(({ isClosed }) => isClosed)).to.equal(true);
  });

  it("are made again after a while where they have ended or could not be made, and nobody has come", async () => {
    let retry: (() => void) | undefined;
    const all = slots(1, (afterMs, ring) => {
      if (afterMs < 1000) return realAlarm(afterMs, ring);
      retry = ring;
      return () => {
        retry = undefined;
      };
    });
    await all.take();
    await ready(all, 1);
    refusal = new LeanError("start", "not booted");
    for (const one of made) all.drop(one);
    const first = retry;
    first?.();
    expect(await within(10_000, () => (retry !== undefined && retry !== first) || undefined)).to.equal(true);
    refusal = undefined;
    retry?.();
    expect(await ready(all, 1)).to.equal(true);
    all.drop(made[2] as FakeNetwork);
    await all.close();
    expect(retry).to.equal(undefined);
  });

  it("are told whether somebody waits for them", async () => {
    const told: boolean[] = [];
    const all = new MadeAhead(2, async (isWanted) => {
      told.push(isWanted);
      await nextTurn();
      return new FakeNetwork(0);
    });
    await all.take();
    await ready(all, 2);
    expect(told).to.deep.equal([true, false, false]);
    await Promise.all(Array.from({ length: 6 }, () => all.take()));
    expect(told.slice(3)).to.include(true);
    await all.close();
  });

  it("are made ahead when a burst is over, or lasts for too long", async () => {
    const alarms = new Map<number, () => void>();
    let number = 0;
    const all = new MadeAhead(
      4,
      () => Promise.resolve(new FakeNetwork(number++)),
      (afterMs, ring) => {
        alarms.set(afterMs, ring);
        return () => alarms.delete(afterMs);
      },
    );
    const settled = async (): Promise<number> => {
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      return all.ready;
    };
    const ring = (afterMs: number): void => {
      const rung = alarms.get(afterMs);
      alarms.delete(afterMs);
      rung?.();
    };
    await all.take();
    expect(await settled()).to.equal(0);
    const [calmMs = 0, patienceMs = 0] = [...alarms.keys()];
    ring(calmMs);
    expect([await settled(), alarms.size]).to.deep.equal([4, 0]);
    for (let i = 0; i < 4; i++) await all.take();
    expect([await settled(), alarms.size]).to.deep.equal([0, 2]);
    ring(patienceMs);
    expect(await settled()).to.equal(4);
    await all.close();
    expect(alarms.size).to.equal(0);
  });

  it("are replaced before anybody wants them where they have ended", async () => {
    const all = slots(3);
    await all.take();
    await ready(all, 3);
    all.sweep();
    expect([made.length, all.ready]).to.deep.equal([4, 3]);
    const [, ended, left] = made as [FakeNetwork, FakeNetwork, FakeNetwork];
    ended.hasEnded = true;
    all.sweep();
    expect([ended.isClosed, left.isClosed, all.ready]).to.deep.equal([true, false, 2]);
    await ready(all, 3);
    expect([made.length, await all.take()]).to.deep.equal([5, left]);
    await all.close();
  });

  it("go to as many as come at the same moment, a few being made at a time", async () => {
    const all = slots(2);
    const taken = await Promise.all(Array.from({ length: 40 }, () => all.take()));
    expect(new Set(taken)).to.have.length(40);
    expect(atOnce).to.be.at.most(2 * availableParallelism());
    await all.close();
  });

  it("are had again where they show no trace, and thrown away where they do", async () => {
    const all = slots(2);
    const [first, second] = [await all.take(), await all.take()];
    second.unused = Promise.resolve(false);
    await ready(all, 2);
    expect(await all.take()).to.have.property("number", 2);
    all.giveBack(first);
    all.giveBack(second);
    await within(10_000, () => all.counts.discarded || undefined);
    expect(first.isClosed).to.equal(false);
    expect(second.isClosed).to.equal(true);
    expect(all.counts).to.deep.include({ reused: 1, discarded: 1 });
    expect([await all.take(), await all.take()]).to.include(first);
    await all.close();
  });

  it("are not had before it is known that they show none", async () => {
    const all = slots(0);
    const only = await all.take();
    let tell = (_unused: boolean): void => undefined;
    only.unused = new Promise((resolve) => {
      tell = resolve;
    });
    const next = all.take();
    refusal = new LeanError("no-address", "all are in use");
    all.giveBack(only);
    const later = all.take();
    expect(await next).to.not.equal(only);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    tell(true);
    expect(await later).to.equal(only);
    await all.close();
  });

  it("are not kept beyond their number", async () => {
    const all = slots(1);
    const taken = await Promise.all([all.take(), all.take(), all.take()]);
    await ready(all, 1);
    for (const slot of taken) all.giveBack(slot);
    expect(taken.filter(({ isClosed }) => isClosed)).to.have.length(3);
    expect(all.ready).to.equal(1);
    await all.close();
  });

  it("tell who wants one why there is none, and nobody else; and are tried again for the next", async () => {
    const all = slots(3);
    refusal = new LeanError("no-address", "all addresses are in use");
    const refused = await Promise.allSettled([all.take(), all.take()]);
    expect(refused.map((one) => one.status === "rejected" && one.reason)).to.deep.equal([refusal, refusal]);
    refusal = undefined;
    await all.take();
    await ready(all, 3);
    await all.close();
  });

  it("are made for who has come to wait for one that nobody wanted and that cannot be made", async () => {
    let fail = (): void => undefined;
    const asked: boolean[] = [];
    const all = new MadeAhead(1, async (isWanted) => {
      asked.push(isWanted);
      if (!isWanted)
        await new Promise((_, reject) => {
          fail = () => reject(new LeanError("start", "not booted"));
        });
      return new FakeNetwork(asked.length);
    });
    await all.take();
    expect(await within(10_000, () => asked.length === 2 || undefined)).to.equal(true);
    const waiting = all.take();
    fail();
    expect((await waiting).number).to.equal(3);
    expect(asked.slice(0, 3)).to.deep.equal([true, false, true]);
    const closing = all.close();
    fail();
    await closing;
  });

  it("are had by who wants one also where there is room for that one alone", async () => {
    const full = new LeanError("no-address", "all addresses are in use");
    const last = new FakeNetwork(0);
    let isTaken = false;
    const all = new MadeAhead(3, async () => {
      if (isTaken) throw full;
      isTaken = true;
      await nextTurn();
      return last;
    });
    expect(await all.take()).to.equal(last);
    expect(await all.take().catch((error: unknown) => error)).to.equal(full);
    await all.close();
  });

  it("are given up for others, and made again when they are wanted", async () => {
    const all = slots(3);
    await all.take();
    await ready(all, 3);
    expect(await all.empty()).to.equal(true);
    expect(all.ready).to.equal(0);
    expect(await all.empty()).to.equal(false);
    await all.take();
    await ready(all, 3);
    await all.close();
  });

  it("are given up for all who need it at once", async () => {
    const all = slots(3);
    await all.take();
    await ready(all, 3);
    expect(await Promise.all([all.empty(), all.empty()])).to.deep.equal([true, true]);
    await all.close();
  });

  it("are never had where they have ended", async () => {
    const all = slots(2);
    const first = await all.take();
    await ready(all, 2);
    for (const one of made) if (one !== first) one.hasEnded = true;
    expect((await all.take()).hasEnded).to.equal(false);
    await all.close();
    expect(made.every(({ isClosed }) => isClosed)).to.equal(true);
  });

  it("trouble nobody where they cannot be closed once they are given back", async () => {
    const all = slots(0);
    const one = await all.take();
    one.close = () => {
      throw new Error("its place cannot be given back");
    };
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    try {
      all.giveBack(one);
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      await all.close();
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
    expect(unhandled).to.deep.equal([]);
  });

  it("are closed at the end although they have not been given back", async () => {
    const all = slots(0);
    const kept = await all.take();
    await all.close();
    expect(kept.isClosed).to.equal(true);
  });

  it("leave nothing open, also of those that are being made or given back at the end", async () => {
    const all = slots(3);
    const one = await all.take();
    all.giveBack(one);
    await all.close();
    expect(made.every(({ isClosed }) => isClosed)).to.equal(true);
    const refused = await all.take().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(LeanError).with.property("code", "closed");
  });
});
