// Activations that a stock OpenWhisk 1.0.0 ran, message by message: ours must be told and recorded alike.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { RunnableAction } from "../../invoker/job.ts";
import { initOutcome, runOutcome } from "../../invoker/outcome.ts";
import { documentOf, recordOf, type Work } from "../../invoker/record.ts";
import { combinedAck, completionAck, resultAck } from "../../invoker/wire/acks.ts";
import type { ActivationDocument } from "../../invoker/wire/documents.ts";
import type { AckMessage, InvokerInstance } from "../../invoker/wire/messages.ts";
import { type Order, readOrder } from "../../invoker/wire/orders.ts";
import type { Exchange, Timed } from "../../pool/proxy/exchange.ts";
import { storedAction } from "../unit/invoker/orders.ts";

interface Recorded {
  readonly order: string;
  readonly acks: readonly string[];
  readonly document: ActivationDocument & { readonly _rev: string };
}

interface RecordedFile {
  readonly "health-test": { readonly order: string };
  readonly [scenario: `${"js" | "py"}-${string}`]: Recorded;
}

const file = JSON.parse(readFileSync("test/compat/stock-activations.json", "utf8")) as RecordedFile;
const { "health-test": healthTest, ...activations } = file;

/** What the action's container must have answered for stock to record this. */
const answers: { readonly [scenario: string]: { readonly status: number; readonly body: string } } = {
  "js-apperror": { status: 200, body: '{"error":{"statusCode":418,"body":"tea"}}' },
  "js-cold": { status: 200, body: '{"hello":"a"}' },
  "js-logs0": { status: 200, body: "{}" },
  "js-nonblocking": { status: 200, body: '{"hello":"c"}' },
  "py-cold": { status: 200, body: '{"a": {"n": 1}}\n' },
};

function annotation(document: ActivationDocument, key: string): unknown {
  return document.annotations.find((entry) => entry.key === key)?.value;
}

function exchangeOf(status: number, body: string): Exchange {
  return { outcome: "answer", status, body, bodyBytes: Buffer.byteLength(body), cut: false };
}

/** The work that stock recorded: its times, and an outcome from what the container answered. */
function workOf(scenario: string, { document }: Recorded, order: Order): Work {
  const timeoutMs = 60_000;
  const limits = { timeoutMs, maxBodyBytes: 1_048_576 };
  const initMs = annotation(document, "initTime") as number | undefined;
  const begunMs = order.message.transid[1] + (annotation(document, "waitTime") as number);
  const times = { startMs: document.start, endMs: document.end, initMs, begunMs, timedOut: false };
  const answer = answers[scenario];
  if (answer === undefined) {
    const body = JSON.stringify(document.response.result);
    const init: Timed = { startMs: document.start, endMs: document.end, exchange: exchangeOf(502, body) };
    const outcome = initOutcome(init, limits);
    if (outcome === undefined) throw new Error("that init should have failed");
    return { outcome, ...times };
  }
  const run: Timed = {
    startMs: document.start + (initMs ?? 0),
    endMs: document.end,
    exchange: exchangeOf(answer.status, answer.body),
  };
  return { outcome: runOutcome(run, limits), ...times };
}

function actionOf({ document }: Recorded): RunnableAction {
  const path = annotation(document, "path") as string;
  const { name, version } = document;
  return {
    stored: storedAction({ _id: path, namespace: path.slice(0, -name.length - 1), name, version }),
    kind: annotation(document, "kind") as string,
    limits: annotation(document, "limits") as RunnableAction["limits"],
  };
}

/** Annotations are a list, but their order means nothing. */
function sorted<Of extends { readonly annotations: ActivationDocument["annotations"] }>(record: Of): Of {
  const annotations = record.annotations.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  return { ...record, annotations };
}

function comparable(text: string): AckMessage {
  const ack = JSON.parse(text) as AckMessage;
  return typeof ack.response === "object" ? { ...ack, response: sorted(ack.response) } : ack;
}

describe("an activation that stock ran", () => {
  for (const [scenario, recorded] of Object.entries(activations)) {
    const order = readOrder(recorded.order);
    const { message } = order;
    const work = workOf(scenario, recorded, order);
    const record = recordOf(message, actionOf(recorded), work);

    it(`is recorded alike (${scenario})`, () => {
      const { _rev, ...expected } = recorded.document;
      const document = documentOf(record, recorded.document.logs, recorded.document.updated);
      expect(sorted(document)).to.deep.equal(sorted(expected));
    });

    it(`is acknowledged alike (${scenario})`, () => {
      const { transid, activationId } = message;
      const { statusCode, resultText } = work.outcome;
      // 1.0.0 knows neither tags nor dedicated namespaces; later controllers require them.
      const instance = JSON.parse(recorded.acks.at(-1) ?? "{}").instance as InvokerInstance;
      const completion = completionAck(transid, activationId, statusCode === 3, instance);
      const acks = !message.blocking
        ? [completion]
        : annotation(recorded.document, "limits") !== undefined && actionOf(recorded).limits.logs === 0
          ? [combinedAck(transid, { record, resultText }, statusCode === 3, instance)]
          : [resultAck(transid, { record, resultText }), completion];
      expect(acks.map(comparable)).to.deep.equal(recorded.acks.map(comparable));
    });
  }

  it("of a health test is read, although it has neither revision nor arguments", () => {
    const { message, contentText } = readOrder(healthTest.order);
    expect(message.action.name).to.equal("invokerHealthTestAction0");
    expect([message.revision, contentText]).to.deep.equal([null, undefined]);
  });
});
