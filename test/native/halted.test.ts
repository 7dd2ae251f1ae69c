// A rewind that halts: nothing of the process runs before somebody lets it go on.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { isStopped } from "../processes.ts";
import { holdsWithin } from "../within.ts";
import { withVictim } from "./victim.ts";

const patienceMs = 10_000;
const rounds = 5;

describe("a process that is halted as it is put back", () => {
  for (const [what, program] of Object.entries({
    "one thread": "memory-written",
    "many threads": "others-many",
  }))
    it(`is stopped at its checkpoint, and goes on from there once it is told to: ${what}`, () =>
      withVictim(program, "write-protect", async (victim, checkpoint) => {
        const tasks = `/proc/${victim.pid}/task`;
        /** Of each thread: how often it was switched to. */
        const switches = (): string =>
          readdirSync(tasks)
            .map((task) => readFileSync(`${tasks}/${task}/status`, "latin1"))
            .flatMap((status) => status.match(/ctxt_switches:\s+\d+/g))
            .join();
        for (let round = 0; round < rounds; round++) {
          await victim.change();
          await checkpoint.rewind({ verify: true, halts: true });
          expect(await holdsWithin(patienceMs, () => isStopped(victim.pid))).to.equal(true);
          // A thread says that it is stopped a moment before its last switch.
          await sleep(10);
          const stopped = switches();
          await sleep(20);
          expect(switches()).to.equal(stopped);
          expect(await checkpoint.verify()).to.equal(undefined);
          process.kill(victim.pid, "SIGCONT");
        }
        await victim.change();
        await checkpoint.rewind({ verify: true });
        await victim.change();
      }));
});
