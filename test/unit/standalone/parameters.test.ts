// Parameters: reading, merging, and the arguments that come of them.

import { expect } from "chai";
import {
  argumentsOf,
  merged,
  overridesFinal,
  readParameters,
  sizeBytes,
} from "../../../standalone/parameters.ts";

describe("parameters", () => {
  it("are read as key and value, with the marks for init and encryption", () => {
    const list = [
      { key: "a", value: null },
      { key: "b", value: { c: [1] }, init: true },
      { key: "d", value: "x", encryption: "aes-128" },
    ];
    expect(readParameters(list)).to.deep.equal(list);
  });

  it("with the same key are the last of them, in the first one's place", () => {
    const list = [
      { key: "a", value: 1 },
      { key: "b", value: 2 },
      { key: "a", value: 3 },
    ];
    expect(readParameters(list)).to.deep.equal([
      { key: "a", value: 3 },
      { key: "b", value: 2 },
    ]);
  });

  it("of another shape are refused", () => {
    for (const bad of [
      {},
      "x",
      [1],
      [{ key: "a" }],
      [{ value: 1 }],
      [{ key: 1, value: 1 }],
      [{ key: " ", value: 1 }],
    ]) {
      expect(() => readParameters(bad), JSON.stringify(bad)).to.throw("parameters malformed");
    }
  });

  it("merge so that later ones win and new ones follow", () => {
    const merge = merged(
      [
        { key: "a", value: 1 },
        { key: "b", value: 1 },
      ],
      [
        { key: "c", value: 2 },
        { key: "a", value: 2 },
      ],
    );
    expect(merge.map(({ key, value }) => [key, value])).to.deep.equal([
      ["a", 2],
      ["b", 1],
      ["c", 2],
    ]);
  });

  it("are as large as their keys and their values as JSON", () => {
    expect(sizeBytes([{ key: "ä", value: "x" }])).to.equal(2 + 3);
  });
});

describe("the arguments of an activation", () => {
  const stored = [
    { key: "greeting", value: "hi" },
    { key: "STAGE", value: "prod", init: true },
    { key: "token", value: "AAAA", encryption: "aes-128" },
  ];

  it("are the stored parameters, overridden by the payload key by key", () => {
    expect(argumentsOf(stored, { greeting: "ho", name: { deep: 1 } })).to.deep.equal({
      content: { greeting: "ho", STAGE: "prod", token: "AAAA", name: { deep: 1 } },
      initArgs: ["STAGE"],
      lockedArgs: { token: "aes-128" },
    });
  });

  it("name an init argument even when the payload overrides it, a locked one only when not", () => {
    const { initArgs, lockedArgs } = argumentsOf(stored, { STAGE: "test", token: "open" });
    expect(initArgs).to.deep.equal(["STAGE"]);
    expect(lockedArgs).to.deep.equal({});
  });

  it("are the payload alone when that is an array", () => {
    expect(argumentsOf(stored, [1, 2]).content).to.deep.equal([1, 2]);
  });

  it("are an empty object when there is nothing", () => {
    expect(JSON.stringify(argumentsOf([], undefined).content)).to.equal("{}");
  });

  it("keep a key called __proto__ as an ordinary one", () => {
    const { content } = argumentsOf([], JSON.parse('{"__proto__":{"x":1}}'));
    expect(JSON.stringify(content)).to.equal('{"__proto__":{"x":1}}');
  });

  it("may not override what a final annotation protects, unless it has no value yet", () => {
    const final = [{ key: "final", value: true }];
    const own = [
      { key: "a", value: 1 },
      { key: "open", value: null },
    ];
    expect(overridesFinal(final, own, { a: 2 })).to.equal(true);
    expect(overridesFinal(final, own, { open: 2, other: 3 })).to.equal(false);
    expect(overridesFinal([], own, { a: 2 })).to.equal(false);
  });
});
