// Messages as they stand on the bus: read, spliced, written.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { combinedAck, completionAck, resultAck } from "../../../invoker/wire/acks.ts";
import { isNestedBeyond, memberTexts } from "../../../invoker/wire/json-text.ts";
import type { ActivationRecord, InvokerInstance } from "../../../invoker/wire/messages.ts";
import { readOrder, UnreadableMessageError } from "../../../invoker/wire/orders.ts";
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
