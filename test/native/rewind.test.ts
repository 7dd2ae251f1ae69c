// One program per property: each dirties one sort of state; a rewind puts it back, verified, or names why it cannot.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { expect } from "chai";
import { ContainerCheckpoint, RestorerError, type Rung, type TaintReason } from "../../restorer/index.ts";
import { Victim, victimProgram } from "./victim.ts";

const rungs: readonly Rung[] = ["write-protect", "copy-all"];
const rounds = 5;

const putBack: Readonly<Record<string, string>> = {
  "memory-written": "memory written: data, zero pages, heap, mappings",
  "memory-vanished": "saved pages that were given back",
  "mapping-new": "new mappings",
  "mapping-removed": "mappings removed wholly and in the middle",
  "mapping-replaced": "a mapping replaced in place, which the text of maps does not show",
  "mapping-moved": "mappings moved and grown",
  "mapping-reprotected": "protections, and what was hidden behind them",
  "mapping-file-lost": "an unmapped library",
  "mappings-many": "five thousand new mappings",
  "text-patched": "patched program text",
  "text-deleted": "text whose file has been deleted",
  "text-unwritable": "program text, which nobody can write but may replace",
  "break-moved": "the program break, within a page too",
  "break-shrunk": "a program break moved below where it was",
  "stack-grown": "a grown stack",
  "vectors-changed": "vector registers",
  "threads-born": "threads born since, those that breed others too",
  "threads-blocked": "threads in system calls of every restartable sort",
  "descriptors-surplus": "surplus descriptors, flags and offsets",
  "objects-changed": "contents of pipes, counters, interest lists and socket options",
  "locks-left": "locks of every sort",
  "robust-list-moved": "the leader's robust list",
  "exit-word-moved": "the word that is cleared at the leader's end",
  "timer-set": "an interval timer",
  "handler-changed": "one handler for another",
  "name-changed": "the name",
  "directory-changed": "the working directory",
  "alternate-stack-changed": "the leader's alternate stack",
  "signals-changed": "signal handlers, masks, pending signals and interval timers",
  stopped: "a process that stopped itself",
  "children-left": "dead children",
  "place-changed": "working directory, umask and name",
  "code-written": "an attempt on the injected code",
};

const refused: Readonly<Record<string, TaintReason>> = {
  "thread-lost": "lost-thread",
  "descriptor-lost": "lost-descriptor",
  "descriptor-replaced": "replaced-descriptor",
  "process-gone": "process-gone",
  "filter-added": "kernel-state",
  "watch-changed": "kernel-state",
  "socket-shut": "kernel-state",
  "code-unmapped": "mapping",
  "code-replaced": "mapping",
  "child-alive": "survivor",
};

/** Runs `use` with a victim's checkpoint, and leaves nothing behind. */
async function withVictim(
  name: string,
  rung: Rung,
  use: (victim: Victim, checkpoint: ContainerCheckpoint) => Promise<void>,
): Promise<void> {
  const victim = await Victim.start(victimProgram(name));
  try {
    const checkpoint = await ContainerCheckpoint.take([victim.pid], { rung });
    try {
      await use(victim, checkpoint);
    } finally {
      checkpoint.release();
    }
  } finally {
    await victim.end();
  }
}

for (const rung of rungs) {
  describe(`a rewind by ${rung}`, () => {
    for (const [name, what] of Object.entries(putBack)) {
      it(`puts back ${what}`, () =>
        withVictim(name, rung, async (victim, checkpoint) => {
          for (let round = 0; round < rounds; round++) {
            await victim.change();
            const timings = await checkpoint.rewind({ verify: true });
            expect(timings.verified).to.equal(true);
          }
        }));
    }
    for (const [name, reason] of Object.entries(refused)) {
      it(`answers ${reason} to ${name.replace("-", " ")}`, () =>
        withVictim(name, rung, async (victim, checkpoint) => {
          await victim.change();
          const failure = await checkpoint.rewind({ verify: true }).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(failure).to.be.instanceOf(RestorerError);
          expect((failure as RestorerError).code, (failure as RestorerError).message).to.equal(reason);
        }));
    }
  });
}

/** What the process can read of the table through which it is told what to put back. */
function tableOf(pid: number): Buffer {
  const line = /^([0-9a-f]+)-([0-9a-f]+) .*rewhisk-table/m.exec(readFileSync(`/proc/${pid}/maps`, "latin1"));
  const [start, end] = [Number(`0x${line?.[1]}`), Number(`0x${line?.[2]}`)];
  const table = Buffer.alloc(end - start);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    expect(readSync(memory, table, 0, table.length, start)).to.equal(table.length);
  } finally {
    closeSync(memory);
  }
  return table;
}

describe("what a rewind leaves for the process to read", () => {
  it("tells nothing of what was put back, nor of the process that did it", () =>
    withVictim("mappings-many", "write-protect", async (victim, checkpoint) => {
      const first = tableOf(victim.pid);
      expect(first.every((byte) => byte === 0)).to.equal(true);
      await checkpoint.rewind({ verify: false });
      const idle = tableOf(victim.pid);
      await victim.change();
      const { mappingsChanged } = await checkpoint.rewind({ verify: false });
      expect(mappingsChanged).to.be.greaterThan(0);
      expect(tableOf(victim.pid).equals(idle)).to.equal(true);
      // The handlers, the working directory and the like, which are the process's own.
      expect(idle.subarray(16384).every((byte) => byte === 0)).to.equal(true);
    }));
});

describe("the oracle", () => {
  for (const name of Object.keys(putBack).filter(
    (name) => name !== "code-written" && name !== "threads-blocked",
  )) {
    it(`notices ${name.replace("-", " ")} where nothing was rewound`, () =>
      withVictim(name, "copy-all", async (victim, checkpoint) => {
        expect(await checkpoint.verify()).to.equal(undefined);
        await victim.change();
        expect(await checkpoint.verify()).to.be.a("string");
      }));
  }
});
