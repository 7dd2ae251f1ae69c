// What a container is given.

import { expect } from "chai";
import { defaultInvokerSettings, feedCapacity, sizeBytes } from "../../../invoker/config/invoker-settings.ts";
import { type ActivationJob, describeJob } from "../../../invoker/job.ts";
import type { StoredAction } from "../../../invoker/store/stores.ts";
import { ExactNumber, type Json } from "../../../invoker/wire/json.ts";
import type { Order } from "../../../invoker/wire/orders.ts";
import { guestKey, orderOf, storedAction } from "./orders.ts";

const limits = { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 };

function jobOf(order: Order, annotations: readonly { key: string; value: Json }[] = []): ActivationJob {
  const stored = storedAction({ annotations });
  return describeJob(order, { stored, kind: "nodejs:20", limits }, defaultInvokerSettings());
}
/** Of the controller's trace: that ends at the invoker. */
const traceContext = { "X-B3-TraceId": "463ac35c9f6413ad", "X-B3-SpanId": "a2fb4a1d1a96d312" };
const keyless = [{ key: "provide-api-key", value: false }];

describe("a job", () => {
  it("has stock's init environment", () => {
    const frame = jobOf(orderOf({ traceContext })).initFrame(1754479200150.7);
    expect(frame).to.deep.include({ name: "hello", main: "main", binary: false });
    expect(frame.env).to.deep.equal({
      __OW_API_KEY: guestKey,
      __OW_NAMESPACE: "guest",
      __OW_ACTION_NAME: "/guest/hello",
      __OW_ACTION_VERSION: "0.0.1",
      __OW_ACTIVATION_ID: "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
      __OW_TRANSACTION_ID: "4XKkOIE0Fz6rkgDcBVvvJrMbr6pXnKkp",
      __OW_DEADLINE: "1754479260150",
    });
  });

  it("has stock's run body", () => {
    const body: unknown = JSON.parse(
      jobOf(orderOf({ content: { a: 1 }, traceContext })).runBody(1754479200150),
    );
    expect(body).to.deep.equal({
      value: { a: 1 },
      api_key: guestKey,
      namespace: "guest",
      action_name: "/guest/hello",
      action_version: "0.0.1",
      activation_id: "0d6b6b4a7cf14d54ab6b4a7cf1bd5427",
      transaction_id: "4XKkOIE0Fz6rkgDcBVvvJrMbr6pXnKkp",
      deadline: "1754479260150",
    });
  });

  it("gives a missing version as null to run and as nothing to init", () => {
    const job = jobOf(orderOf({ action: { path: "guest", name: "hello" } }));
    expect(job.initFrame(0).env).to.include({ __OW_ACTION_VERSION: "" });
    expect(JSON.parse(job.runBody(0))).to.include({ action_version: null });
  });

  it("gives fields of the key that are no texts as texts to init, and as they are to run", () => {
    const order = orderOf();
    const authkey = { api_key: "k", n: 1.5, deep: { a: [true] }, none: null } as unknown as Record<
      string,
      string
    >;
    const message = { ...order.message, user: { ...order.message.user, authkey } };
    const job = jobOf({ ...order, message });
    expect(job.initFrame(0).env).to.include({
      ...{ __OW_API_KEY: "k", __OW_N: "1.5", __OW_DEEP: '{"a":[true]}', __OW_NONE: "" },
    });
    expect(JSON.parse(job.runBody(0))).to.deep.include({
      api_key: "k",
      n: 1.5,
      deep: { a: [true] },
      none: null,
    });
  });

  it("bounds the answer to init by the system alone, whatever the user's results may be", () => {
    const order = orderOf();
    const user = { ...order.message.user, limits: { maxPayloadSize: "1 KB" } };
    const { exchange, initExchange } = jobOf({ ...order, message: { ...order.message, user } });
    expect([exchange.maxBodyBytes, initExchange.maxBodyBytes]).to.deep.equal([1024, 1024 * 1024]);
  });

  for (const [value, isGiven] of [
    [true, true],
    [1, true],
    ["yes", true],
    [{}, true],
    [[], true],
    [false, false],
    [0, false],
    ["", false],
    [null, false],
    [new ExactNumber("0.0"), false],
    [new ExactNumber("1.0"), true],
  ] as const) {
    it(`${isGiven ? "has" : "has not"} the key where provide-api-key is ${JSON.stringify(value)}`, () => {
      const job = jobOf(orderOf(), [{ key: "provide-api-key", value: value as Json }]);
      expect("__OW_API_KEY" in job.initFrame(0).env).to.equal(isGiven);
      expect(job.runBody(0).includes(guestKey)).to.equal(isGiven);
    });
  }

  it("has every field of a key that is no basic one", () => {
    const { message } = orderOf();
    const user = { ...message.user, authkey: { token: "t", api_key: "k" } };
    const job = jobOf(orderOf({ user }));
    expect(job.initFrame(0).env).to.include({ __OW_TOKEN: "t", __OW_API_KEY: "k" });
    expect(JSON.parse(job.runBody(0))).to.include({ token: "t", api_key: "k" });
  });

  it("passes arguments on as they were written", () => {
    const text = '{"n":1.0,"big":12345678901234567890,"s":"\\u00e9"}';
    expect(jobOf(orderOf({}, text), keyless).runBody(0)).to.contain(`{"value":${text},`);
  });

  it("splits init arguments off, each as text", () => {
    const text = '{"S":"x","N":null,"B":true,"F":1.50,"O":{"a": [1.0]},"keep":2.0}';
    const job = jobOf(orderOf({ initArgs: ["S", "N", "B", "F", "O", "absent"] }, text), keyless);
    const env = { S: "x", N: "", B: "true", F: "1.50", O: '{"a":[1.0]}' };
    expect(job.initFrame(0).env).to.include(env).and.not.have.property("absent");
    expect(job.runBody(0)).to.contain('{"value":{"keep":2.0},');
  });

  it("tells an action that takes arguments at its init, whatever this activation brings: nobody comes back to it", () => {
    expect(jobOf(orderOf()).hasOwnInit).to.equal(false);
    expect(jobOf(orderOf({ initArgs: ["absent"] }, "{}")).hasOwnInit).to.equal(true);
  });

  it("does not let an init argument pass for the invoker's own word", () => {
    const job = jobOf(orderOf({ initArgs: ["__OW_NAMESPACE"] }, '{"__OW_NAMESPACE":"somebody"}'));
    expect(job.initFrame(0).env).to.include({ __OW_NAMESPACE: "guest" });
  });

  it("leaves an array alone, and takes no arguments for an empty object", () => {
    expect(jobOf(orderOf({ initArgs: ["a"] }, "[1.0]")).runBody(0)).to.contain('{"value":[1.0],');
    const { message } = orderOf();
    const { content: _, ...rest } = message;
    expect(jobOf({ message: rest, contentText: undefined }).runBody(0)).to.contain('{"value":{},');
  });

  it("has one owner for the same namespace, action and revision only", () => {
    const { user } = orderOf().message;
    const other = { ...user, namespace: { ...user.namespace, name: "other" } };
    expect(jobOf(orderOf()).owner).to.equal(jobOf(orderOf({ content: { a: 1 } })).owner);
    expect(jobOf(orderOf({ user: other })).owner).to.not.equal(jobOf(orderOf()).owner);
  });

  for (const [usual, annotation, policy] of [
    ["always", undefined, "always"],
    ["on-change", undefined, "on-change"],
    ["always", "on-change", "on-change"],
    ["on-change", "always", "always"],
    ["on-change", "onchange", "always"],
    ["on-change", "", "always"],
    ["on-change", null, "always"],
    ["on-change", ["on-change"], "always"],
    ["fresh", undefined, "fresh"],
    ["always", "fresh", "fresh"],
    ["on-change", "fresh", "fresh"],
    ["fresh", "always", "always"],
    ["fresh", "on-change", "on-change"],
    ["fresh", "frech", "fresh"],
  ] as const) {
    it(`is rewound ${policy} where ${usual} is usual and its annotation ${JSON.stringify(annotation)}`, () => {
      const annotations = annotation === undefined ? [] : [{ key: "rewind", value: annotation as Json }];
      const settings = defaultInvokerSettings();
      const job = describeJob(
        orderOf(),
        { stored: storedAction({ annotations }), kind: "nodejs:20", limits },
        { ...settings, pool: { ...settings.pool, rewind: usual } },
      );
      expect(job.rewind).to.equal(policy);
    });
  }

  it("asks for modules where containers of its kind have libraries, by its annotation or its source", () => {
    const settings = defaultInvokerSettings();
    const libraries = [{ kind: "python:3", modules: ["numpy"], count: 1, memoryMB: 256 }];
    const code = Buffer.from("import numpy");
    const asked = (kind: string, parts: Partial<StoredAction>, value?: Json): string[] | undefined => {
      const annotations = value === undefined ? [] : [{ key: "libraries", value }];
      const stored = { ...storedAction({ annotations }), code, ...parts };
      const withLibraries = { ...settings, pool: { ...settings.pool, libraries } };
      const { modules } = describeJob(orderOf(), { stored, kind, limits }, withLibraries);
      return modules && [...modules];
    };
    expect(asked("python:3", {})).to.deep.equal(["numpy"]);
    expect(asked("python:3", {}, "")).to.deep.equal([]);
    expect(asked("python:3", {}, ["pandas"])).to.deep.equal(["pandas"]);
    expect(asked("python:3", { binary: true })).to.deep.equal([]);
    expect(asked("python:3", { code: undefined })).to.deep.equal([]);
    expect(asked("python:3.12", {})).to.equal(undefined);
  });

  it("may share its container where its limit and its runtime allow it", () => {
    const concurrencyOf = (kind: string, concurrency: number): number =>
      describeJob(
        orderOf(),
        { stored: storedAction(), kind, limits: { ...limits, concurrency } },
        defaultInvokerSettings(),
      ).concurrency;
    expect(concurrencyOf("nodejs:20", 1)).to.equal(1);
    expect(concurrencyOf("nodejs:20", 5)).to.equal(5);
    expect(concurrencyOf("python:3", 5)).to.equal(1);
  });

  it("limits results by the user's size if that is smaller", () => {
    const { user } = orderOf().message;
    const small = { ...user, limits: { maxPayloadSize: "2 KB", truncationSize: "10 B" } };
    expect(jobOf(orderOf({ user: small })).exchange).to.include({ maxBodyBytes: 2048, keptBodyBytes: 10 });
    const namespaceDefaults = { payloadBytes: 3000, truncationBytes: 20 };
    const usual = (order: Order): ActivationJob["exchange"] => {
      const action = { stored: storedAction(), kind: "nodejs:20", limits };
      return describeJob(order, action, { ...defaultInvokerSettings(), namespaceDefaults }).exchange;
    };
    expect(usual(orderOf())).to.include({ maxBodyBytes: 3000, keptBodyBytes: 20 });
    expect(usual(orderOf({ user: small }))).to.include({ maxBodyBytes: 2048, keptBodyBytes: 10 });
    const large = { ...user, limits: { maxPayloadSize: "2 GB" } };
    expect(jobOf(orderOf({ user: large })).exchange).to.include({ maxBodyBytes: 1_048_576 });
  });
});

describe("the feed's capacity", () => {
  it("is stock's: a message for each container there is room for, or a part of what may run in them", () => {
    const settings = defaultInvokerSettings();
    const capacity = (userMemoryMB: number, max: number): number =>
      feedCapacity({
        ...settings,
        pool: { ...settings.pool, userMemoryMB },
        concurrency: { ...settings.concurrency, max },
      });
    expect([capacity(1024, 1), capacity(2048, 1), capacity(64, 1)]).to.deep.equal([8, 16, 1]);
    expect([capacity(1024, 2), capacity(1024, 5), capacity(1024, 500)]).to.deep.equal([8, 20, 2000]);
  });
});

describe("a size", () => {
  it("is read with any of OpenWhisk's units", () => {
    const sizes = ["5 B", "2 KB", "1m", "3 g", "7K", " 1 MB"].map(sizeBytes);
    expect(sizes).to.deep.equal([5, 2048, 1_048_576, 3_221_225_472, 7168, 1_048_576]);
  });

  it("is none without a unit or with another", () => {
    expect(["5", "x", "1 TB", "-1 MB", 5, null].map(sizeBytes)).to.deep.equal(new Array(6).fill(undefined));
  });
});
