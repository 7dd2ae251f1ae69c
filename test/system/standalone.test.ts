// The whole of rewhisk as a person has it: `npm start`, the requests of wsk, real containers, and a restart.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { files, zip } from "../runtimes/archives.ts";
import { type Answer, StandaloneProgram } from "./standalone-program.ts";

const resultOnly = "blocking=true&result=true";
const wholeRecord = "blocking=true&result=false";

const zipped = zip(
  files({
    "package.json": '{"main":"lib/start.js"}',
    "lib/start.js": "const left = require('left'); exports.run = (p) => ({ padded: left.pad(p.text) });\n",
    "node_modules/left/package.json": '{"main":"index.js"}',
    "node_modules/left/index.js": "exports.pad = (text) => text.padStart(5, '.');\n",
  }),
);

describe("npm start", function () {
  this.timeout(120_000);
  let folder: string;
  let program: StandaloneProgram;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-npm-start-"));
    program = await StandaloneProgram.start({ dataFolder: folder, byNpm: true });
    await createShared();
  });
  after(async () => {
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As `wsk action create NAME` sends it; an archive goes as base64. */
  async function create(name: string, kind: string, code: string | Buffer, more: object = {}): Promise<void> {
    const exec = { kind, code: typeof code === "string" ? code : code.toString("base64"), ...more };
    const { status, body } = await program.send("PUT", `actions/${name}?overwrite=false`, {
      namespace: "_",
      name,
      exec,
    });
    expect(status, JSON.stringify(body)).to.equal(200);
  }

  /** As `wsk action invoke NAME -r` sends it. */
  async function result(name: string, parameters: object = {}): Promise<unknown> {
    const { status, body } = await program.send("POST", `actions/${name}?${resultOnly}`, parameters);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  /** What several tests use: actions in both languages, an archive, a package and its binding. */
  async function createShared(): Promise<void> {
    await create(
      "hello",
      "nodejs:default",
      'function main(p){console.log("seen");return {msg:"hi "+p.name}}\n',
    );
    await create(
      "pyh",
      "python:3",
      'import sys\ndef main(a):\n    print("to err", file=sys.stderr)\n    return {"msg": "hi " + a["name"]}\n',
    );
    await create("zipped", "nodejs:default", zipped, { main: "run" });
    const from = (where: string, ...keys: string[]): object[] => keys.map((key) => ({ key, value: where }));
    await program.send("PUT", "packages/pkg?overwrite=false", {
      namespace: "_",
      name: "pkg",
      parameters: from("package", "a", "b", "c", "d"),
    });
    await program.send("PUT", "actions/pkg/show?overwrite=false", {
      namespace: "_",
      name: "pkg/show",
      exec: { kind: "nodejs:default", code: "function main(p){return p}" },
      parameters: from("action", "c", "d"),
    });
    await program.send("PUT", "packages/bound?overwrite=false", {
      parameters: from("binding", "b", "c", "d"),
      binding: { namespace: "_", name: "pkg" },
    });
  }

  it("prints a curl line that works as it is pasted", () => {
    const { stdout, status } = spawnSync("/bin/sh", ["-c", program.line("curl")], { encoding: "utf8" });
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({ msg: "Hello, you from somewhere!" });
  });

  it("serves an action in JavaScript, again, and another one after it", async () => {
    expect(await result("hello", { name: "x" })).to.deep.equal({ msg: "hi x" });
    expect(await result("hello", { name: "ÿ€😀" })).to.deep.equal({ msg: "hi ÿ€😀" });
    await create(
      "other",
      "nodejs:default",
      "exports.main = async (p) => [p, globalThis.left, globalThis.left = 1];\n",
    );
    expect(await result("other", { a: 1 })).to.deep.equal([{ a: 1 }, null, 1]);
    expect(await result("other", { a: 2 })).to.deep.equal([{ a: 2 }, null, 1]);
  });

  it("serves an action in Python", async () => {
    expect(await result("pyh", { name: "x" })).to.deep.equal({ msg: "hi x" });
    expect(await result("pyh", { name: "y" })).to.deep.equal({ msg: "hi y" });
  });

  it("serves an action in Ruby, as a text and as an archive", async () => {
    await create(
      "rb",
      "ruby:default",
      'def main(a)\n  puts "seen"\n  { msg: "hi #{a["name"]}", calls: $calls = $calls.to_i + 1 }\nend\n',
    );
    for (const name of ["x", "ÿ€😀"])
      expect(await result("rb", { name })).to.deep.equal({ msg: `hi ${name}`, calls: 1 });
    const archive = zip(
      files({
        "main.rb": "require_relative 'words/text'\ndef act(a)\n  { text: Words.text(a) }\nend\n",
        "words/text.rb": "module Words\n  def self.text(a) = a.fetch('text', '?') * 2\nend\n",
      }),
    );
    await create("rbzipped", "ruby:default", archive, { main: "act" });
    expect(await result("rbzipped", { text: "in" })).to.deep.equal({ text: "inin" });
  });

  it("passes numbers on as they were written", async () => {
    const code = "def main(a):\n    return {**a, 'float': isinstance(a['f'], float)}\n";
    await create("exact", "python:3", code);
    const numbers = '"big":12345678901234567890,"f":1.0';
    const { text, headers } = await program.send("POST", `actions/exact?${resultOnly}`, `{${numbers}}`);
    expect(text).to.equal(`{${numbers},"float":true}`);
    const id = headers.get("x-openwhisk-activation-id") ?? "";
    await program.record(id);
    expect((await program.send("GET", `activations/${id}/result`)).text).to.include(text);
  });

  it("gives the whole record to who asks for it", async () => {
    const { status, headers, body } = await program.send("POST", `actions/hello?${wholeRecord}`, {
      name: "x",
    });
    expect(status).to.equal(200);
    expect(body).to.include({
      namespace: "guest",
      name: "hello",
      subject: "guest",
      version: "0.0.1",
      publish: false,
    });
    expect(body.response).to.deep.equal({
      status: "success",
      success: true,
      result: { msg: "hi x" },
      size: 14,
    });
    expect(body.activationId).to.equal(headers.get("x-openwhisk-activation-id"));
    expect(annotation(body, "path")).to.equal("guest/hello");
    expect(annotation(body, "kind")).to.match(/^nodejs:\d+$/);
    expect(annotation(body, "limits")).to.deep.equal({
      concurrency: 1,
      logs: 10,
      memory: 256,
      timeout: 60000,
    });
    expect(annotation(body, "waitTime")).to.be.a("number");
    expect(body.duration).to.equal(body.end - body.start);
  });

  it("tells failures with OpenWhisk's statuses and texts", async () => {
    const fail = (code: string): Promise<Answer> => failing(code, resultOnly);
    let count = 0;
    async function failing(code: string, how: string): Promise<Answer> {
      await create(`fail${++count}`, "nodejs:default", code);
      return await program.send("POST", `actions/fail${count}?${how}`, {});
    }
    expect(await fail('function main() { return { error: "boom", more: 1 }; }')).to.deep.include({
      status: 502,
      body: { error: "boom" },
    });
    expect(await fail("function main() { process.exit(1); }")).to.deep.include({
      status: 502,
      body: { error: "The action did not produce a valid response and exited unexpectedly." },
    });
    expect(await fail("function main() { return 5; }")).to.deep.include({
      status: 502,
      body: { error: "The action did not return a dictionary." },
    });
    const broken = await failing("function main( {", wholeRecord);
    expect(broken.status).to.equal(502);
    expect(broken.body.response).to.include({ status: "action developer error", success: false });
    expect(broken.body.response.result.error).to.match(/^Initialization has failed due to: SyntaxError/);
    const name = "late";
    // A busy machine has loaded it by then.
    const limits = { timeout: 4000, memory: 128, logs: 1 };
    const exec = { kind: "python:3", code: "import time\ndef main(a):\n    time.sleep(60)\n" };
    await program.send("PUT", `actions/${name}?overwrite=false`, { namespace: "_", name, exec, limits });
    const late = await program.send("POST", `actions/${name}?${wholeRecord}`, {});
    expect(late.status).to.equal(502);
    expect(late.body.response.result).to.deep.equal({
      error: "The action exceeded its time limits of 4000 milliseconds.",
    });
    expect(annotation(late.body, "timeout")).to.equal(true);
    expect(await program.send("POST", `actions/nope?${resultOnly}`, {})).to.deep.nested.include({
      status: 404,
      "body.error": "The requested resource does not exist.",
    });
  });

  it("takes parameters nested as deeply as either language can, and refuses deeper ones", async () => {
    const nested = (levels: number): object => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
    await create("same", "nodejs:default", "function main(p){return p}");
    await create("pysame", "python:3", "def main(a):\n    return a\n");
    for (const name of ["same", "pysame"]) {
      expect(await result(name, nested(950))).to.deep.equal(nested(950));
      const { status, body } = await program.send("POST", `actions/${name}?${resultOnly}`, nested(951));
      expect([status, body.error]).to.deep.equal([
        400,
        "The request content was malformed:\nJSON input nested too deeply, the limit is 950 levels",
      ]);
    }
  });

  it("answers at once who does not wait, and has the record a moment later", async () => {
    const { status, body } = await program.send("POST", "actions/hello?blocking=false&result=false", {
      name: "later",
    });
    expect(status).to.equal(202);
    expect(Object.keys(body)).to.deep.equal(["activationId"]);
    expect((await program.record(body.activationId)).response.result).to.deep.equal({ msg: "hi later" });
  });

  it("lists activations, and gives each one's record, result and logs", async () => {
    for (const name of ["a", "b", "c"]) {
      const { body } = await program.send("POST", `actions/hello?${wholeRecord}`, { name });
      await program.record(body.activationId);
    }
    const sinceMs = Date.now();
    const invoked = await program.send("POST", `actions/pyh?${wholeRecord}`, { name: "log" });
    const { activationId } = invoked.body;
    const record = await program.record(activationId);
    expect(record).to.deep.equal({ ...invoked.body, logs: record.logs });
    expect(record.logs).to.have.length(1);
    expect(record.logs[0]).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z +stderr: to err$/);
    expect((await program.send("GET", `activations/${activationId}/logs`)).body).to.deep.equal({
      logs: record.logs,
    });
    expect((await program.send("GET", `activations/${activationId}/result`)).body).to.deep.equal(
      record.response,
    );
    const listed = async (query: string): Promise<readonly string[]> =>
      (await program.send("GET", `activations?${query}`)).body.map(
        (one: { activationId: string }) => one.activationId,
      );
    expect(await listed("limit=1&skip=0")).to.deep.equal([activationId]);
    expect(await listed("limit=30&name=hello&skip=0"))
      .to.have.length.of.at.least(3)
      .and.not.include(activationId);
    // As `wsk activation poll` asks.
    expect(await listed(`docs=true&limit=0&since=${sinceMs}&skip=0`)).to.deep.equal([activationId]);
    expect(await listed(`docs=true&limit=0&since=${record.start + 1}&skip=0`)).to.deep.equal([]);
  });

  it("runs what an update says, and nothing after a deletion", async () => {
    const update = {
      namespace: "_",
      name: "hello",
      exec: { kind: "nodejs:default", code: "function main(){return {v:2}}" },
      parameters: [{ key: "a", value: 1 }],
    };
    const { body } = await program.send("PUT", "actions/hello?overwrite=true", update);
    expect(body).to.deep.include({ version: "0.0.2", parameters: update.parameters });
    expect(await result("hello")).to.deep.equal({ v: 2 });
    expect((await program.send("PUT", "actions/hello?overwrite=false", update)).status).to.equal(409);
    await create("brief", "nodejs:default", "function main(){return {}}");
    expect(await result("brief")).to.deep.equal({});
    expect((await program.send("DELETE", "actions/brief")).status).to.equal(200);
    expect((await program.send("POST", `actions/brief?${resultOnly}`, {})).status).to.equal(404);
    expect((await program.send("GET", "actions/brief?code=false")).status).to.equal(404);
  });

  it("serves archives: Node with its modules, Python with its packages", async () => {
    const python = files({
      "__main__.py":
        "from words import text\nfrom words.deeper.more import twice\ndef main(a):\n    return {'out': twice(text(a))}\n",
      "words/__init__.py": "def text(a):\n    return a.get('text', '?')\n",
      "words/deeper/__init__.py": "",
      "words/deeper/more.py": "def twice(text):\n    return text * 2\n",
    });
    await create("pyzipped", "python:3", zip(python));
    for (let i = 0; i < 2; i++) {
      expect(await result("zipped", { text: "ab" })).to.deep.equal({ padded: "...ab" });
      expect(await result("pyzipped", { text: "ab" })).to.deep.equal({ out: "abab" });
    }
    const { body } = await program.send("GET", "actions/zipped?code=true");
    expect(body.exec).to.deep.include({ binary: true, main: "run", code: zipped.toString("base64") });
  });

  it("runs a sequence over both languages, each part with a record of its own", async () => {
    await create("first", "nodejs:default", "function main(p){return {n:p.n+1}}");
    await create("second", "python:3", "def main(a):\n    return {'n': a['n'] * 10}\n");
    await program.send("PUT", "actions/seq?overwrite=false", {
      namespace: "_",
      name: "seq",
      exec: { kind: "sequence", components: ["/_/first", "/_/second"] },
    });
    const { status, body } = await program.send("POST", `actions/seq?${wholeRecord}`, { n: 1 });
    expect([status, body.response.result]).to.deep.equal([200, { n: 20 }]);
    const parts = await Promise.all(body.logs.map((id: string) => program.record(id)));
    expect(parts.map(({ name, cause }) => [name, cause])).to.deep.equal([
      ["first", body.activationId],
      ["second", body.activationId],
    ]);
  });

  it("gives the parameters of package, binding, action and caller, the later ones winning", async () => {
    expect(await result("pkg/show")).to.deep.equal({ a: "package", b: "package", c: "action", d: "action" });
    expect(await result("bound/show", { d: "caller" })).to.deep.equal({
      a: "package",
      b: "binding",
      c: "action",
      d: "caller",
    });
    const { body } = await program.send("POST", `actions/bound/show?${wholeRecord}`, {});
    expect(annotation(body, "binding")).to.equal("guest/bound");
  });

  it("runs the action of a rule when its trigger fires, and none once the rule is disabled", async () => {
    await create("fired", "nodejs:default", "function main(p){return p}");
    await program.send("PUT", "triggers/t1?overwrite=false", {
      name: "t1",
      parameters: [{ key: "k", value: "v" }],
    });
    await program.send("PUT", "rules/r1?overwrite=false", {
      name: "r1",
      status: "",
      trigger: "/_/t1",
      action: "/_/fired",
    });
    const { status, body } = await program.send("POST", "triggers/t1", { a: "b" });
    expect(status).to.equal(202);
    const { logs } = await program.record(body.activationId);
    const { activationId, ...rest } = JSON.parse(logs[0]);
    expect(rest).to.deep.equal({ statusCode: 0, success: true, rule: "guest/r1", action: "guest/fired" });
    expect((await program.record(activationId)).response.result).to.deep.equal({ k: "v", a: "b" });
    await program.send("POST", "rules/r1", { status: "inactive", trigger: null, action: null });
    expect((await program.send("POST", "triggers/t1", { a: "b" })).status).to.equal(204);
  });

  it("answers what runs and what waits for room before Ctrl-C ends it", async () => {
    await create(
      "slow",
      "python:3",
      "import time\ndef main(a):\n    time.sleep(0.3)\n    return {'slept': True}\n",
    );
    const slow = Array.from({ length: 20 }, () => result("slow"));
    const { body: unwatched } = await program.send("POST", "actions/slow", {});
    // All have been sent with the one that is answered first: by then they have been heard.
    await Promise.race(slow);
    expect(await program.interrupt()).to.deep.equal([0, null]);
    expect(await Promise.all(slow)).to.deep.equal(Array(20).fill({ slept: true }));
    program = await StandaloneProgram.start({ dataFolder: folder, byNpm: true });
    expect((await program.record(unwatched.activationId)).response.result).to.deep.equal({ slept: true });
  });

  it("has its keys, actions and activations again after Ctrl-C and a new start", async () => {
    const before = (await program.send("GET", "actions/zipped?code=true")).body;
    const activations = (await program.send("GET", "activations?docs=true&limit=200&skip=0")).body;
    const wskLine = program.line("wsk");
    expect(await program.interrupt()).to.deep.equal([0, null]);
    program = await StandaloneProgram.start({ dataFolder: folder });
    expect(program.line("wsk").replace(/:\d+ /, ": ")).to.equal(wskLine.replace(/:\d+ /, ": "));
    expect((await program.send("GET", "actions/zipped?code=true")).body).to.deep.equal(before);
    expect((await program.send("GET", "activations?docs=true&limit=200&skip=0")).body).to.deep.equal(
      activations,
    );
    expect(await result("zipped", { text: "ab" })).to.deep.equal({ padded: "...ab" });
    expect(await result("bound/show", { d: "caller" })).to.deep.equal({
      a: "package",
      b: "binding",
      c: "action",
      d: "caller",
    });
  });
});

function annotation(record: Answer["body"], key: string): unknown {
  return record.annotations.find((one: { key: string }) => one.key === key)?.value;
}
