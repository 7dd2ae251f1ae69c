// Slots: memory taken and given back, and containers that concurrent activations share.

import { expect } from "chai";
import { Slots } from "../../../../standalone/balancer/slots.ts";

const alone = { key: "guest/a@0.0.1", memoryMB: 256, concurrency: 1 };
const shared = { key: "guest/b@0.0.1", memoryMB: 256, concurrency: 3 };

describe("the slots of an invoker", () => {
  it("are memory, and refuse what does not fit", () => {
    const slots = new Slots(600);
    expect([slots.tryTake(alone), slots.tryTake(alone), slots.tryTake(alone)]).to.deep.equal([
      true,
      true,
      false,
    ]);
    expect(slots.freeMB).to.equal(88);
    slots.giveBack(alone);
    expect(slots.tryTake(alone)).to.equal(true);
  });

  it("go below zero when they must, and come back", () => {
    const slots = new Slots(128);
    slots.take(alone);
    slots.take(alone);
    expect(slots.freeMB).to.equal(-384);
    expect(slots.tryTake({ ...alone, memoryMB: 1 })).to.equal(false);
    slots.giveBack(alone);
    slots.giveBack(alone);
    expect(slots.freeMB).to.equal(128);
  });

  it("hold as many activations of an action in one container as its concurrency says", () => {
    const slots = new Slots(512);
    const taken = Array.from({ length: 7 }, () => slots.tryTake(shared));
    expect(taken).to.deep.equal([true, true, true, true, true, true, false]);
    expect(slots.freeMB).to.equal(0);
  });

  it("get a container's memory back when as many places are free as it has", () => {
    const slots = new Slots(512);
    for (let i = 0; i < 4; i++) {
      slots.take(shared);
    }
    expect(slots.freeMB).to.equal(0);
    // Two of four are over: with the two places never taken that is one whole container, and a place in the other.
    slots.giveBack(shared);
    expect(slots.freeMB).to.equal(256);
    slots.giveBack(shared);
    expect(slots.freeMB).to.equal(256);
    slots.giveBack(shared);
    slots.giveBack(shared);
    expect(slots.freeMB).to.equal(512);
  });

  it("are not shared by actions of other names or versions", () => {
    const slots = new Slots(512);
    slots.take(shared);
    slots.take({ ...shared, key: "guest/b@0.0.2" });
    expect(slots.freeMB).to.equal(0);
  });

  it("of an over-committed shared container come back as well", () => {
    const slots = new Slots(0);
    for (let i = 0; i < 5; i++) {
      slots.take(shared);
    }
    expect(slots.freeMB).to.equal(-512);
    for (let i = 0; i < 5; i++) {
      slots.giveBack(shared);
    }
    expect(slots.freeMB).to.equal(0);
  });
});
