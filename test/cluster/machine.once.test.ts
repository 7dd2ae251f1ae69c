// A whole cluster on this machine: a real broker, a database over HTTP, the controller stand-in and an invoker as processes.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { instanceName } from "../../standalone/instance-name.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { within } from "../within.ts";

const startLimitMs = 120_000;
const attachedBytes = 40_000;

/** Processes that were started for this folder. */
function processesOf(folder: string): readonly string[] {
  const all = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(folder) && !line.includes(" ps "));
}

describe("npm start -- --cluster", function () {
  this.timeout(startLimitMs);
  let folder: string;
  let program: StandaloneProgram;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-cluster-"));
    program = await StandaloneProgram.start({
      dataFolder: folder,
      more: ["--cluster"],
      patienceMs: startLimitMs,
    });
  });
  after(async () => {
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(name: string, kind: string, code: string): Promise<void> {
    const { status, text } = await program.send("PUT", `actions/${name}?overwrite=true`, {
      ...{ namespace: "_", name, exec: { kind, code } },
    });
    expect(status, text).to.equal(200);
  }

  it("has an invoker that its controller calls healthy", async () => {
    expect((await program.send("GET", "/invokers")).body).to.deep.equal({
      [`invoker0/${instanceName(folder)}`]: "up",
    });
  });

  for (const [kind, code] of [
    ["nodejs:default", "function main(p) { console.log('seen'); return { hi: p.name }; }"],
    ["python:default", "def main(p):\n    print('seen')\n    return {'hi': p['name']}\n"],
  ] as const) {
    it(`runs an action of ${kind}, and has its record with what it printed`, async () => {
      await create("hello", kind, code);
      const { status, body } = await program.send("POST", "actions/hello?blocking=true", { name: "ÿ€😀" });
      expect([status, body.response.result]).to.deep.equal([200, { hi: "ÿ€😀" }]);
      const record = await program.record(body.activationId);
      expect(record.logs.map((line: string) => line.slice(31))).to.deep.equal(["stdout: seen"]);
      expect(record.annotations).to.deep.include({ key: "path", value: "guest/hello" });
    });
  }

  it("runs what is changed as it is now", async () => {
    for (const answer of ["first", "second"]) {
      await create("changed", "nodejs:default", `function main() { return { answer: "${answer}" }; }`);
      const { body } = await program.send("POST", "actions/changed?blocking=true&result=true", {});
      expect(body).to.deep.equal({ answer });
    }
  });

  it("runs code that is kept as an attachment", async () => {
    await create(
      "large",
      "nodejs:default",
      `function main() { return { n: 7 }; } // ${"x".repeat(attachedBytes)}`,
    );
    const { body } = await program.send("POST", "actions/large?blocking=true&result=true", {});
    expect(body).to.deep.equal({ n: 7 });
  });

  it("tells failures with OpenWhisk's words", async () => {
    await create("bad", "nodejs:default", "function main() { process.exit(3); }");
    const { status, body } = await program.send("POST", "actions/bad?blocking=true", {});
    expect(status).to.equal(502);
    expect(body.response).to.deep.include({
      status: "action developer error",
      result: { error: "The action did not produce a valid response and exited unexpectedly." },
    });
  });

  it("runs what nobody waits for, and sequences", async () => {
    await create("inc", "python:default", "def main(p):\n    return {'n': p.get('n', 0) + 1}\n");
    const exec = { kind: "sequence", components: ["/_/inc", "/_/inc", "/_/inc"] };
    await program.send("PUT", "actions/three?overwrite=true", { namespace: "_", name: "three", exec });
    const { body } = await program.send("POST", "actions/three?blocking=true&result=true", { n: 4 });
    expect(body).to.deep.equal({ n: 7 });
    const later = await program.send("POST", "actions/inc", { n: 1 });
    expect(later.status).to.equal(202);
    expect((await program.record(later.body.activationId)).response.result).to.deep.equal({ n: 2 });
  });

  it("writes one JSON line for each event of the invoker, without what was sent or answered", () => {
    const lines = readFileSync(join(folder, "cluster", "invoker0.log"), "utf8")
      .trimEnd()
      .split("\n");
    const events = lines.map((line) => JSON.parse(line).event);
    expect(events).to.include.members(["invoker-started", "container-started"]);
    expect(lines.join("\n")).not.to.contain("ÿ€😀");
  });

  it("ends with Ctrl-C, and leaves no process", async () => {
    expect(await program.interrupt()).to.deep.equal([0, null]);
    expect(await within(60_000, () => processesOf(folder).length === 0 || undefined)).to.equal(true);
  });
});
