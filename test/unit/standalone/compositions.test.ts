// Compositions: a conductor action decides step by step what runs next; the controller runs it and keeps the account.

import { expect } from "chai";
import type { Json } from "../../../invoker/index.ts";
import { within } from "../../within.ts";
import { type Behaviour, startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";

type Content = { readonly [name: string]: Json };

/** `echo…` give back their arguments, `step…` add one to `n`, `list` gives an array. */
const run: Behaviour = (message) => {
  const content = (message.content ?? {}) as Content;
  const { name } = message.action;
  if (name === "list") {
    return { response: { statusCode: 0, result: [1, 2] } };
  }
  if (name.startsWith("step")) {
    return typeof content.n === "number"
      ? { response: { statusCode: 0, result: { n: content.n + 1 } } }
      : { response: { statusCode: 1, result: { error: "no n" } } };
  }
  return { response: { statusCode: "error" in content ? 1 : 0, result: content } };
};

const conductor = { annotations: [{ key: "conductor", value: true }] };
const exec = { kind: "nodejs:20", code: ";" };

async function makeActions(server: TestServer): Promise<void> {
  server.behave(run);
  const put = (path: string, body: object) => server.send("PUT", `${base}/${path}?overwrite=true`, body);
  await put("actions/echo", { exec, ...conductor });
  await put("actions/step", { exec });
  await put("actions/step512", { exec, limits: { memory: 512 } });
  await put("actions/list", { exec });
  await put("packages/tools", {});
  await put("actions/tools/echo", { exec, ...conductor });
  await put("packages/mine", { binding: { namespace: "guest", name: "tools" } });
  await put("actions/two", { exec: { kind: "sequence", components: ["/_/step", "/_/step"] } });
  await put("actions/composed", {
    exec: { kind: "sequence", components: ["/_/step", "/_/echo", "/_/step"] },
  });
}

describe("a composition", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await makeActions(server);
  });
  after(async () => {
    await server.stop();
  });
  const invoke = (content: object, name = "echo", query = "blocking=true") =>
    server.send("POST", `${base}/actions/${name}?${query}`, content);
  const result = async (content: object, name = "echo") =>
    (await invoke(content, name, "blocking=true&result=true")).body;
  const record = (id: string) => server.found(`${base}/activations/${id}`);
  const sent = () => server.messages.map(({ action, content }) => [action.name, content]);

  it("ends at once where the conductor names no action: with its params, or all it gave, and its status", async () => {
    expect(await result({ a: 1, state: 2 })).to.deep.equal({ a: 1, state: 2 });
    expect(await result({ params: { b: 1 }, state: 2 })).to.deep.equal({ b: 1 });
    expect(await result({ params: 7 })).to.deep.equal({ value: 7 });
    expect(await result({ params: null })).to.deep.equal({ value: null });
    const { status, body } = await invoke({ error: "no" });
    expect([status, body.response]).to.deep.equal([
      502,
      { result: { error: "no" }, status: "application error", success: false },
    ]);
  });

  it("runs the named action on the params, and the conductor on its result under the state", async () => {
    server.messages.length = 0;
    const content = { action: "step", params: { n: 1 }, state: { witness: 42 } };
    expect(await result(content)).to.deep.equal({ n: 2, witness: 42 });
    expect(sent()).to.deep.equal([
      ["echo", content],
      ["step", { n: 1 }],
      ["echo", { n: 2, witness: 42 }],
    ]);
    server.messages.length = 0;
    expect(await result({ action: "step", state: { params: { over: true } } })).to.deep.equal({ over: true });
    expect(sent()).to.deep.equal([
      ["echo", { action: "step", state: { params: { over: true } } }],
      ["step", {}],
      ["echo", { error: "no n", params: { over: true } }],
    ]);
    expect(await result({ action: "step", params: { n: 1 }, state: 3 })).to.deep.equal({ n: 2, state: 3 });
    expect(await result({ action: "step", params: { n: 1 }, state: { n: 9 } })).to.deep.equal({ n: 9 });
    expect(
      await result({ action: "step", params: { n: 1 }, state: { action: "/_/step", params: { n: 7 } } }),
    ).to.deep.equal({ n: 8 });
  });

  it("takes results that are arrays", async () => {
    expect(await result({ action: "list", state: { lost: true } })).to.deep.equal([1, 2]);
  });

  it("is recorded like a sequence, with all that ran as logs, their durations and the largest memory", async () => {
    const { body, headers } = await invoke({ action: "step512", params: { n: 1 } });
    const stored = await record(body.activationId);
    expect(stored).to.deep.equal(body);
    expect(headers.get("x-openwhisk-activation-id")).to.equal(stored.activationId);
    expect(stored).to.not.have.property("cause");
    expect(stored.duration).to.equal(15);
    expect(stored.end).to.be.at.least(stored.start);
    expect(stored.annotations).to.deep.equal([
      { key: "topmost", value: true },
      { key: "path", value: "guest/echo" },
      { key: "kind", value: "sequence" },
      { key: "conductor", value: true },
      { key: "waitTime", value: stored.annotations[4].value },
      { key: "limits", value: { timeout: 60_000, memory: 512, logs: 10, concurrency: 1 } },
    ]);
    expect(stored.annotations[4].value).to.be.within(0, 5_000);
    const parts = await Promise.all(stored.logs.map(record));
    expect(parts.map(({ name, cause }) => [name, cause])).to.deep.equal(
      ["echo", "step512", "echo"].map((name) => [name, stored.activationId]),
    );
  });

  it("of a package that is bound names the binding", async () => {
    const { body } = await invoke({ params: {} }, "mine/echo");
    const { annotations } = await record(body.activationId);
    expect(annotations).to.deep.include({ key: "path", value: "guest/tools/echo" });
    expect(annotations).to.deep.include({ key: "binding", value: "guest/mine" });
  });

  it("runs each part as a transaction whose parent is that of the part before", async () => {
    server.messages.length = 0;
    const { headers } = await invoke({ action: "step", params: { n: 1 } });
    const transids = server.messages.map(({ transid }) => transid);
    expect(transids.map(([, , parent]) => (parent as readonly unknown[])[0])).to.deep.equal([
      headers.get("x-request-id"),
      ...transids.slice(0, -1).map(([id]) => id),
    ]);
  });

  it("tells the conductor why an action could not be run", async () => {
    await server.send("PUT", `${base}/actions/other?overwrite=true`, { exec });
    const refusals: [action: unknown, error: string][] = [
      ["invalid#Action", 'Failed to parse action name from json value "invalid#Action" during composition.'],
      ["/step", 'Failed to parse action name from json value "/step" during composition.'],
      ["/a/b/c/d", 'Failed to parse action name from json value "/a/b/c/d" during composition.'],
      [{ a: [1] }, 'Failed to parse action name from json value {"a":[1]} during composition.'],
      [null, "Failed to parse action name from json value null during composition."],
      ["missing", "Failed to resolve action with name 'guest/missing' during composition."],
      ["tools/missing", "Failed to resolve action with name 'guest/tools/missing' during composition."],
      [
        "nopackage/x",
        "Failed entitlement check for action with name 'guest/nopackage/x' during composition.",
      ],
      [
        "/whisk.system/x",
        "Failed entitlement check for action with name 'whisk.system/x' during composition.",
      ],
    ];
    for (const [action, error] of refusals) {
      const { status, body } = await invoke({ action, state: { kept: true } });
      expect([status, body.response.result], error).to.deep.equal([502, { error, kept: true }]);
      expect(body.response.status).to.equal("application error");
      expect(body.logs).to.have.length(2);
    }
  });

  it("finds actions by every form of their names", async () => {
    for (const action of ["step", "/guest/step", "/_/step", "//_//step/"]) {
      expect(await result({ action, params: { n: 1 } }), action).to.deep.equal({ n: 2 });
    }
    for (const action of ["tools/echo", "guest/tools/echo", "/_/mine/echo"]) {
      expect(await result({ action, params: { found: true } }), action).to.deep.equal({ found: true });
    }
  });

  it("within a composition has a record of its own, which alone is in the outer one's logs", async () => {
    const content = { action: "echo", params: { action: "step", params: { n: 1 } } };
    const { body } = await invoke(content);
    expect(body.response.result).to.deep.equal({ n: 2 });
    expect(body.logs).to.have.length(3);
    const inner = await record(body.logs[1]);
    expect(inner.cause).to.equal(body.activationId);
    expect(inner.logs).to.have.length(3);
    expect(inner.annotations).to.deep.include.members([
      { key: "topmost", value: false },
      { key: "conductor", value: true },
      { key: "causedBy", value: "sequence" },
    ]);
  });

  it("runs sequences, and runs in sequences", async () => {
    const around = (await invoke({ action: "two", params: { n: 1 } })).body;
    expect(around.response.result).to.deep.equal({ n: 3 });
    const sequence = await record(around.logs[1]);
    expect([sequence.name, sequence.cause, sequence.logs.length]).to.deep.equal([
      "two",
      around.activationId,
      2,
    ]);
    const within = (await invoke({ n: 1 }, "composed")).body;
    expect(within.response.result).to.deep.equal({ n: 3 });
    const composition = await record(within.logs[1]);
    expect([composition.name, composition.cause, composition.logs.length]).to.deep.equal([
      "echo",
      within.activationId,
      1,
    ]);
    expect(composition.annotations).to.deep.include({ key: "topmost", value: false });
  });

  it("that nobody waits for runs all the same", async () => {
    const { status, body } = await invoke({ action: "step", params: { n: 1 } }, "echo", "blocking=false");
    expect(status).to.equal(202);
    expect((await record(body.activationId)).response.result).to.deep.equal({ n: 2 });
  });

  it("is not what an action with a falsy annotation makes, nor a sequence with any", async () => {
    const content = { action: "step", params: { n: 1 } };
    for (const value of [false, 0, "", null]) {
      const annotations = [{ key: "conductor", value }];
      await server.send("PUT", `${base}/actions/plain?overwrite=true`, { exec, annotations });
      expect(await result(content, "plain"), String(value)).to.deep.equal(content);
    }
    for (const value of [true, 1, "yes", {}, []]) {
      const annotations = [{ key: "conductor", value }];
      await server.send("PUT", `${base}/actions/plain?overwrite=true`, { exec, annotations });
      expect(await result(content, "plain"), JSON.stringify(value)).to.deep.equal({ n: 2 });
    }
    const components = ["/_/step"];
    await server.send("PUT", `${base}/actions/line`, {
      exec: { kind: "sequence", components },
      ...conductor,
    });
    expect(await result({ n: 1 }, "line")).to.deep.equal({ n: 2 });
    expect(await result({ action: "line", params: { n: 1 } })).to.deep.equal({ n: 2 });
  });

  it("whose part cannot be invoked fails", async () => {
    const parameters = [{ key: "big", value: "x".repeat(600_000) }];
    await server.send("PUT", `${base}/actions/heavy`, { exec, parameters });
    const { status, body } = await invoke({ action: "heavy", params: { more: "x".repeat(600_000) } });
    expect([status, body.response]).to.deep.equal([
      500,
      {
        result: { error: "Activation failure during composition." },
        status: "whisk internal error",
        success: false,
      },
    ]);
    expect(body.logs).to.have.length(1);
    expect(server.faults.splice(0).join()).to.match(/^a part of composition \w{32}: ApiError/);
  });

  it("leaves no record where its namespace wants none", async () => {
    const limits = server.services.subjects.owner("guest")?.limits as { storeActivations?: boolean };
    limits.storeActivations = false;
    const { body } = await invoke({ params: {} });
    delete limits.storeActivations;
    expect((await server.send("GET", `${base}/activations/${body.activationId}`)).status).to.equal(404);
  });

  it("leaves no fault behind", () => {
    expect(server.faults).to.deep.equal([]);
  });
});

