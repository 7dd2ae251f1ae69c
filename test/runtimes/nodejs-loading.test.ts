// How actions of the kind nodejs are loaded: forms of code, names of main, and error texts as in OpenWhisk's nodejs runtime.

import { expect } from "chai";
import { files, tarGz, zip } from "./archives.ts";
import { endSpares, otherNodes, resultsOf, withRuntime } from "./runtime.ts";

const hello = 'function main({ name }) { return { greeting: "hello " + name }; }';
const resultOf = resultsOf("nodejs");

/** The error text of a failed init. */
async function initErrorOf(code: string | Buffer, main = "main"): Promise<string> {
  const { status, body } = await withRuntime("nodejs", (runtime) => runtime.init({ code, main }));
  expect(status).to.equal(502);
  return (body as { error: string }).error;
}

after(endSpares);

describe("nodejs: loading code", () => {
  for (const [way, code] of Object.entries({
    "a function declaration": hello,
    "an arrow function": 'const main = ({ name }) => ({ greeting: "hello " + name });',
    "a function assigned without a declaration":
      'main = function ({ name }) { return { greeting: "hello " + name } }',
    "exports.main": 'exports.main = ({ name }) => ({ greeting: "hello " + name });',
    "module.exports": 'module.exports = { main: ({ name }) => ({ greeting: "hello " + name }) };',
    "a strict script": `"use strict"; ${hello}`,
    "a script that ends in a comment": `${hello} // that is all`,
    "an ES module": 'export const main = ({ name }) => ({ greeting: "hello " + name });',
    "an ES module with a default export": 'export default ({ name }) => ({ greeting: "hello " + name });',
    "an ES module that imports and awaits":
      'import { sep } from "node:path"; await null; export function main({ name }) { return { greeting: "hello " + name + sep.slice(1) }; }',
    "a CommonJS bundle that imports on demand":
      'exports.main = async ({ name }) => { const { sep } = await import("node:path"); return { greeting: "hello " + name + sep.slice(1) }; };',
  })) {
    it(`takes a source text with ${way}`, async () => {
      expect(await resultOf(code, { name: "Ada" })).to.deep.equal({ greeting: "hello Ada" });
    });
  }

  it("says nothing on stderr of an import on demand", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({
        code: 'exports.main = async () => ({ ok: typeof (await import("node:path")) });',
      });
      expect((await runtime.run()).body).to.deep.equal({ ok: "object" });
      expect(runtime.stderr).to.equal("");
    });
  });

  it("takes another name for main, and a path to it", async () => {
    expect(await resultOf("const act = () => ({ ok: 1 });", {}, "act")).to.deep.equal({ ok: 1 });
    expect(await resultOf("exports.a = { b: () => ({ ok: 2 }) };", {}, "exports.a.b")).to.deep.equal({
      ok: 2,
    });
  });

  it("runs a source text in sloppy mode with the names of a CommonJS module", async () => {
    const code =
      "function main() { undeclared = 1; return { kinds: [typeof require, typeof module, typeof exports, typeof __dirname], undeclared }; }";
    expect(await resultOf(code)).to.deep.equal({
      kinds: ["function", "object", "object", "string"],
      undeclared: 1,
    });
  });

  it("lets a source text declare names of its own called module, exports and require", async () => {
    expect(
      await resultOf("let module = 1, require = 2; const main = () => ({ module, require });"),
    ).to.deep.equal({
      module: 1,
      require: 2,
    });
  });

  for (const [format, pack] of Object.entries({ zip, "tar.gz": tarGz })) {
    it(`takes a ${format} archive with package.json, main and node_modules`, async () => {
      const archive = pack(
        files({
          "package.json": '{"main":"lib/start.js"}',
          "lib/start.js": 'exports.main = ({ n }) => ({ twice: require("double")(n), cwd: process.cwd() });',
          "node_modules/double/index.js": "module.exports = (n) => 2 * n;",
        }),
      );
      const { twice, cwd } = (await resultOf(archive, { n: 21 })) as { twice: number; cwd: string };
      expect(twice).to.equal(42);
      expect(cwd).to.match(/\/code$/);
    });
  }

  it("takes an archive with index.js alone, and file.function in a nested folder", async () => {
    expect(await resultOf(zip(files({ "index.js": "exports.main = () => ({ ok: 1 });" })))).to.deep.equal({
      ok: 1,
    });
    const nested = zip(files({ "src/act.js": "exports.run = { now: () => ({ ok: 2 }) };" }));
    expect(await resultOf(nested, {}, "src/act.run.now")).to.deep.equal({ ok: 2 });
  });

  it("takes archives with ES modules: by type, by ending, with a default export, awaiting at the top", async () => {
    const byType = zip(
      files({
        "package.json": '{"type":"module"}',
        "index.js": 'import { text } from "./text.js"; await null; export const main = () => ({ text });',
        "text.js": 'export const text = "typed";',
      }),
    );
    expect(await resultOf(byType)).to.deep.equal({ text: "typed" });
    const byEnding = zip(
      files({
        "package.json": '{"main":"act.mjs"}',
        "act.mjs": 'export default { main: () => ({ text: "ended" }) };',
      }),
    );
    expect(await resultOf(byEnding)).to.deep.equal({ text: "ended" });
  });

  it("says what is wrong with code that cannot be loaded", async () => {
    expect(await initErrorOf("function main( { return {}; }")).to.match(
      /^Initialization has failed due to: SyntaxError: .*\n {4}at .*main\.js:1/,
    );
    expect(await initErrorOf("function other() {}")).to.equal(
      "Initialization has failed due to: Action entrypoint 'main' is not a function.",
    );
    expect(await initErrorOf("const main = 5;")).to.equal(
      "Initialization has failed due to: Action entrypoint 'main' is not a function.",
    );
    expect(await initErrorOf('throw new Error("at the top")')).to.match(
      /^Initialization has failed due to: Error: at the top\n {4}at /,
    );
    expect(await initErrorOf("export const main = ;")).to.match(
      /^Initialization has failed due to: SyntaxError/,
    );
    expect(await initErrorOf(zip(files({ "readme.md": "" })))).to.equal(
      "Initialization has failed due to: Zipped actions must contain either package.json or index.js at the root.",
    );
    expect(await initErrorOf(Buffer.from("plain text"))).to.equal(
      "Initialization has failed due to: The Filetype is not supported",
    );
    expect(await initErrorOf(zip(files({ "index.js": 'require("absent")' })))).to.match(
      /Cannot find module 'absent'/,
    );
  });

  it("shows users no frame of the proxy in an init error", async () => {
    expect(await initErrorOf('null.x; "top"')).not.to.match(/runtimes\/nodejs|node:/);
  });

  it("says on stderr why an init failed", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: 'throw new Error("at the top")' });
      expect(runtime.stderr).to.match(/^Error during initialization: Error: at the top/);
    });
  });

  for (const node of otherNodes()) {
    it(`works alike on ${node.split("/").at(-5)}`, async () => {
      const archive = zip(
        files({ "package.json": '{"type":"module"}', "index.js": "export const main = () => [1];" }),
      );
      for (const [code, result] of [
        [hello, { greeting: "hello Ada" }],
        ["export const main = async () => ({ esm: true });", { esm: true }],
        [archive, [1]],
      ] as const) {
        const answer = await withRuntime(
          "nodejs",
          async (runtime) => {
            await runtime.init({ code });
            return runtime.run({ name: "Ada" });
          },
          node,
        );
        expect(answer.body).to.deep.equal(result);
      }
    });
  }
});
