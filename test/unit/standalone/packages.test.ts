// Packages and bindings: parameters that actions inherit, and what may be shared with whom.

import { expect } from "chai";
import { startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces";
const exec = { kind: "nodejs:20", code: ";" };

describe("packages", () => {
  let server: TestServer;
  let system: { auth: string };

  before(async () => {
    server = await startTestServer();
    system = { auth: server.keyOf("whisk.system") };
    const put = (path: string, body: unknown) => server.send("PUT", `${base}/_/${path}`, body, system);
    await put("packages/open", {
      publish: true,
      parameters: [
        { key: "a", value: 1 },
        { key: "b", value: 1 },
        { key: "c", value: 1 },
      ],
    });
    await put("actions/open/act", {
      exec,
      parameters: [
        { key: "c", value: 3 },
        { key: "d", value: 3 },
      ],
    });
    await put("packages/closed", {});
    await put("actions/closed/act", { exec });
  });
  after(async () => {
    await server.stop();
  });
  const bind = (name: string, namespace: string, target: string, body: object = {}) =>
    server.send("PUT", `${base}/_/packages/${name}?overwrite=true`, {
      binding: { namespace, name: target },
      ...body,
    });
  const pairs = (parameters: { key: string; value: unknown }[]) =>
    Object.fromEntries(parameters.map(({ key, value }) => [key, value]));

  it("give their actions what is bound to them: package, then binding, then action, then the caller", async () => {
    await bind("mine", "whisk.system", "open", {
      parameters: [
        { key: "b", value: 2 },
        { key: "e", value: 2 },
      ],
    });
    const { status, body } = await server.send(
      "POST",
      `${base}/_/actions/mine/act?blocking=true&result=true`,
      { e: 4 },
    );
    expect(status).to.equal(200);
    expect(body).to.deep.equal({ a: 1, b: 2, c: 3, d: 3, e: 4 });
    const message = server.messages.at(-1);
    expect(message?.action).to.deep.equal({
      path: "whisk.system/open",
      name: "act",
      version: "0.0.1",
      binding: "guest/mine",
    });
    expect(message?.user.namespace.name).to.equal("guest");
  });

  it("record activations through a binding under the binding's name", async () => {
    await bind("named", "whisk.system", "open");
    await server.send("POST", `${base}/_/actions/named/act?blocking=true`, {});
    const listed = await server.send("GET", `${base}/_/activations?name=named/act`);
    expect(listed.body).to.have.length(1);
    expect((await server.send("GET", `${base}/_/activations?name=open/act`)).body).to.have.length(0);
  });

  it("show bindings with the provider's parameters and actions, in the binding's own name", async () => {
    await bind("shown", "whisk.system", "open", { parameters: [{ key: "b", value: 2 }] });
    const { body } = await server.send("GET", `${base}/_/packages/shown`);
    expect(body).to.deep.include({
      namespace: "guest",
      name: "shown",
      binding: { namespace: "whisk.system", name: "open" },
      feeds: [],
    });
    expect(body.annotations).to.deep.include({
      key: "binding",
      value: { namespace: "whisk.system", name: "open" },
    });
    expect(pairs(body.parameters)).to.deep.equal({ a: 1, b: 2, c: 1 });
    expect(body.actions.map((action: { name: string }) => action.name)).to.deep.equal(["act"]);
    const action = await server.send("GET", `${base}/_/actions/shown/act`);
    expect(action.body.namespace).to.equal("whisk.system/open");
    expect(pairs(action.body.parameters)).to.deep.equal({ a: 1, b: 2, c: 3, d: 3 });
  });

  it("tell feeds from actions", async () => {
    await server.send("PUT", `${base}/_/packages/fed`, {});
    await server.send("PUT", `${base}/_/actions/fed/feed`, {
      exec,
      annotations: [{ key: "feed", value: true }],
    });
    await server.send("PUT", `${base}/_/actions/fed/plain`, { exec });
    const { body } = await server.send("GET", `${base}/_/packages/fed`);
    expect(body.feeds.map((action: { name: string }) => action.name)).to.deep.equal(["feed"]);
    expect(body.actions.map((action: { name: string }) => action.name)).to.deep.equal(["plain"]);
  });

  it("of others can be read when shared, and not even known of otherwise", async () => {
    expect((await server.send("GET", `${base}/whisk.system/packages/open`)).status).to.equal(200);
    expect((await server.send("GET", `${base}/whisk.system/actions/open/act`)).status).to.equal(200);
    const listed = await server.send("GET", `${base}/whisk.system/packages`);
    expect(listed.body.map((one: { name: string }) => one.name)).to.deep.equal(["open"]);
    for (const name of ["closed", "missing"]) {
      for (const path of [`packages/${name}`, `actions/${name}/act`, `actions/${name}/`]) {
        const { status, body } = await server.send("GET", `${base}/whisk.system/${path}`);
        expect([status, body.error], path).to.deep.equal([
          403,
          `The supplied authentication is not authorized to access 'whisk.system/${name}'.`,
        ]);
      }
    }
  });

  it("of others cannot be changed, shared or not", async () => {
    for (const [method, path] of [
      ["PUT", "packages/open"],
      ["DELETE", "packages/open"],
      ["PUT", "actions/open/act"],
      ["DELETE", "actions/open/act"],
    ] as const) {
      expect(
        (await server.send(method, `${base}/whisk.system/${path}?overwrite=true`, { exec })).status,
        path,
      ).to.equal(403);
    }
  });

  it("that are missing are told to their owner by name", async () => {
    const { status, body } = await server.send("GET", `${base}/_/packages/missing`);
    expect([status, body.error]).to.deep.equal([
      404,
      "The requested resource 'guest/missing' does not exist.",
    ]);
    expect((await server.send("PUT", `${base}/_/actions/missing/a`, { exec })).status).to.equal(404);
  });

  it("can be bound to when they exist and are no bindings themselves", async () => {
    await bind("first", "whisk.system", "open");
    await server.send("PUT", `${base}/_/packages/plain`, {});
    const refusals: [target: string, namespace: string, status: number, text: string][] = [
      ["nothing", "_", 400, "Binding references a package that does not exist."],
      ["first", "_", 400, "Cannot bind to another package binding."],
      [
        "closed",
        "whisk.system",
        403,
        "The supplied authentication is not authorized to access 'whisk.system/closed'.",
      ],
    ];
    for (const [target, namespace, status, text] of refusals) {
      const answer = await bind("second", namespace, target);
      expect([answer.status, answer.body.error]).to.deep.equal([status, text]);
    }
    const turned = await bind("plain", "whisk.system", "open");
    expect([turned.status, turned.body.error]).to.deep.equal([
      409,
      "Resource is a package and cannot be converted into a binding.",
    ]);
  });

  it("that are bindings take no actions", async () => {
    await bind("bound", "whisk.system", "open");
    const { status, body } = await server.send("PUT", `${base}/_/actions/bound/new`, { exec });
    expect([status, body.error]).to.deep.equal([400, "Operation not permitted on package binding."]);
  });

  it("cannot be removed while there is something in them", async () => {
    await server.send("PUT", `${base}/_/packages/full`, {});
    await server.send("PUT", `${base}/_/actions/full/a`, { exec });
    const one = await server.send("DELETE", `${base}/_/packages/full`);
    expect([one.status, one.body.error]).to.deep.equal([409, "Package not empty (contains 1 entity)"]);
    await server.send("PUT", `${base}/_/actions/full/b`, { exec });
    expect((await server.send("DELETE", `${base}/_/packages/full`)).body.error).to.equal(
      "Package not empty (contains 2 entities)",
    );
    await server.send("DELETE", `${base}/_/actions/full/a`);
    await server.send("DELETE", `${base}/_/actions/full/b`);
    expect((await server.send("DELETE", `${base}/_/packages/full`)).status).to.equal(200);
  });

  it("whose name is reserved are refused", async () => {
    const { status, body } = await server.send("PUT", `${base}/_/packages/default`, {});
    expect([status, body.error]).to.deep.equal([400, "Package name 'default' is reserved."]);
  });

  it("keep what an update leaves out", async () => {
    await server.send("PUT", `${base}/_/packages/kept`, {
      parameters: [{ key: "a", value: 1 }],
      annotations: [{ key: "n", value: 1 }],
    });
    const { body } = await server.send("PUT", `${base}/_/packages/kept?overwrite=true`, { publish: true });
    expect(body).to.deep.include({
      publish: true,
      version: "0.0.2",
      parameters: [{ key: "a", value: 1 }],
      annotations: [{ key: "n", value: 1 }],
    });
  });

  it("list their actions alone, and the namespace lists those too", async () => {
    await server.send("PUT", `${base}/_/packages/listed`, {});
    await server.send("PUT", `${base}/_/actions/listed/a`, { exec });
    await server.send("PUT", `${base}/_/actions/outside`, { exec });
    const names = async (path: string) =>
      (await server.send("GET", `${base}/_/actions${path}`)).body.map(
        (action: { namespace: string; name: string }) => `${action.namespace}/${action.name}`,
      );
    expect(await names("/listed/")).to.deep.equal(["guest/listed/a"]);
    expect(await names("")).to.include.members(["guest/listed/a", "guest/outside"]);
  });
});
