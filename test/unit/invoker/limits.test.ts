// Limits of actions against those of the user and of the system.

import { expect } from "chai";
import { defaultInvokerSettings, type InvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { completeLimits, limitViolation } from "../../../invoker/limits.ts";
import type { JsonObject } from "../../../invoker/wire/json.ts";

const settings: InvokerSettings = { ...defaultInvokerSettings(), concurrency: { min: 1, max: 4, std: 1 } };
const fine = { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 };

const rows: readonly (readonly [Partial<typeof fine>, JsonObject, string | undefined])[] = [
  [{}, {}, undefined],
  [{ timeout: 300_000, memory: 512, logs: 10, concurrency: 4 }, {}, undefined],
  [{ timeout: 300_001 }, {}, "duration 300001 milliseconds exceeds allowed threshold of 300000 milliseconds"],
  [{ timeout: 99 }, {}, "duration 99 milliseconds below allowed threshold of 100 milliseconds"],
  [{ memory: 513 }, {}, "memory size 513 MB exceeds allowed threshold of 512 MB"],
  [{ memory: 127 }, {}, "memory size 127 MB below allowed threshold of 128 MB"],
  [{ concurrency: 5 }, {}, "concurrency 5 exceeds allowed threshold of 4"],
  [{ concurrency: 0 }, {}, "concurrency 0 below allowed threshold of 1"],
  [{ logs: 11 }, {}, "log size 11 MB exceeds allowed threshold of 10 MB"],
  [{}, { maxActionMemory: 128 }, "memory size 256 MB exceeds allowed threshold of 128 MB"],
  [
    {},
    { minActionTimeout: 70_000 },
    "duration 60000 milliseconds below allowed threshold of 70000 milliseconds",
  ],
  [{ memory: 600 }, { maxActionMemory: 1024 }, "memory size 600 MB exceeds allowed threshold of 512 MB"],
  [{ logs: 2 }, { minActionLogs: 3 }, "log size 2 MB below allowed threshold of 3 MB"],
  [{ timeout: 1, memory: 1 }, {}, "duration 1 milliseconds below allowed threshold of 100 milliseconds"],
];

describe("limits", () => {
  for (const [is, user, violation] of rows) {
    it(`${JSON.stringify(is)} for a user with ${JSON.stringify(user)}: ${violation ?? "allowed"}`, () => {
      expect(limitViolation({ ...fine, ...is }, user, settings)).to.equal(violation);
    });
  }

  const usual = { timeoutMs: { max: 30_000 }, memoryMB: { min: 200, max: 4096 } };
  const ofNamespaces: typeof rows = [
    [{ timeout: 30_000 }, {}, undefined],
    [{}, {}, "duration 60000 milliseconds exceeds allowed threshold of 30000 milliseconds"],
    [{}, { maxActionTimeout: 60_000 }, undefined],
    [{ timeout: 99 }, {}, "duration 99 milliseconds below allowed threshold of 100 milliseconds"],
    [{ timeout: 100, memory: 199 }, {}, "memory size 199 MB below allowed threshold of 200 MB"],
    [{ timeout: 100, memory: 199 }, { minActionMemory: 150 }, undefined],
    [{ timeout: 100, memory: 513 }, {}, "memory size 513 MB exceeds allowed threshold of 512 MB"],
  ];
  for (const [is, user, violation] of ofNamespaces) {
    it(`${JSON.stringify(is)} where namespaces have their own, for ${JSON.stringify(user)}: ${violation ?? "allowed"}`, () => {
      const changed = { ...settings, namespaceDefaults: usual };
      expect(limitViolation({ ...fine, ...is }, user, changed)).to.equal(violation);
    });
  }

  it("of older documents are completed by the usual ones", () => {
    expect(completeLimits({ timeout: 1000, memory: 128 }, settings)).to.deep.equal({
      ...{ timeout: 1000, memory: 128 },
      ...{ logs: 10, concurrency: 1 },
    });
    expect(completeLimits({ ...fine, instances: 3 }, settings)).to.deep.equal({ ...fine, instances: 3 });
  });
});
