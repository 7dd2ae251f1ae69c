// Messages as they stand on the bus: read, spliced, written.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { combinedAck, completionAck, resultAck } from "../../../invoker/wire/acks.ts";
import { isNestedBeyond, memberTexts } from "../../../invoker/wire/json-text.ts";
import type { ActivationRecord, InvokerInstance } from "../../../invoker/wire/messages.ts";
import {
  readOrder,
  rootId,
  UnreadableMessageError,
  wantsExtraLogging,
} from "../../../invoker/wire/orders.ts";
import { messageFields } from "./orders.ts";

describe("members of a JSON text", () => {
  it("come as they were written, numbers and all", () => {
    const text =
      ' { "a" : 1.0 , "b":12345678901234567890,"c" :"x\\"}{,\\\\", "d":[1,{"e":"]"}], "f":{"g":{}} ,"h":null}';
    expect(Object.fromEntries(memberTexts(text))).to.deep.equal({
      a: "1.0",
      b: "12345678901234567890",
      c: '"x\\"}{,\\\\"',
      d: '[1,{"e":"]"}]',
      f: '{"g":{}}',
      h: "null",
    });
  });

  it("are the same values that JSON.parse sees, the last of a repeated name", () => {
    const texts = [
      "{}",
      " {\n} ",
      '{"a":1,"a":2}',
      '{"\\u0061":true,"b":"\\\\"}',
      '{"a":"\\\\\\"","b":[[],[{}]],"":0}',
      '{"a":-1.5e-7\n,"b":"\u2028"}',
    ];
    for (const text of texts) {
      const values = [...memberTexts(text)].map(([name, value]) => [name, JSON.parse(value) as unknown]);
      expect(Object.fromEntries(values), text).to.deep.equal(JSON.parse(text));
    }
  });
});

describe("the nesting of a JSON text", () => {
  const nested = (levels: number): string => `${'{"a":['.repeat(levels / 2)}1${"]}".repeat(levels / 2)}`;

  it("counts objects and arrays, up to the limit", () => {
    expect(isNestedBeyond(1000, nested(1000))).to.equal(false);
    expect(isNestedBeyond(1000, nested(1002))).to.equal(true);
    expect(isNestedBeyond(3, nested(4))).to.equal(true);
  });

  it("is not that of what stands side by side, or in strings", () => {
    expect(isNestedBeyond(2, `[${"[],{},".repeat(50)}1]`)).to.equal(false);
    expect(isNestedBeyond(2, JSON.stringify([`"${"[{".repeat(50)}`]))).to.equal(false);
  });
});

