// What a container is given.

import { expect } from "chai";
import { defaultInvokerSettings, sizeBytes } from "../../../invoker/config.ts";
import { type ActivationJob, describeJob } from "../../../invoker/job.ts";
import type { Json } from "../../../invoker/wire/json.ts";
import type { Order } from "../../../invoker/wire/orders.ts";
import { guestKey, orderOf, storedAction } from "./orders.ts";

const limits = { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 };

function jobOf(order: Order, annotations: readonly { key: string; value: Json }[] = []): ActivationJob {
  const stored = storedAction({ annotations });
  return describeJob(order, { stored, kind: "nodejs:20", limits }, defaultInvokerSettings());
}
const keyless = [{ key: "provide-api-key", value: false }];

describe("a job", () => {
  it("has stock's init environment", () => {
    const frame = jobOf(orderOf()).initFrame(1754479200150.7);
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
    const body: unknown = JSON.parse(jobOf(orderOf({ content: { a: 1 } })).runBody(1754479200150));
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

  it("limits results by the user's size if that is smaller", () => {
    const { user } = orderOf().message;
    const small = { ...user, limits: { maxPayloadSize: "2 KB", truncationSize: "10 B" } };
    expect(jobOf(orderOf({ user: small })).exchange).to.include({ maxBodyBytes: 2048, keptBodyBytes: 10 });
    const large = { ...user, limits: { maxPayloadSize: "2 GB" } };
    expect(jobOf(orderOf({ user: large })).exchange).to.include({ maxBodyBytes: 1_048_576 });
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
