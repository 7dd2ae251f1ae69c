// Projects: the requests that wskdeploy sends for `wsk project deploy`, `sync` and `undeploy`, as recorded from it.

import { expect } from "chai";
import { nextVersion } from "../../../standalone/names.ts";
import { installSamples } from "../../../standalone/samples.ts";
import { type Answer, startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";
const code = "function main(args) { return args; }\n";

/** What marks the parts of a project; the hash is that of its manifest. */
function managed(projectHash: string) {
  const value = { file: "manifest.yaml", projectDeps: [], projectHash, projectName: "greetings" };
  return { key: "whisk-managed", value };
}

describe("a project", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await installSamples(server.services);
  });
  after(async () => {
    await server.stop();
  });
  const send = async (method: string, path: string, body?: unknown): Promise<Answer["body"]> => {
    const answer = await server.send(method, `${base}/${path}`, body);
    expect(answer.status, `${method} ${path}: ${answer.text}`).to.equal(200);
    return answer.body;
  };
  const put = (path: string, body: object) =>
    send("PUT", `${path}?overwrite=true`, { publish: false, ...body });
  const list = (path: string) => send("GET", `${path}?limit=0&skip=0`);
  /** Packages, actions, sequence, trigger and rule, in wskdeploy's order; gives the answers by the parts' names. */
  const deploy = async (marks: object) => {
    const greet = await put("packages/greet", {
      ...{ name: "greet", version: "1.0", parameters: [{ key: "place", value: "Earth" }] },
      ...marks,
    });
    const tools = await put("packages/tools", {
      binding: { namespace: "whisk.system", name: "utils" },
      ...marks,
    });
    const hello = await put("actions/greet/hello", {
      ...{
        name: "greet/hello",
        exec: { kind: "nodejs:20", code },
        parameters: [{ key: "name", value: "you" }],
      },
      ...{ limits: { timeout: 30_000, memory: 256 }, ...marks },
    });
    await put("actions/greet/usual", { name: "greet/usual", exec: { kind: "nodejs:20", code }, ...marks });
    const both = await put("actions/greet/both", {
      ...{ namespace: "_", name: "greet/both" },
      exec: { kind: "sequence", components: ["/_/greet/hello", "/_/greet/usual"] },
      ...marks,
    });
    const often = await put("triggers/often", { name: "often", ...marks });
    const rule = await put("rules/greetOften", {
      ...{ name: "greetOften", status: "", trigger: "/_/often", action: "/_/greet/hello" },
      ...marks,
    });
    await send("POST", "rules/greetOften", { status: "active", trigger: null, action: null });
    return { greet, tools, hello, both, often, rule };
  };

  it("is deployed: packages, bindings, actions, sequences, triggers and rules", async () => {
    const { greet, tools, hello, both, rule } = await deploy({});
    expect([greet.version, greet.binding]).to.deep.equal(["1.0.0", {}]);
    expect(tools.binding).to.deep.equal({ namespace: "whisk.system", name: "utils" });
    expect(hello.limits).to.deep.equal({ timeout: 30_000, memory: 256, logs: 10, concurrency: 1 });
    expect(both.exec.components).to.deep.equal(["/guest/greet/hello", "/guest/greet/usual"]);
    expect(rule).to.deep.include({
      status: "active",
      trigger: { path: "guest", name: "often" },
      action: { path: "guest/greet", name: "hello" },
    });
  });

  it("is deployed over what is there, and its lists show what belongs to it", async () => {
    const mark = managed("first");
    const before = await deploy({});
    const { tools, hello, often } = await deploy({ annotations: [mark] });
    expect([tools.version, hello.version, often.version]).to.deep.equal(
      [before.tools, before.hello, before.often].map(({ version }) => nextVersion(version)),
    );
    for (const [path, names] of [
      ["packages", ["greet", "tools"]],
      ["actions/greet/", ["both", "hello", "usual"]],
      ["triggers", ["often"]],
      ["rules", ["greetOften"]],
    ] as const) {
      const parts: Answer["body"][] = await list(path);
      expect(
        parts.map(({ name }) => name),
        path,
      ).to.have.members(names);
      for (const { annotations } of parts) {
        expect(annotations, path).to.deep.include(mark);
      }
    }
    expect(await list("actions/tools/")).to.not.be.empty;
  });

  it("loses what its manifest no longer has: a trigger before its rule, an action before its package", async () => {
    await deploy({ annotations: [managed("first")] });
    await put("packages/greet", { name: "greet", annotations: [managed("second")] });
    await send("DELETE", "triggers/often");
    expect((await list("rules"))[0].annotations).to.deep.equal([managed("first")]);
    expect((await send("DELETE", "rules/greetOften")).status).to.equal("inactive");
    for (const name of ["both", "hello", "usual"]) {
      const { exec } = await send("GET", `actions/greet/${name}?code=false`);
      expect(exec).to.not.have.property("code");
      await send("DELETE", `actions/greet/${name}`);
    }
    expect((await send("GET", "packages/greet")).actions).to.deep.equal([]);
    await send("DELETE", "packages/greet");
    await send("DELETE", "packages/tools");
    for (const path of ["packages", "actions", "triggers", "rules"]) {
      expect(await list(path), path).to.deep.equal([]);
    }
    expect(server.faults).to.deep.equal([]);
  });
});
