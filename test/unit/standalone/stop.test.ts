// The end of the server: nobody who was heard is left without an answer, and nothing accepted is forgotten.

import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type Answer, type Behaviour, startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";
const graceMs = 10_000;

describe("the end of the server", () => {
  let server: TestServer;

  async function start(behaviour: Behaviour): Promise<void> {
    server = await startTestServer({ oneAtATime: true });
    server.behave(behaviour);
    const exec = { kind: "nodejs:20", code: ";" };
    await server.send("PUT", `${base}/actions/hello`, { exec });
    const components = ["/_/hello", "/_/hello"];
    await server.send("PUT", `${base}/actions/twice`, { exec: { kind: "sequence", components } });
    await server.send("PUT", `${base}/triggers/t`, {});
    await server.send("PUT", `${base}/rules/r`, { trigger: "/_/t", action: "/_/twice" });
  }

  let begin = (): void => {};
  /** Nothing ends before `begin`, and then only one after the other. */
  const slow: Behaviour = async () => {
    await begun;
    await sleep(5);
    return { response: { statusCode: 0, result: { done: true } } };
  };
  let begun: Promise<void>;
  beforeEach(() => {
    begun = new Promise((resolve) => {
      begin = resolve;
    });
  });

  /** Sends as many at once, and comes back when all of them have been accepted. */
  async function invokeBlocking(count: number): Promise<readonly Promise<Answer>[]> {
    const answers = Array.from({ length: count }, () =>
      server.send("POST", `${base}/actions/hello?blocking=true&result=true`),
    );
    while (server.services.invocations.inFlight < count) {
      await sleep(1);
    }
    return answers;
  }

  it("answers everybody whose activation waits for room", async () => {
    await start(slow);
    const waiting = await invokeBlocking(20);
    const stopped = server.stop({ graceMs });
    begin();
    expect(await stopped).to.equal(0);
    for (const { status, body } of await Promise.all(waiting)) {
      expect([status, body]).to.deep.equal([200, { done: true }]);
    }
  });

  it("runs what nobody waits for: actions, sequences and the rules of triggers", async () => {
    await start(slow);
    const accepted: Answer[] = [];
    for (const path of ["actions/hello", "actions/hello", "actions/twice", "triggers/t"]) {
      accepted.push(await server.send("POST", `${base}/${path}`));
    }
    const stopped = server.stop({ graceMs, keep: true });
    begin();
    await stopped;
    server = await startTestServer({ folder: server.folder });
    for (const { status, body } of accepted) {
      expect(status).to.equal(202);
      const record = await server.send("GET", `${base}/activations/${body.activationId}`);
      expect(record.status).to.equal(200);
    }
    // Two alone, two of the sequence and its own, the trigger's, and once more the sequence by the rule.
    expect((await server.send("GET", `${base}/activations?count=true`)).body).to.deep.equal({
      activations: 9,
    });
    await server.stop();
  });

  it("refuses what comes while it waits", async () => {
    await start(slow);
    const waiting = await invokeBlocking(5);
    const stopped = server.stop({ graceMs });
    expect((await server.send("GET", `${base}/actions`)).status).to.equal(503);
    begin();
    await stopped;
    expect((await Promise.all(waiting)).map(({ status }) => status)).to.deep.equal(Array(5).fill(200));
  });

  it("gives who would wait beyond the grace the id of the activation", async () => {
    await start(() => new Promise(() => {}));
    const waiting = await invokeBlocking(3);
    expect(await server.stop({ graceMs: 20 })).to.equal(3);
    for (const { status, body } of await Promise.all(waiting)) {
      expect(status).to.equal(202);
      expect(body.activationId).to.match(/^[0-9a-f]{32}$/);
    }
  });
});
