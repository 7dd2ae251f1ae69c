// HOCON texts and the values they make, or the line and the words by which they are refused.

import { expect } from "chai";
import { HoconError, leavesOf, readHocon } from "../../../../invoker/config/hocon.ts";

const outside: { readonly [path: string]: string } = { HOME: "/home/ow", "whisk.memory.max": "512m" };

function leaves(text: string): { readonly [key: string]: string | null } {
  const tree = readHocon(text, "TEXT", (path) => outside[path]);
  return Object.fromEntries([...leavesOf(tree)].map(([key, scalar]) => [key, scalar.text]));
}

function refusal(text: string): string {
  try {
    leaves(text);
  } catch (error) {
    if (error instanceof HoconError) return `${error.line}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("a HOCON text", () => {
  const accepted: readonly (readonly [string, { readonly [key: string]: string | null }])[] = [
    ["", {}],
    ["# nothing\n// but comments", {}],
    ['include classpath("application.conf")\n', {}],
    ['include "application.conf"\na = 1', { a: "1" }],
    [
      '{ "a": { "b": [1, true, null, "x"] } }',
      { "a.b.0": "1", "a.b.1": "true", "a.b.2": null, "a.b.3": "x" },
    ],
    ["a.b { c = 1 }\na.b.d = 2, e: 3", { "a.b.c": "1", "a.b.d": "2", e: "3" }],
    ["a = 10 minutes # ten\nb = 2048 m // much", { a: "10 minutes", b: "2048 m" }],
    ["a = 00012\nb = 1e3\nc = yes", { a: "00012", b: "1e3", c: "yes" }],
    [`a = "# // \${x} \\"q\\" \\u0041\\n"`, { a: `# // \${x} "q" A\n` }],
    ['a = """x\n"y" \\n""""', { a: 'x\n"y" \\n"' }],
    ["a = 1\na = 2", { a: "2" }],
    ["a = { b = 1 }\na = { c = 2 }", { "a.b": "1", "a.c": "2" }],
    ["a = { b = 1 }\na = 2\na = { c = 3 }", { "a.c": "3" }],
    [`a = [1]\na += 2\na = \${a} [3]`, { "a.0": "1", "a.1": "2", "a.2": "3" }],
    ["a += 1", { "a.0": "1" }],
    ["a = [\n  1\n  2, # two\n]", { "a.0": "1", "a.1": "2" }],
    [`b = \${a}\na = 1\na = 2`, { a: "2", b: "2" }],
    [`a = { x = 1 }\nb = \${a} { y = 2 }`, { "a.x": "1", "b.x": "1", "b.y": "2" }],
    [`a = \${HOME}/x\nb = \${?HOME}`, { a: "/home/ow/x", b: "/home/ow" }],
    [`a = \${?nowhere}\nb = 1\nb = \${?nowhere}`, { b: "1" }],
    [`a = \${whisk.memory.max}`, { a: "512m" }],
    [`path = \${?path}":/bin"`, { path: ":/bin" }],
    [`path = /bin\npath = \${path}":/sbin"`, { path: "/bin:/sbin" }],
    [`bar = { foo = 42, baz = \${bar.foo} }\nbar { foo = 43 }`, { "bar.foo": "43", "bar.baz": "43" }],
    [`a = x \${b} z\nb = y`, { a: "x y z", b: "y" }],
    [`n = 1\na = [{ b = \${n} }, { b = { c = 2 } }]`, { n: "1", "a.0.b": "1", "a.1.b.c": "2" }],
    ['"a.b".c = 1', { "a.b.c": "1" }],
    ["a\u00a0=\r\n 1\r\nb = 2", { a: "1", b: "2" }],
    ["a = null\nb = nullable", { a: null, b: "nullable" }],
  ];
  for (const [text, wanted] of accepted) {
    it(`${JSON.stringify(text)} is read`, () => {
      expect(leaves(text)).to.deep.equal(wanted);
    });
  }

  const refused: readonly (readonly [string, RegExp])[] = [
    ["a = {\n  b = 1", /^1: the object that begins here is not closed/],
    ["a = [1\nb = 2\n", /^2: '=' may not stand/],
    ["\n\na", /^3: a is followed by neither/],
    ["a = 1\nb =", /^2: b has no value/],
    ["a = host:80", /^1: ':' may not stand in a value without quotes: put the value in double quotes/],
    ["a = b c = d", /^1: '=' may not stand/],
    ['a = "x', /^1: the text that begins here is not closed/],
    ['a = "\\q"', /^1: \\q means nothing/],
    [`a = \${b}`, /^1: \$\{b\} is defined nowhere.*write \$\{\?b\}/],
    [`a = \${b}\nb = \${a}`, /^\d: \$\{[ab]\} is defined nowhere \(or by itself alone\)/],
    [`a = \${b`, /^1: the reference that begins here is not closed/],
    ["a = [1] x", /^1: a list or an object is joined with something of another kind/],
    [
      'include file("/etc/x.conf")',
      /^1: include file\("\/etc\/x.conf"\) cannot be followed: write its content in its place/,
    ],
    ['whisk { include url("http://x") }', /^1: include url.* cannot be followed/],
    ["a = 1 }", /^1: '\}'/],
    ["{ a = 1 } b", /^1: 'b' follows the end/],
    [".a = 1", /^1: a key is missing/],
    ["a.. = 1", /^1: a key is missing/],
  ];
  for (const [text, wanted] of refused) {
    it(`${JSON.stringify(text)} is refused`, () => {
      expect(refusal(text)).to.match(wanted);
    });
  }

  it("cut off anywhere is read or refused, and nothing worse", () => {
    for (const [text] of accepted) {
      for (const [i] of [...text].entries()) {
        for (const part of [text.slice(0, i), text.slice(i), text.slice(0, i) + text.slice(i + 1)]) {
          expect(refusal(part)).to.match(/^(accepted$|\d+: )/);
        }
      }
    }
  });

  it("says where each value stands", () => {
    const tree = readHocon("a = 1\nb {\n  c = 2\n}", "TEXT", () => undefined);
    expect(leavesOf(tree).get("b.c")).to.deep.equal({ text: "2", origin: "TEXT line 3" });
  });
});
