// Which records are stored, and what stands in them beside what the golden activations show.

import { expect } from "chai";
import { isStored, recordOf } from "../../../invoker/record.ts";
import type { StatusCode } from "../../../invoker/wire/messages.ts";
import { orderOf, storedAction } from "./orders.ts";

const codes: readonly StatusCode[] = [0, 1, 2, 3];

describe("a record", () => {
  for (const [level, stored] of [
    ["STORE_ALWAYS", [0, 1, 2, 3]],
    ["STORE_FAILURES", [1, 2, 3]],
    ["STORE_FAILURES_NOT_APPLICATION_ERRORS", [2, 3]],
  ] as const) {
    it(`is stored by ${level} with the status ${stored.join(", ")}`, () => {
      for (const blocking of [true, false]) {
        const { message } = orderOf({ blocking });
        const levels = blocking
          ? { storeBlocking: level, storeNonBlocking: "STORE_ALWAYS" as const }
          : { storeBlocking: "STORE_ALWAYS" as const, storeNonBlocking: level };
        expect(codes.filter((code) => isStored(message, code, levels))).to.deep.equal(stored);
      }
    });
  }

  it("names binding, cause and instances where there are any", () => {
    const { message } = orderOf({
      action: { path: "whisk.system/utils", name: "echo", binding: "guest/myutils" },
      cause: "c".repeat(32),
    });
    const stored = storedAction({ namespace: "whisk.system/utils", name: "echo" });
    const limits = { ...stored.document.limits, instances: 4 };
    const outcome = { statusCode: 0, result: {}, resultText: "{}", size: 2 } as const;
    const work = { outcome, startMs: 5, endMs: 9, initMs: undefined, begunMs: 4, timedOut: false };
    const record = recordOf(message, { stored, kind: "nodejs:20", limits }, work);
    expect(record.annotations.map(({ key }) => key)).to.not.include("start");
    expect(record.cause).to.equal("c".repeat(32));
    expect(record.annotations).to.deep.include({ key: "path", value: "whisk.system/utils/echo" });
    expect(record.annotations).to.deep.include({ key: "binding", value: "guest/myutils" });
    expect(record.annotations).to.deep.include({ key: "causedBy", value: "sequence" });
    expect(record.annotations).to.deep.include({ key: "limits", value: limits });
  });

  it("says where the activation began, and which libraries were there, where that is wanted", () => {
    const { message } = orderOf({});
    const action = { stored: storedAction({}), kind: "python:3", limits: storedAction({}).document.limits };
    const outcome = { statusCode: 0, result: {}, resultText: "{}", size: 2 } as const;
    const work = { outcome, startMs: 5, endMs: 9, initMs: 1, begunMs: 4, timedOut: false };
    const own = (began: Parameters<typeof recordOf>[3]): unknown => {
      const usual = recordOf(message, action, work).annotations;
      return recordOf(message, action, work, began).annotations.slice(usual.length);
    };
    const start = { key: "start", value: "rewound" };
    expect(own({ place: "rewound" })).to.deep.equal([start]);
    const libraries = { key: "libraries", value: ["numpy", "pandas"] };
    expect(own({ place: "rewound", libraries: "numpy+pandas" })).to.deep.equal([start, libraries]);
  });
});
