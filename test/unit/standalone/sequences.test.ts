// Sequences: run one after the other by the controller, recorded as an activation of its own.

import { expect } from "chai";
import { type Behaviour, startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";

/** Adds the action's name to the list `ran` of its arguments; `fails` and `breaks` end in an error. */
const trace: Behaviour = (message) => {
  const content = message.content as { readonly ran?: readonly string[] } | undefined;
  const { name } = message.action;
  if (name === "fails" || name === "breaks") {
    return { response: { statusCode: name === "fails" ? 1 : 2, result: { error: name } } };
  }
  return { response: { statusCode: 0, result: { ...content, ran: [...(content?.ran ?? []), name] } } };
};

describe("a sequence", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ settings: { sequenceLength: 4 } });
    server.behave(trace);
    for (const name of ["a", "b", "c", "fails", "breaks"]) {
      const limits = { memory: name === "b" ? 512 : 128 };
      await server.send("PUT", `${base}/actions/${name}`, {
        exec: { kind: "nodejs:20", code: ";" },
        limits,
        parameters: [{ key: name, value: 1 }],
      });
    }
  });
  after(async () => {
    await server.stop();
  });
  const make = (name: string, components: readonly string[], overwrite = true) =>
    server.send("PUT", `${base}/actions/${name}?overwrite=${overwrite}`, {
      exec: { kind: "sequence", components: components.map((component) => `/_/${component}`) },
    });
  const run = (name: string, query = "blocking=true", body: unknown = {}) =>
    server.send("POST", `${base}/actions/${name}?${query}`, body);

  it("is kept with the full names of its components, which are its one parameter", async () => {
    const { status, body } = await make("two", ["a", "b"]);
    expect(status).to.equal(200);
    expect(body.exec).to.deep.equal({ kind: "sequence", components: ["/guest/a", "/guest/b"] });
    expect(body.parameters).to.deep.equal([{ key: "_actions", value: ["/guest/a", "/guest/b"] }]);
    expect(body.annotations).to.deep.include({ key: "exec", value: "sequence" });
  });

  it("gives each component's result to the next, and the last one's to the caller", async () => {
    await make("three", ["a", "b", "c"]);
    const { status, body } = await run("three", "blocking=true&result=true", { x: 1 });
    expect([status, body]).to.deep.equal([200, { x: 1, a: 1, b: 1, c: 1, ran: ["a", "b", "c"] }]);
  });

  it("is recorded with its components' ids as logs, their durations, the largest memory, and no cause", async () => {
    await make("recorded", ["a", "b"]);
    const { body } = await run("recorded");
    const stored = (await server.send("GET", `${base}/activations/${body.activationId}`)).body;
    expect(stored).to.deep.equal(body);
    expect(stored).to.not.have.property("cause");
    expect(stored.duration).to.equal(10);
    expect(stored.annotations).to.deep.equal([
      { key: "topmost", value: true },
      { key: "path", value: "guest/recorded" },
      { key: "kind", value: "sequence" },
      { key: "waitTime", value: stored.annotations[3].value },
      { key: "limits", value: { timeout: 60_000, memory: 512, logs: 10, concurrency: 1 } },
    ]);
    expect(stored.logs).to.have.length(2);
    for (const [i, id] of stored.logs.entries()) {
      const component = (await server.send("GET", `${base}/activations/${id}`)).body;
      expect(component.name).to.equal(["a", "b"][i]);
      expect(component.cause).to.equal(stored.activationId);
    }
  });

  it("runs each component as a transaction of its own, whose parent is the caller's, with as much logging", async () => {
    await make("inner", ["b"]);
    await make("outer", ["a", "inner"]);
    const { headers } = await server.send(
      "POST",
      `${base}/actions/outer?blocking=true`,
      {},
      { headers: { "X-OW-EXTRA-LOGGING": "on" } },
    );
    const [first, second] = server.messages.slice(-2).map(({ transid }) => transid);
    const parent = first?.[3];
    expect(first).to.deep.equal([first?.[0], first?.[1], true, parent]);
    expect(first?.[0]).to.match(/^[A-Za-z0-9]{32}$/);
    expect(parent).to.deep.equal([headers.get("x-request-id"), (parent as readonly unknown[])[1], true]);
    // A component of the inner sequence: child of that sequence's transaction, grandchild of the caller's.
    const inner = second?.[3] as readonly unknown[];
    expect([second?.[2], inner[2], inner[3]]).to.deep.equal([true, true, parent]);
    expect(new Set([first?.[0], second?.[0], inner[0]]).size).to.equal(3);
    await run("outer");
    expect(server.messages.at(-1)?.transid).to.have.length(3);
  });

  it("ends at the first error, with that component's outcome", async () => {
    for (const [name, statusText] of [
      ["fails", "application error"],
      ["breaks", "action developer error"],
    ] as const) {
      await make("ending", ["a", name, "c"]);
      const before = server.messages.length;
      const { status, body } = await run("ending");
      expect(status).to.equal(502);
      expect(body.response).to.deep.equal({ result: { error: name }, status: statusText, success: false });
      expect(body.logs).to.have.length(2);
      expect(server.messages.length - before).to.equal(2);
    }
  });

  it("may hold others, which are caused by it and not topmost", async () => {
    await make("inner", ["b", "c"]);
    await make("outer", ["a", "inner"]);
    const { body } = await run("outer");
    expect(body.response.result.ran).to.deep.equal(["a", "b", "c"]);
    const inner = (await server.send("GET", `${base}/activations/${body.logs[1]}`)).body;
    expect(inner.cause).to.equal(body.activationId);
    expect(inner.annotations).to.deep.include.members([
      { key: "topmost", value: false },
      { key: "causedBy", value: "sequence" },
    ]);
    const component = (await server.send("GET", `${base}/activations/${inner.logs[0]}`)).body;
    expect(component.cause).to.equal(inner.activationId);
  });

  it("is checked when it is made: not empty, not too long, nothing missing, not itself", async () => {
    await make("pair", ["a", "b"]);
    await make("loop", ["a"]);
    await make("around", ["loop"]);
    const refusals: [name: string, components: string[], text: string][] = [
      ["new", [], "No component specified for the sequence."],
      ["new", ["a", "a", "a", "a", "a"], "Too many actions in the sequence."],
      ["new", ["pair", "pair", "a"], "Too many actions in the sequence."],
      ["new", ["a", "missing"], "Sequence component does not exist."],
      ["loop", ["a", "loop"], "Sequence may not refer to itself."],
      ["loop", ["around"], "Sequence may not refer to itself."],
    ];
    for (const [name, components, text] of refusals) {
      const { status, body } = await make(name, components);
      expect([status, body.error], components.join()).to.deep.equal([400, text]);
    }
  });

  it("may not use what its maker may not read", async () => {
    const exec = { kind: "sequence", components: ["/whisk.system/secret"] };
    const { status, body } = await server.send("PUT", `${base}/actions/spy`, { exec });
    expect([status, body.error]).to.deep.equal([
      403,
      "The supplied authentication is not authorized to access 'whisk.system/secret'.",
    ]);
  });

  it("whose component is gone says so where it ends", async () => {
    await server.send("PUT", `${base}/actions/temp`, { exec: { kind: "nodejs:20", code: ";" } });
    await make("broken", ["a", "temp", "b"]);
    await server.send("DELETE", `${base}/actions/temp`);
    const { status, body } = await run("broken");
    expect(status).to.equal(502);
    expect(body.response.result).to.deep.equal({ error: "Sequence component does not exist." });
    expect(body.logs).to.have.length(1);
  });

  it("that nobody waits for runs all the same", async () => {
    await make("quiet", ["a", "b"]);
    const { status, body } = await run("quiet", "blocking=false");
    expect(status).to.equal(202);
    const record = await server.found(`${base}/activations/${body.activationId}`);
    expect(record.response.result.ran).to.deep.equal(["a", "b"]);
  });

  it("turned into a plain action does not leave its list of components behind", async () => {
    await make("turning", ["a"]);
    const { body } = await server.send("PUT", `${base}/actions/turning?overwrite=true`, {
      exec: { kind: "nodejs:20", code: ";" },
    });
    expect(body.parameters).to.deep.equal([]);
  });

  it("leaves no fault behind", () => {
    expect(server.faults).to.deep.equal([]);
  });
});
