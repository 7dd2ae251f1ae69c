// User events, against what OpenWhisk's metric consumers read.

import { expect } from "chai";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { activationEvent } from "../../../invoker/events.ts";
import { instanceOf, shortName } from "../../../invoker/instance.ts";
import { failure, type Outcome } from "../../../invoker/outcome.ts";
import { fallbackRecord, recordOf } from "../../../invoker/record.ts";
import { type Json, parseExact } from "../../../invoker/wire/json.ts";
import { orderOf, storedAction } from "./orders.ts";

const instance = instanceOf({
  ...defaultInvokerSettings(),
  instance: 3,
  uniqueName: "u",
  displayedName: "d",
});
const stored = storedAction({ _id: "guest/tools/hello", namespace: "guest/tools" });
const action = { stored, kind: "nodejs:20", limits: stored.document.limits };

function eventOf(outcome: Outcome, initMs: number | undefined, cause?: string): Record<string, Json> {
  const { message } = orderOf({ transid: ["tid", 1000], ...(cause === undefined ? {} : { cause }) });
  const work = { outcome, startMs: 1040, endMs: 1133, initMs, begunMs: 1027, timedOut: false };
  const origin = { source: shortName(instance), user: message.user, nowMs: 1200 };
  return JSON.parse(activationEvent(origin, recordOf(message, action, work)));
}

const done = (resultText: string): Outcome => {
  const result = parseExact(resultText);
  return { statusCode: 0, result, resultText, size: resultText.length };
};

describe("a user event", () => {
  it("tells of an activation what stock tells", () => {
    expect(eventOf(done('{"a":1}'), 60, "c".repeat(32))).to.deep.equal({
      source: "invoker3",
      body: {
        name: "guest/tools/hello",
        activationId: "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
        statusCode: 0,
        duration: 93,
        waitTime: 27,
        initTime: 60,
        kind: "nodejs:20",
        conductor: false,
        memory: 256,
        causedBy: "sequence",
        size: 7,
      },
      subject: "guest",
      namespace: "guest",
      userId: "23bc46b1-71f6-4ed5-8c54-816aa4f8c502",
      eventType: "Activation",
      timestamp: 1200,
    });
  });

  it("has no init time where there was no init, and leaves out what is not set", () => {
    const { body } = eventOf(failure(2, "x"), undefined) as { body: Record<string, Json> };
    expect(body.initTime).to.equal(0);
    expect(body).to.not.have.any.keys("causedBy", "size", "userDefinedStatusCode");
  });

  it("of an activation that found no container knows neither kind nor times", () => {
    const { message } = orderOf();
    const record = fallbackRecord(message, failure(1, "gone"), 5);
    const { body } = JSON.parse(
      activationEvent({ source: shortName(instance), user: message.user, nowMs: 6 }, record),
    );
    expect(body).to.deep.include({
      name: "guest/hello",
      kind: "unknown",
      memory: 0,
      waitTime: 0,
      duration: 0,
    });
  });

  const codes: readonly (readonly [string, number | undefined])[] = [
    ['{"error":{"statusCode":418,"body":"tea"}}', 418],
    ['{"statusCode":404}', 404],
    ['{"error":{"body":"x"},"statusCode":403}', 403],
    ['{"error":{"statusCode":418},"statusCode":404}', 418],
    ['{"statusCode":"404"}', 400],
    ['{"statusCode":4.5}', 400],
    ['{"statusCode":null}', 400],
    ["[404]", undefined],
    ['{"error":"no"}', undefined],
  ];
  for (const [result, code] of codes) {
    it(`takes the action's own status from ${result}: ${code}`, () => {
      const { body } = eventOf(done(result), 1) as { body: Record<string, Json> };
      expect(body.userDefinedStatusCode).to.equal(code);
    });
  }
});
