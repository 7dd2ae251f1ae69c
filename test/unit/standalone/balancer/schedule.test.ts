// Where activations go: home, steps, shares of invokers, overload, and nobody healthy.

import { expect } from "chai";
import { type Placement, Schedule } from "../../../../standalone/balancer/schedule.ts";

/** Its hash is 13198339: with 9 candidates it is at home on 1 and goes on in steps of 7. */
const hello: Placement = {
  ...{ namespace: "guest", action: "guest/hello", isBlackbox: false },
  ...{ key: "guest/hello@0.0.1", memoryMB: 256, concurrency: 1 },
};
const settings = { clusterSize: 1, memoryMinMB: 128, managedFraction: 0.9, blackboxFraction: 0.1 };

function scheduleOf(
  count: number,
  changes: Partial<typeof settings> & { readonly sick?: readonly number[]; readonly random?: number } = {},
): Schedule {
  const { sick = [], random = 0, ...rest } = changes;
  const isHealthy = (instance: number): boolean => !sick.includes(instance);
  const schedule = new Schedule({ ...settings, ...rest }, isHealthy, () => random);
  if (count > 0) {
    schedule.extend(count - 1, 512);
  }
  return schedule;
}

function choices(schedule: Schedule, placement: Placement, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => schedule.choose(placement)?.instance);
}

describe("the schedule", () => {
  it("fills an action's home, then goes on in its steps", () => {
    expect(choices(scheduleOf(10), hello, 18)).to.deep.equal(
      [1, 8, 6, 4, 2, 0, 7, 5, 3].flatMap((instance) => [instance, instance]),
    );
  });

  it("passes by who is not healthy", () => {
    expect(choices(scheduleOf(10, { sick: [1, 6] }), hello, 4)).to.deep.equal([8, 8, 4, 4]);
  });

  it("comes home again when a slot there is free", () => {
    const schedule = scheduleOf(10);
    choices(schedule, hello, 3);
    schedule.release(1, hello);
    expect(schedule.choose(hello)).to.deep.equal({ instance: 1, isOverloaded: false });
  });

  it("gives images of users the last invokers, and all others the first", () => {
    const image = { ...hello, isBlackbox: true };
    const shares: readonly (readonly [number, number, number])[] = [
      // Invokers, how many are for kinds of the manifest, how many for images.
      [1, 1, 1],
      [2, 2, 1],
      [9, 9, 1],
      [10, 9, 1],
      [20, 18, 2],
      [25, 23, 2],
    ];
    for (const [count, managed, blackbox] of shares) {
      const used = (placement: Placement) => [...new Set(choices(scheduleOf(count), placement, 2 * count))];
      const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);
      expect(used(hello), `${count} invokers`).to.have.members(range(0, managed));
      expect(used(image), `${count} invokers`).to.have.members(range(count - blackbox, blackbox));
    }
  });

  it("leaves no invoker without work when the fractions do not add up to one", () => {
    const schedule = scheduleOf(10, { managedFraction: 0.5, blackboxFraction: 0.1 });
    const used = new Set(choices(schedule, { ...hello, isBlackbox: true }, 10));
    expect([...used]).to.have.members([5, 6, 7, 8, 9]);
  });

  it("sends more than fits to any healthy candidate", () => {
    const schedule = scheduleOf(3, { sick: [0], random: 0.99 });
    expect(choices(schedule, hello, 4)).to.have.members([1, 1, 2, 2]);
    expect(schedule.choose(hello)).to.deep.equal({ instance: 2, isOverloaded: true });
    expect(schedule.freeMB(2)).to.equal(-256);
  });

  it("finds nobody where nobody is healthy, or known at all", () => {
    expect(scheduleOf(3, { sick: [0, 1, 2] }).choose(hello)).to.equal(undefined);
    expect(scheduleOf(0).choose(hello)).to.equal(undefined);
  });

  it("gives each controller its part of the memory, but always enough for the smallest action", () => {
    expect(scheduleOf(1, { clusterSize: 2 }).freeMB(0)).to.equal(256);
    expect(scheduleOf(1, { clusterSize: 5 }).freeMB(0)).to.equal(128);
  });

  it("takes invokers in gaps for as large as the one that made them known, and leaves the others as they are", () => {
    const schedule = scheduleOf(1);
    schedule.extend(2, 2048);
    expect([0, 1, 2, 3].map((instance) => schedule.freeMB(instance))).to.deep.equal([
      512,
      2048,
      2048,
      undefined,
    ]);
  });

  it("keeps activations that share a container together", () => {
    const concurrent = { ...hello, concurrency: 2 };
    expect(choices(scheduleOf(10), concurrent, 5)).to.deep.equal([1, 1, 1, 1, 8]);
  });
});
