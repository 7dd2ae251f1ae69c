// A rewind of a process of whose threads one has ended, and whose number another thread has by then.

import { once } from "node:events";
import { readdirSync } from "node:fs";
import { expect } from "chai";
import { ContainerCheckpoint } from "../../restorer/index.ts";
import { makeNext, startWithNumber } from "./numbers.ts";
import { Victim, victimProgram, withVictim } from "./victim.ts";

const triesMax = 100;

const otherThread = (pid: number): number | undefined =>
  readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .find((tid) => tid !== pid);

async function outcomeOf(checkpoint: ContainerCheckpoint): Promise<string> {
  return await checkpoint.rewind({ verify: false }).then(
    () => "rewound",
    ({ code }) => code,
  );
}

describe("a thread whose number is used again", () => {
  it("by a stranger is lost, and the stranger goes on", () =>
    withVictim("thread-again", "write-protect", async (victim, checkpoint) => {
      const tid = otherThread(victim.pid) ?? 0;
      await victim.change();
      const stranger = startWithNumber(tid);
      const ended = once(stranger, "exit");
      try {
        expect(await outcomeOf(checkpoint)).to.equal("lost-thread");
        expect([stranger.exitCode, stranger.signalCode]).to.deep.equal([null, null]);
        stranger.kill("SIGTERM");
        expect(await ended).to.deep.equal([null, "SIGTERM"]);
      } finally {
        stranger.kill("SIGKILL");
      }
    })).timeout(60_000);

  it("by another one of its process is lost", async () => {
    for (let i = 0; i < triesMax; i++) {
      // As the container's own, numbers are never used again: only the host's are.
      const victim = await Victim.startAlone(victimProgram("thread-again"));
      try {
        const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung: "write-protect" });
        try {
          const tid = otherThread(victim.pid) ?? 0;
          await victim.change();
          makeNext(tid);
          await victim.change();
          if (otherThread(victim.pid) !== tid) continue;
          expect(await outcomeOf(checkpoint)).to.equal("lost-thread");
          return;
        } finally {
          checkpoint.release();
        }
      } finally {
        await victim.end();
      }
    }
    throw new Error("no thread got the number of the one before it");
  }).timeout(60_000);
});
