// Who is left of a container's processes when its runtime has been put back.

import { expect } from "chai";
import type { ContainerCgroups } from "../../../pool/lean/cgroups.ts";
import { awaitReaped } from "../../../pool/lean/survivors.ts";

const threads = 5;

/** Has one zombie less at each look; below none, so many threads too few. */
function cgroupsWith(zombies: number) {
  const seen = { looks: 0 };
  const more = (): number => Math.max(Math.min(zombies, 0), zombies - seen.looks++);
  return { cgroups: { tasks: () => threads + more() } as unknown as ContainerCgroups, seen };
}

describe("after a rewind", () => {
  it("nothing is waited for where the runtime is alone", async () => {
    const { cgroups, seen } = cgroupsWith(0);
    await awaitReaped(cgroups, threads);
    expect(seen.looks).to.equal(1);
  });

  it("the next owner waits until a daemon that was killed has been reaped: its name would be there to read", async () => {
    const { cgroups, seen } = cgroupsWith(3);
    await awaitReaped(cgroups, threads);
    expect(seen.looks).to.equal(4);
  });

  it("nothing is waited for where the runtime has been killed meanwhile", async () => {
    const { cgroups, seen } = cgroupsWith(-2);
    const failure = await awaitReaped(cgroups, threads).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).to.include({ code: "process-gone", message: "3 of 5 threads are left" });
    expect(seen.looks).to.equal(1);
  });

  it("a container whose dead are not reaped is replaced", async () => {
    const { cgroups } = cgroupsWith(Number.POSITIVE_INFINITY);
    const failure = await awaitReaped(cgroups, threads).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).to.include({ code: "survivor", message: "a process that has ended is not reaped" });
  });
});
