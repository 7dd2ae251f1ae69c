// Invocations: the message that goes out, the answer that comes back, and everything in between that goes wrong.

import { expect } from "chai";
import { holdsWithin } from "../../within.ts";
import { echo, startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";

describe("an invocation", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ settings: { concurrentInvocations: 5 } });
    const body = { exec: { kind: "nodejs:20", code: ";" }, parameters: [{ key: "greeting", value: "hi" }] };
    await server.send("PUT", `${base}/actions/hello`, body);
  });
  beforeEach(() => server.behave(echo));
  after(async () => {
    await server.stop();
  });
  const invoke = (query: string, body: unknown = {}, name = "hello") =>
    server.send("POST", `${base}/actions/${name}?${query}`, body);

  it("reaches the invoker as the message a controller of OpenWhisk sends", async () => {
    const { headers } = await invoke("blocking=true", { name: "x" });
    const action = await server.services.entities.get("action", "guest/hello");
    const guest = server.services.subjects.owner("guest");
    const message = server.messages.at(-1);
    expect(message).to.deep.equal({
      transid: [headers.get("x-request-id"), message?.transid[1]],
      action: { path: "guest", name: "hello", version: "0.0.1" },
      revision: action?._rev,
      user: {
        subject: "guest",
        namespace: guest?.namespace,
        authkey: { api_key: server.keyOf("guest") },
        rights: ["READ", "PUT", "DELETE", "ACTIVATE"],
        limits: {},
      },
      activationId: headers.get("x-openwhisk-activation-id"),
      rootControllerIndex: { asString: "0", instanceType: "controller" },
      blocking: true,
      content: { greeting: "hi", name: "x" },
      initArgs: [],
      lockedArgs: {},
    });
    expect(message?.transid[1]).to.be.closeTo(Date.now(), 5_000);
  });

  it("asks for extra logs when its caller does", async () => {
    await server.send("POST", `${base}/actions/hello`, {}, { headers: { "X-OW-EXTRA-LOGGING": "on" } });
    expect(server.messages.at(-1)?.transid[2]).to.equal(true);
  });

  it("that waits gives the whole activation, or the result alone", async () => {
    const whole = await invoke("blocking=true", { a: 1 });
    expect(whole.status).to.equal(200);
    expect(whole.body).to.have.all.keys(
      ...["activationId", "annotations", "duration", "end", "logs", "name", "namespace", "publish"],
      ...["response", "start", "subject", "version"],
    );
    expect(whole.body.response).to.deep.equal({
      result: { greeting: "hi", a: 1 },
      size: 2,
      status: "success",
      success: true,
    });
    expect((await invoke("blocking=true&result=true", { a: 1 })).body).to.deep.equal({
      greeting: "hi",
      a: 1,
    });
  });

  it("has the status that its outcome deserves", async () => {
    const outcomes = [
      [0, 200, "success"],
      [1, 502, "application error"],
      [2, 502, "action developer error"],
      [3, 500, "whisk internal error"],
    ] as const;
    for (const [statusCode, status, text] of outcomes) {
      const result = statusCode === 0 ? {} : { error: "boom" };
      server.behave(() => ({ response: { statusCode, result } }));
      const answer = await invoke("blocking=true");
      expect([answer.status, answer.body.response.status, answer.body.response.success]).to.deep.equal([
        status,
        text,
        statusCode === 0,
      ]);
      const short = await invoke("blocking=true&result=true");
      expect([short.status, short.body]).to.deep.equal([status, result]);
    }
  });

  it("that does not wait gives the id, under which the activation is found", async () => {
    const { status, body } = await invoke("blocking=false&result=true", { a: 1 });
    expect(status).to.equal(202);
    expect(body).to.have.all.keys("activationId");
    expect(server.messages.at(-1)?.blocking).to.equal(false);
    const { activationId } = await server.found(`${base}/activations/${body.activationId}`);
    expect(activationId).to.equal(body.activationId);
  });

  it("that takes longer than its caller waits gives the id, and the result later", async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    server.behave(async () => {
      await finished;
      return { response: { statusCode: 0, result: { late: true } } };
    });
    const { status, body } = await invoke("blocking=true&timeout=20");
    expect(status).to.equal(202);
    finish();
    const response = await server.found(`${base}/activations/${body.activationId}/result`);
    expect(response.result).to.deep.equal({ late: true });
  });

  it("with an impossible timeout is refused", async () => {
    for (const timeout of ["0", "-1", "60001", "x", "1.5"]) {
      const { status, body } = await invoke(`blocking=true&timeout=${timeout}`);
      expect(status, timeout).to.equal(400);
      expect(body.error).to.match(/Timeout must be number of milliseconds up to 60000\.$/);
    }
  });

  it("takes nothing, an object or an array, and refuses anything else", async () => {
    const nothing = await server.send("POST", `${base}/actions/hello?blocking=true&result=true`);
    expect(nothing.body).to.deep.equal({ greeting: "hi" });
    expect((await invoke("blocking=true&result=true", [1, { a: 2 }])).body).to.deep.equal([1, { a: 2 }]);
    for (const body of ['"text"', "7", "null", "true"]) {
      const { status, body: refusal } = await invoke("blocking=true", body);
      expect([status, refusal.error], body).to.deep.equal([
        400,
        "The request content was malformed:\nJSON object expected",
      ]);
    }
  });

  it("with more than a megabyte of arguments is refused with both sizes", async () => {
    const body = JSON.stringify({ a: "x".repeat(1 << 20) });
    const { status, body: refusal } = await invoke("blocking=true", body);
    expect([status, refusal.error]).to.deep.equal([
      413,
      `Request larger than allowed: ${body.length} > 1048576 bytes.`,
    ]);
  });

  it("whose arguments become too large by what is bound to the action is refused", async () => {
    const parameters = [{ key: "a", value: "x".repeat(600_000) }];
    await server.send("PUT", `${base}/actions/heavy`, { exec: { kind: "nodejs:20", code: ";" }, parameters });
    const { status } = await invoke("blocking=true", { b: "x".repeat(600_000) }, "heavy");
    expect(status).to.equal(413);
  });

  it("may not override final parameters", async () => {
    const body = {
      exec: { kind: "nodejs:20", code: ";" },
      parameters: [{ key: "a", value: 1 }],
      annotations: [{ key: "final", value: true }],
    };
    await server.send("PUT", `${base}/actions/final`, body);
    const { status, body: refusal } = await invoke("blocking=true", { a: 2 }, "final");
    expect([status, refusal.error]).to.deep.equal([
      400,
      "Request defines parameters that are not allowed (e.g., reserved properties).",
    ]);
    expect((await invoke("blocking=true", { b: 2 }, "final")).status).to.equal(200);
  });

  it("beyond what a namespace may have under way is refused until others are done", async () => {
    const finish: (() => void)[] = [];
    server.behave(async () => {
      await new Promise<void>((resolve) => finish.push(resolve));
      return { response: { statusCode: 0, result: {} } };
    });
    for (let i = 0; i < 5; i++) {
      expect((await invoke("blocking=false")).status).to.equal(202);
    }
    const { status, body } = await invoke("blocking=false");
    expect([status, body.error]).to.deep.equal([
      429,
      "Too many concurrent requests in flight (count: 5, allowed: 5).",
    ]);
    expect(await holdsWithin(60_000, () => finish.length === 5)).to.equal(true);
    for (const end of finish) {
      end();
    }
    const isIdle = (): boolean => server.services.invocations.inFlight === 0;
    expect(await holdsWithin(60_000, isIdle)).to.equal(true);
    server.behave(echo);
    expect((await invoke("blocking=true")).status).to.equal(200);
    expect(await holdsWithin(60_000, isIdle)).to.equal(true);
  });

  it("of an action that does not exist is a 404", async () => {
    expect((await invoke("blocking=true", {}, "missing")).status).to.equal(404);
  });

  it("leaves no fault behind", () => {
    expect(server.faults).to.deep.equal([]);
  });
});

describe("an acknowledgement that holds only the id of the activation", () => {
  it("makes the controller fetch the result from the database", async () => {
    const server = await startTestServer({ idOnlyAcks: true });
    await server.send("PUT", `${base}/actions/hello`, { exec: { kind: "nodejs:20", code: ";" } });
    const { status, body } = await server.send("POST", `${base}/actions/hello?blocking=true&result=true`, {
      a: 1,
    });
    expect([status, body]).to.deep.equal([200, { a: 1 }]);
    await server.stop();
  });
});