describe("a composition of too many actions", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ settings: { sequenceLength: 2 } });
    await makeActions(server);
  });
  after(async () => {
    await server.stop();
  });
  const invoke = async (content: object, name = "echo") =>
    (await server.send("POST", `${base}/actions/${name}?blocking=true`, content)).body;
  const error = "Too many actions in the composition.";

  it("is told so at the component beyond the limit, and may end in its own way", async () => {
    const third = { action: "step", params: { n: 3 }, state: { end: true } };
    const second = { action: "step", params: { n: 2 }, state: third };
    const { response, logs } = await invoke({ action: "step", params: { n: 1 }, state: second });
    expect(response.result).to.deep.equal({ error, end: true });
    // Three runs of the conductor around two components, and one more with the error.
    expect(logs).to.have.length(6);
  });

  it("ends where its conductor has run as often as it may, those of compositions in it counted", async () => {
    // Each run names what cannot be found, so that no component is counted.
    const stubborn = { action: "missing", state: { action: "missing" } };
    server.behave((message, action) =>
      message.action.name === "echo"
        ? { response: { statusCode: 0, result: stubborn } }
        : (run(message, action) as { response: { statusCode: 0; result: Json } }),
    );
    const { response, logs } = await invoke({});
    server.behave(run);
    expect(response).to.deep.equal({ result: { error }, status: "application error", success: false });
    expect(logs).to.have.length(5);
    const deep = { action: "echo", params: { action: "echo", params: { action: "echo", params: {} } } };
    // Four levels need seven runs; the fifth is the last, so two levels never get theirs back.
    expect((await invoke(deep)).response.result).to.deep.equal({ error });
  });

  it("counts a sequence as one, and counts as one in a sequence", async () => {
    const twice = { action: "two", params: { n: 1 }, state: { action: "two", params: { n: 5 } } };
    expect((await invoke(twice)).response.result).to.deep.equal({ n: 7 });
    const components = ["/_/echo", "/_/echo"];
    await server.send("PUT", `${base}/actions/pair`, { exec: { kind: "sequence", components } });
    expect((await invoke({ params: { params: { n: 1 } } }, "pair")).response.result).to.deep.equal({ n: 1 });
  });
});

describe("a composition whose part does not answer", () => {
  it("ends with the part's id", async () => {
    const server = await startTestServer({
      settings: { loadBalancerTimeoutFactor: 0, loadBalancerTimeoutAddonMs: 1000 },
    });
    await makeActions(server);
    server.behave((message, action) => (message.action.name === "step" ? "silence" : run(message, action)));
    const { status, body } = await server.send("POST", `${base}/actions/echo?blocking=true`, {
      action: "step",
    });
    const [, lost] = body.logs;
    expect([status, body.response.result]).to.deep.equal([
      500,
      { error: `Timeout reached when retrieving activation ${lost} during composition.` },
    ]);
    const step = await within(60_000, () => server.messages.find(({ action }) => action.name === "step"));
    expect(lost).to.equal(step.activationId);
    await server.stop();
  });
});
