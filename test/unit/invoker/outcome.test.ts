// What users are told, for everything that can come of init and run.

import { expect } from "chai";
import { initOutcome, type Outcome, runOutcome } from "../../../invoker/outcome.ts";
import { printExact } from "../../../invoker/wire/json.ts";
import type { Exchange, Timed } from "../../../pool/proxy/exchange.ts";

const limits = { timeoutMs: 1000, maxBodyBytes: 50 };
const timed = (exchange: Exchange, tookMs = 5): Timed => ({ startMs: 100, endMs: 100 + tookMs, exchange });
const answer = (status: number, body: string): Exchange => ({
  ...{ outcome: "answer", status, body },
  ...{ bodyBytes: Buffer.byteLength(body), cut: false },
});
const tooLong: Exchange = { outcome: "answer", status: 200, body: "start", bodyBytes: 51, cut: true };
const gone: Exchange = { outcome: "gone", exit: undefined, oomKilled: false };
const killedForMemory: Exchange = { outcome: "gone", exit: undefined, oomKilled: true };
const garbled: Exchange = { outcome: "garbled", why: "text" };
const stopped: Exchange = { outcome: "stopped" };
const timeout: Exchange = { outcome: "timeout" };

type Expected = readonly [code: number, result: unknown, size: number | undefined] | undefined;
type Row = readonly [what: string, exchange: Exchange, expected: Expected, tookMs?: number];

function check(outcome: Outcome | undefined, expected: Expected): void {
  if (expected === undefined || outcome === undefined) {
    expect(outcome).to.equal(expected);
    return;
  }
  expect([outcome.statusCode, outcome.result, outcome.size]).to.deep.equal(expected);
  expect(JSON.parse(outcome.resultText)).to.deep.equal(outcome.result);
}

const lengthText =
  "The action produced a response that exceeded the allowed length: 51 > 50 bytes. The truncated response was: start";
const initTimeText = "The action exceeded its time limits of 1000 milliseconds during initialization.";
const runTimeText = "The action exceeded its time limits of 1000 milliseconds.";
const memoryText = "The action exhausted its memory and was aborted.";
const initGoneText = "The action did not initialize and exited unexpectedly.";
const runGoneText = "The action did not produce a valid response and exited unexpectedly.";
const invalid = "The action did not produce a valid JSON or JSON Array response";

const inits: readonly Row[] = [
  ["200", answer(200, '{"ok":true}'), undefined],
  ["200 after the time limit", answer(200, "{}"), undefined, 1500],
  ["200 with a body above the limit", tooLong, [2, { error: lengthText }, 51]],
  ["an error", answer(502, '{"error":"bad code"}'), [2, { error: "bad code" }, 20]],
  ["an error that is an object", answer(502, '{"error":{"a":1},"b":2}'), [2, { error: { a: 1 } }, 23]],
  ["another body", answer(403, "[1]"), [2, { error: "The action failed during initialization: [1]" }, 3]],
  ["no body", answer(502, ""), [2, { error: "The action failed during initialization." }, 0]],
  [
    "a failure at the time limit",
    answer(502, '{"error":"x"}'),
    [2, { error: initTimeText }, undefined],
    1000,
  ],
  ["no answer in time", timeout, [2, { error: initTimeText }, undefined]],
  ["the end of the runtime", gone, [2, { error: initGoneText }, undefined]],
  ["death by memory", killedForMemory, [2, { error: memoryText }, undefined]],
  ["death by memory at the time limit", killedForMemory, [2, { error: initTimeText }, undefined], 1000],
  ["garbage", garbled, [2, { error: initGoneText }, undefined]],
  ["its end with the pool", stopped, [3, { error: runGoneText }, undefined]],
];

const levels = (count: number): string => `${"[".repeat(count)}${"]".repeat(count)}`;

const runs: readonly Row[] = [
  ["an object", answer(200, '{"a":1}'), [0, { a: 1 }, 7]],
  ["an array", answer(200, "[1,2]"), [0, [1, 2], 5]],
  ["an empty object", answer(200, "{}"), [0, {}, 2]],
  ["an error with siblings", answer(200, '{"error":"no","more":1}'), [1, { error: "no" }, 23]],
  ["an error that is null", answer(200, '{"error":null}'), [1, { error: null }, 14]],
  ["an inherited name for an error", answer(200, '{"toString":1}'), [0, { toString: 1 }, 14]],
  ["an array with an error in it", answer(200, '[{"error":1}]'), [0, [{ error: 1 }], 13]],
  ["a failure with an error", answer(502, '{"error":"boom"}'), [2, { error: "boom" }, 16]],
  ["a failure without one", answer(502, '{"a":1}'), [2, { error: `${invalid}: {"a":1}` }, 7]],
  ["a scalar", answer(200, "42"), [2, { error: `${invalid}: 42` }, 2]],
  ["null", answer(200, "null"), [2, { error: `${invalid}: null` }, 4]],
  ["no JSON", answer(200, '{"a":NaN}'), [2, { error: `${invalid}: {"a":NaN}` }, 9]],
  ["JSON nested too deeply", answer(200, levels(1001)), [2, { error: `${invalid}: ${levels(1001)}` }, 2002]],
  ["no body", answer(200, ""), [2, { error: `${invalid}.` }, 0]],
  ["a size in UTF-16 code units", answer(200, '{"a":"€😀"}'), [0, { a: "€😀" }, 11]],
  ["a body above the limit", tooLong, [1, { error: lengthText }, 51]],
  ["a result at the time limit", answer(200, "{}"), [2, { error: runTimeText }, undefined], 1000],
  ["a body above the limit too late", tooLong, [2, { error: runTimeText }, undefined], 1001],
  ["no answer in time", timeout, [2, { error: runTimeText }, undefined], 999],
  ["the end of the runtime", gone, [2, { error: runGoneText }, undefined]],
  ["death by memory", killedForMemory, [2, { error: memoryText }, undefined]],
  ["garbage", garbled, [2, { error: runGoneText }, undefined]],
  ["its end with the pool", stopped, [3, { error: runGoneText }, undefined]],
  ["its end with the pool at the time limit", stopped, [2, { error: runTimeText }, undefined], 1000],
];

describe("the outcome of init", () => {
  for (const [what, exchange, expected, tookMs] of inits) {
    it(`on ${what}`, () => check(initOutcome(timed(exchange, tookMs), limits), expected));
  }
});

describe("the outcome of run", () => {
  for (const [what, exchange, expected, tookMs] of runs) {
    it(`on ${what}`, () => check(runOutcome(timed(exchange, tookMs), limits), expected));
  }

  it("keeps numbers as the action wrote them", () => {
    const { result, resultText } = runOutcome(timed(answer(200, '{"n":1.0}')), limits);
    expect([resultText, printExact(result)]).to.deep.equal(['{"n":1.0}', '{"n":1.0}']);
    const error = runOutcome(timed(answer(200, '{"m":1,"error":{"big":12345678901234567890}}')), limits);
    expect(error.resultText).to.equal('{"error":{"big":12345678901234567890}}');
  });
});