describe("an activation message", () => {
  it("is read together with the text of its arguments", () => {
    const text = JSON.stringify(messageFields({})).replace('"content":{}', '"content":{"n":1.0}');
    const order = readOrder(text);
    expect(order.contentText).to.equal('{"n":1.0}');
    expect(order.message, "not kept twice").not.to.have.property("content");
    expect(order.message.action).to.deep.equal({ path: "guest", name: "hello", version: "0.0.1" });
  });

  it("of a health test has neither revision nor arguments", () => {
    const { content: _, ...fields } = messageFields({ revision: null });
    const order = readOrder(JSON.stringify(fields));
    expect(order.contentText).to.equal(undefined);
    expect(order.message.revision).to.equal(null);
  });

  it("may have fields that nobody knows, and a controller without its type", () => {
    const fields = { ...messageFields({}), rootControllerIndex: { asString: "7" }, later: { version: 3 } };
    expect(readOrder(JSON.stringify(fields)).message.rootControllerIndex.asString).to.equal("7");
  });

  for (const field of ["transid", "action", "revision", "user", "activationId", "blocking", "initArgs"]) {
    it(`without ${field} is refused with the name of the field`, () => {
      const fields = Object.fromEntries(Object.entries(messageFields({})).filter(([name]) => name !== field));
      expect(() => readOrder(JSON.stringify(fields))).to.throw(UnreadableMessageError, field);
    });
  }

  const ids = [
    "",
    "x",
    "0".repeat(31),
    "0".repeat(33),
    "A".repeat(32),
    `${"0".repeat(31)}g`,
    `${"0".repeat(32)}\n`,
  ];
  const whole = messageFields({});
  const malformed: readonly (readonly [string, unknown])[] = [
    ...ids.map((id) => ["activationId", id] as const),
    ...ids.map((id) => ["cause", id] as const),
    ["user", { ...whole.user, subject: "four" }],
    ["action", { ...whole.action, version: "x" }],
  ];
  for (const [field, value] of malformed) {
    it(`is refused with the ${field} ${JSON.stringify(value)}`, () => {
      expect(() => readOrder(JSON.stringify({ ...whole, [field]: value }))).to.throw(
        UnreadableMessageError,
        `${field} is missing or malformed`,
      );
    });
  }

  const transids: readonly (readonly [unknown, string, string, boolean])[] = [
    [["a", 1], "a", "a", false],
    [["a", 1, true], "a", "a", true],
    [["a", 1, ["b", 2]], "a", "b", false],
    [["a", 1, true, ["b", 2, ["c", 3]]], "a", "c", true],
    ["a", "sid_unknown", "sid_unknown", false],
    [{}, "sid_unknown", "sid_unknown", false],
    [["a"], "sid_unknown", "sid_unknown", false],
    [["a", 1, false], "sid_unknown", "sid_unknown", false],
    [["a", 1, true, 5], "sid_unknown", "sid_unknown", false],
    [["a", 1, ["b"]], "sid_unknown", "sid_unknown", false],
    [["a", 1, ["b", 2], true], "sid_unknown", "sid_unknown", false],
  ];
  for (const [transid, id, root, isExtra] of transids) {
    it(`with the transaction ${JSON.stringify(transid)} is of ${id}, outermost ${root}`, () => {
      const { message } = readOrder(JSON.stringify({ ...messageFields({}), transid }));
      expect([message.transid[0], rootId(message.transid)]).to.deep.equal([id, root]);
      expect(wantsExtraLogging(message)).to.equal(isExtra);
      expect(completionAck(message.transid, "x", false, {} as InvokerInstance)).to.contain(
        `"transid":${id === "sid_unknown" ? '["sid_unknown",' : JSON.stringify(transid)}`,
      );
    });
  }

  it("may say that there are no arguments by null, but not give others than an object or an array", () => {
    const read = (content: string): string | undefined =>
      readOrder(JSON.stringify(messageFields({})).replace('"content":{}', `"content":${content}`))
        .contentText;
    expect([read("null"), read("[1.0]")]).to.deep.equal([undefined, "[1.0]"]);
    for (const scalar of ["1", '"x"', "true"])
      expect(() => read(scalar)).to.throw(UnreadableMessageError, "content");
  });

  it("may say null for what is optional, and that is as if it were not there", () => {
    const { action, user, rootControllerIndex, ...fields } = messageFields({});
    const full = {
      ...{ ...fields, cause: null, traceContext: null, content: null, revision: null },
      action: { ...action, version: null, binding: null },
      user: { ...user, limits: { storeActivations: null, maxActionMemory: null, minActionLogs: 1 } },
      rootControllerIndex: { ...rootControllerIndex, instanceType: null },
    };
    const { message } = readOrder(JSON.stringify(full));
    const { content: _, ...left } = fields;
    expect(message).to.deep.equal({
      ...{ ...left, revision: null, action: { path: action.path, name: action.name } },
      user: { ...user, limits: { minActionLogs: 1 } },
      rootControllerIndex: { asString: rootControllerIndex.asString },
    });
  });

  for (const [field, change] of Object.entries({
    cause: { cause: 1 },
    "action.version": { action: { path: "guest", name: "a", version: 1 } },
    "action.binding": { action: { path: "guest", name: "a", binding: {} } },
  })) {
    it(`whose ${field} is of another type is refused`, () => {
      expect(() => readOrder(JSON.stringify({ ...messageFields({}), ...change }))).to.throw(
        UnreadableMessageError,
        field.split(".")[0] ?? "",
      );
    });
  }

  it("of a scheduler is refused with the reason", () => {
    const container = { ...messageFields({}), whiskActionMetaData: {}, creationId: "c" };
    expect(() => readOrder(JSON.stringify(container))).to.throw(
      UnreadableMessageError,
      "ShardingContainerPoolBalancer",
    );
  });

  it("that is no JSON object is refused, and its text is not repeated", () => {
    for (const text of ["", "secret", "[]", '"x"', "null", "{"]) {
      expect(() => readOrder(text))
        .to.throw(UnreadableMessageError)
        .with.property("message")
        .not.contains("secret");
    }
  });
});

describe("acknowledgements", () => {
  const instance: InvokerInstance = {
    instance: 3,
    userMemory: "1073741824 B",
    instanceType: "invoker",
    tags: [],
    dedicatedNamespaces: [],
  };
  const transid = ["tid", 1754479200123, true, ["parent", 1]] as const;
  const record: ActivationRecord = {
    ...{ namespace: "guest", name: "hello", subject: "guest", activationId: "0".repeat(32) },
    ...{ start: 1, end: 2, duration: 1, logs: [], version: "0.0.1", publish: false, annotations: [] },
    response: { statusCode: 0, result: { n: 1 }, size: 9 },
  };

  it("of a result carry it as the action wrote it, and no instance", () => {
    const text = resultAck(transid, { record, resultText: '{"n":1.00}' });
    expect(text).to.contain('"result":{"n":1.00}');
    expect(JSON.parse(text)).to.deep.equal({ transid, response: record });
  });

  it("of a completion carry the instance, and no response", () => {
    const ack: unknown = JSON.parse(completionAck(transid, record.activationId, true, instance));
    expect(ack).to.deep.equal({ transid, activationId: record.activationId, isSystemError: true, instance });
  });

  it("of both at once carry both, the record or just its id", () => {
    const whole: unknown = JSON.parse(
      combinedAck(transid, { record, resultText: '{"n":1}' }, false, instance),
    );
    expect(whole).to.deep.equal({ transid, response: record, isSystemError: false, instance });
    const shrunk: unknown = JSON.parse(combinedAck(transid, record.activationId, false, instance));
    expect(shrunk).to.deep.equal({ transid, response: record.activationId, isSystemError: false, instance });
  });

  it("leave out the size where there is none", () => {
    const sizeless = { ...record, response: { statusCode: 3 as const, result: { error: "x" } } };
    const ack = JSON.parse(resultAck(transid, { record: sizeless, resultText: '{"error":"x"}' })) as object;
    expect(ack).to.have.nested.property("response.response").that.deep.equals(sizeless.response);
  });
});

describe("this test's messages", () => {
  it("have the shape of those recorded from a real controller", () => {
    const recorded = JSON.parse(readFileSync("test/compat/stock-activations.json", "utf8")) as {
      readonly "js-cold": { readonly order: string };
    };
    const order = JSON.parse(recorded["js-cold"].order) as object;
    expect(Object.keys(messageFields({}))).to.have.members(Object.keys(order));
  });
});
