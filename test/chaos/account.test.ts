// The account of a chaos run can fail: each thing that must not be, put into books that are in order, is complained of.

import { expect } from "chai";
import { account } from "./account.ts";
import type { Ack, Ledger } from "./ledger.ts";

const killedMs = 10_000;
const result = { activationId: "", freesSlot: true, hasResult: true, atMs: 5_000 };

/** A tiny one that was answered, one that was lost with the first life, and one test of the invoker's health. */
function books(changes: Partial<Ledger> = {}): Ledger {
  return {
    requests: [
      { token: 1, status: 200, activationId: "a", fault: undefined },
      { token: 2, status: 202, activationId: "b", fault: undefined },
      { token: 3, status: 503, activationId: undefined, fault: undefined },
    ],
    sent: [
      { offset: 0, activationId: "a", token: 1, isBlocking: true },
      { offset: 1, activationId: "b", token: 2, isBlocking: true },
      { offset: 2, activationId: "t", token: undefined, isBlocking: false },
    ],
    acks: [
      { ...result, activationId: "a" },
      { ...result, activationId: "t", hasResult: false },
    ],
    commits: [
      { life: "life1", next: 1, atMs: 4_000 },
      { life: "life1", next: 2, atMs: 9_000 },
      { life: "life2", next: 3, atMs: 12_000 },
    ],
    lives: [
      { name: "life1", endedMs: killedMs, isKilled: true },
      { name: "life2", endedMs: 20_000, isKilled: false },
    ],
    runs: new Map([[1, 1]]),
    records: [{ activationId: "a", revision: "1-x", isSuccess: true, fault: undefined }],
    forced: new Set(["b"]),
    slotsHeld: 0,
    sentAgain: { orders: 0, acks: 0 },
    ...changes,
  };
}

const inOrder = books();
const acksWith = (...more: readonly Ack[]): Partial<Ledger> => ({ acks: [...inOrder.acks, ...more] });
const [first, second] = inOrder.sent as [Ledger["sent"][0], Ledger["sent"][0]];

/** What is changed, and what is then said of it. */
const wrong: { readonly [what: string]: readonly [changes: Partial<Ledger>, complaint: RegExp] } = {
  "an ack that came twice though no answer was lost": [
    acksWith({ ...result, activationId: "a" }),
    /^1 acks are doubled/,
  ],
  "a result that came twice": [
    acksWith(...[1, 2].map(() => ({ ...result, activationId: "a", freesSlot: false }))),
    /^1 acks are doubled/,
  ],
  "an ack that an invoker never sent which ended in order": [
    { lives: inOrder.lives.map((life) => ({ ...life, isKilled: false })) },
    /^b: 1 acks are missing .* life1, which ended in order/,
  ],
  "an ack that was missing long before the invoker was killed": [
    { commits: inOrder.commits.map((commit) => ({ ...commit, atMs: commit.atMs - 60_000 })) },
    /^b: 1 acks are missing .* was killed 61000 ms later/,
  ],
  "a message that nobody took": [
    { commits: inOrder.commits.slice(0, 1) },
    /^b: .*\(message 1 was never taken/,
  ],
  "a lost activation that was never completed by force": [
    { forced: new Set() },
    /^b: .*never completed by force/,
  ],
  "a freed slot without the result": [
    { acks: inOrder.acks.map((ack) => ({ ...ack, hasResult: false })) },
    /^a: its slot was freed, but who waited got no result/,
  ],
  "an action that ran twice": [{ runs: new Map([[1, 2]]) }, /^a: run 2 times, sent 1 times/],
  "a success that nobody saw run": [{ runs: new Map() }, /^a: recorded as a success, but never seen to run/],
  "a lost record": [{ records: [] }, /^a: acknowledged, and its record is lost/],
  "two records": [{ records: [...inOrder.records, ...inOrder.records] }, /^a: 2 records/],
  "a record that was written twice": [
    { records: [{ activationId: "a", revision: "2-x", isSuccess: true, fault: undefined }] },
    /^a: its record was written again/,
  ],
  "a wrong record": [
    { records: [{ activationId: "a", revision: "1-x", isSuccess: true, fault: "of somebody else" }] },
    /^a: its record is wrong: of somebody else/,
  ],
  "a wrong answer": [
    { requests: [{ token: 1, status: 200, activationId: "a", fault: "of somebody else" }] },
    /^request 1: answered wrongly: of somebody else/,
  ],
  "a request that was accepted and never sent": [
    { requests: [{ token: 9, status: 202, activationId: "z", fault: undefined }] },
    /^request 9: accepted as z, and never sent/,
  ],
  "a message that is there twice though no answer was lost": [
    { ...acksWith({ ...result, activationId: "a" }), sent: [...inOrder.sent, { ...first, offset: 2 }] },
    /^1 messages are doubled/,
  ],
  "an ack of nothing": [acksWith({ ...result, activationId: "z" }), /^an ack of z, which nobody sent/],
  "a run of nothing": [{ runs: new Map([[9, 1]]) }, /^a run with token 9, which nobody sent/],
  "a slot that is held at the end": [{ slotsHeld: 1 }, /^1 slots are held/],
};

/** What is excused by a fault. */
const excused: { readonly [what: string]: Partial<Ledger> } = {
  "an ack that came twice because an answer was lost": {
    ...acksWith({ ...result, activationId: "a" }),
    sentAgain: { orders: 0, acks: 1 },
  },
  "a message that is there twice because an answer was lost, and so ran twice": {
    ...acksWith({ ...result, activationId: "a" }),
    sent: [...inOrder.sent, { ...first, offset: 2 }],
    runs: new Map([[1, 2]]),
    sentAgain: { orders: 1, acks: 0 },
  },
  "an activation that ran and was recorded, and lost its ack with the invoker": {
    runs: new Map([
      [1, 1],
      [2, 1],
    ]),
    records: [...inOrder.records, { activationId: "b", revision: "1-x", isSuccess: true, fault: undefined }],
  },
  "an answer in the moment of the kill, without a record": {
    ...acksWith({ ...result, activationId: "b", atMs: killedMs - 3 }),
    runs: new Map([
      [1, 1],
      [2, 1],
    ]),
  },
};

describe("the account of a chaos run", () => {
  it("counts what was sent, answered, stored and lost", () => {
    const { table, complaints } = account(inOrder);
    expect(complaints).to.deep.equal([]);
    expect(Object.fromEntries(table)).to.deep.include({
      requests: 3,
      "refused or without an answer, never sent": 1,
      "activations sent": 2,
      "tests of the invoker's health sent": 1,
      "slots freed by an ack": 1,
      "stored in the database": 1,
      "lost with a killed invoker": 1,
    });
  });

  for (const [what, [changes, complaint]] of Object.entries(wrong)) {
    it(`complains of ${what}`, () => {
      const { complaints } = account(books(changes));
      expect(
        complaints.filter((text) => complaint.test(text)),
        complaints.join("\n"),
      ).to.have.length(1);
    });
  }

  for (const [what, changes] of Object.entries(excused)) {
    it(`excuses ${what}`, () => {
      expect(account(books(changes)).complaints).to.deep.equal([]);
    });
  }

  it("takes a message for whose commit is the first beyond it", () => {
    const commits = [{ life: "life2", next: 2, atMs: 9_000 }, ...inOrder.commits];
    expect(account(books({ commits })).complaints[0]).to.match(
      new RegExp(`^${second.activationId}: .*life2`),
    );
  });
});
