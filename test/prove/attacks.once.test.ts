// Attacks on the rewind itself: answered or timed out, put back or replaced, and neither the next owner nor a neighbour notices.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { TaintReason } from "../../restorer/index.ts";
import { type Family, families, type Json } from "../corpus.ts";
import { comparableReport, differences, loadObserver } from "../hostile.ts";
import { Ground } from "./ground.ts";
import { hostilePrelude } from "./hostile.ts";

interface Attack {
  /** Continues "an action that". */
  readonly what: string;
  /** In words of all languages. */
  readonly calls: string;
  readonly rounds: number;
  /** Why its container may have to be replaced, which a race decides. */
  readonly mayCost?: readonly TaintReason[];
  /** By default it always does. One that may be too late ends as one that never does, and is given less time than patience. */
  readonly answers?: "never" | "unless late";
}

const timesMs = { never: 150, "unless late": 5_000 } as const;
/** Beyond its own time: to kill, to rewind, to give up after two seconds, to replace, on a machine that does other things too. */
const patienceMs = 60_000;
/** Races are run often, what no race decides not as often. */
const often = 8;
const seldom = 3;

const attacks: readonly Attack[] = [
  { what: "sends signals from all sides", calls: 'act("storm")', rounds: often },
  { what: "is stopped and let go by its child", calls: 'act("stop_and_go")', rounds: often },
  { what: "forks on and on", calls: 'act("fork_on")', rounds: seldom },
  { what: "makes children", calls: 'act("breed", 0)', rounds: seldom },
  { what: "makes siblings", calls: 'act("breed", 1)', rounds: seldom },
  { what: "lends its memory to one child after the other", calls: 'act("breed", 2)', rounds: seldom },
  { what: "makes threads that end at once", calls: 'act("churn_threads")', rounds: often },
  { what: "changes its mappings without end", calls: 'act("churn_mappings")', rounds: often },
  {
    what: "swaps its standard output for another file and back",
    calls: 'act("swap_descriptors")',
    rounds: often,
    mayCost: ["replaced-descriptor"],
  },
  { what: "runs with flags and stacks that no compiler makes", calls: 'act("misbehave")', rounds: often },
  { what: "sits in a vfork", calls: 'act("borrow")', rounds: seldom },
  {
    what: "executes another program while it is frozen",
    calls: 'act("execute_soon", 400)',
    rounds: often,
    // The other program may come before the answer, which then never comes.
    answers: "unless late",
    mayCost: [
      "process-gone",
      "mapping",
      "lost-thread",
      "lost-descriptor",
      "channel",
      "freeze-timeout",
      "system",
    ],
  },
  { what: "takes all mappings", calls: 'act("exhaust", 0)', rounds: seldom },
  { what: "takes all descriptors", calls: 'act("exhaust", 1)', rounds: seldom },
  { what: "takes all threads", calls: 'act("exhaust", 2)', rounds: seldom },
  {
    what: "sends signals, changes mappings, makes threads and sits in a vfork, all at once",
    calls: 'act("storm"); act("churn_mappings"); act("churn_threads"); act("borrow")',
    rounds: often,
  },
  { what: "waits for a signal", calls: 'act("pause")', rounds: seldom, answers: "never" },
  {
    what: "waits for its own pipe",
    calls: 'act("pipe2", act("memory"), 0); act("read", act("peek", act("memory")), act("memory"), 1)',
    rounds: seldom,
    answers: "never",
  },
  {
    what: "waits for its own futex",
    calls: 'act("futex", act("memory"), 0, 0, 0)',
    rounds: seldom,
    answers: "never",
  },
  {
    what: "lends its first thread to a child",
    calls: 'act("borrow", 1)',
    rounds: seldom,
    answers: "never",
    mayCost: ["channel"],
  },
  { what: "grows its stack all the while", calls: 'act("grow_stack", 700)', rounds: 5, answers: "never" },
];

const asAction: Readonly<Record<Family, (calls: string) => string>> = {
  nodejs: (calls) => `${hostilePrelude.nodejs}\nfunction main() { ${calls}; return { answered: true }; }`,
  python: (calls) => `${hostilePrelude.python}\ndef main(args):\n    ${calls}\n    return {"answered": True}`,
  ruby: (calls) => `${hostilePrelude.ruby}\ndef main(args)\n  ${calls}\n  { answered: true }\nend`,
};

for (const family of families) {
  describe(`in a ${family} container, the next owner and a neighbour notice nothing of an action that`, () => {
    const observer = loadObserver(family);
    const looking = { source: readFileSync(observer.file, "utf8") };
    let attacked: Ground;
    let neighbour: Ground;
    let fresh: Json;

    /** The two are of two instances, which give out the same user ids; and signals in queues are counted per user. */
    const look = async (ground: Ground): Promise<Json> => {
      const { result } = await ground.visit(looking, {});
      const report = JSON.stringify(result ?? null).replace(/"SigQ:[^"]*"/, '""');
      return comparableReport(observer, JSON.parse(report) as Json);
    };

    before(async () => {
      attacked = await Ground.start({ family, name: `attacked-${family}` });
      neighbour = await Ground.start({ family, name: `neighbour-${family}` });
      fresh = await look(attacked);
      expect(differences(fresh, await look(neighbour))).to.deep.equal([]);
    });
    after(async () => {
      await attacked.stop();
      await neighbour.stop();
    });

    for (const { what, calls, rounds, mayCost = [], answers } of attacks) {
      it(what, async () => {
        const program = { source: asAction[family](calls) };
        const limits = answers && { timeoutMs: timesMs[answers], initTimeoutMs: patienceMs };
        const outcomes = [...(answers === "never" ? [] : ["answer"]), ...(answers ? ["timeout"] : [])];
        for (let round = 0; round < rounds; round++) {
          const startedMs = performance.now();
          const [visit, meanwhile] = await Promise.all([
            attacked.visit(program, {}, limits),
            look(neighbour),
          ]);
          expect(performance.now() - startedMs).to.be.lessThan(patienceMs);
          expect(visit.outcome).to.be.oneOf(outcomes);
          if (visit.taint !== undefined) expect(mayCost, visit.taint.detail).to.include(visit.taint.reason);
          expect(differences(fresh, meanwhile)).to.deep.equal([]);
          expect(differences(fresh, await look(attacked))).to.deep.equal([]);
        }
      }).timeout(rounds * patienceMs);
    }
  });
}
