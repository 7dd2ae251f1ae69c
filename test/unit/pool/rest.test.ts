// Whether all threads of a process wait for others: what its base may be taken of.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { restOf } from "../../../pool/lean/rest.ts";
import { holdsWithin } from "../../within.ts";

const withinMs = 10_000;

/** Says that it has begun, and then waits for its input while a thread of its own does something. */
const program = (thread: string): string =>
  `import sys, threading, time, os\nevent = threading.Event()\nthreading.Thread(target=lambda: ${thread}, daemon=True).start()\nprint(flush=True)\nos.read(0, 1)`;

async function withThread(thread: string, look: (pid: number) => Promise<void>): Promise<void> {
  const child = spawn("/usr/bin/python3", ["-c", program(thread)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    await once(child.stdout, "data");
    await look(child.pid ?? 0);
  } finally {
    child.stdin.end();
    await ended;
  }
}

describe("a process is at rest", () => {
  it("where each of its threads waits for others, and has not run since", () =>
    withThread("event.wait()", async (pid) => {
      let before: string | undefined;
      const isSame = (): boolean => {
        const now = restOf(pid);
        const same = now !== undefined && now === before;
        before = now;
        return same;
      };
      expect(await holdsWithin(withinMs, isSame)).to.equal(true);
      expect(before?.split("\n")).to.have.lengthOf(2);
    }));

  for (const [what, thread] of [
    ["sleeps", "time.sleep(1000)"],
    ["waits for a time", "event.wait(1000)"],
    ["computes", "all(True for _ in iter(int, 1))"],
  ] as const)
    it(`never where a thread ${what}`, () =>
      withThread(thread, async (pid) => {
        for (let i = 0; i < 100; i++) expect(restOf(pid)).to.equal(undefined);
      }));

  it("never where there is none", () => {
    expect(restOf(2 ** 22 + 1)).to.equal(undefined);
  });
});
