// Triggers and rules: what a fired trigger sets off, and what stands in its record.

import { expect } from "chai";
import { holdsWithin } from "../../within.ts";
import { startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";

describe("triggers and rules", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.send("PUT", `${base}/actions/act`, {
      exec: { kind: "nodejs:20", code: ";" },
      parameters: [{ key: "own", value: 1 }],
    });
  });
  after(async () => {
    await server.stop();
  });
  const trigger = (name: string, body: unknown = {}) =>
    server.send("PUT", `${base}/triggers/${name}?overwrite=true`, body);
  const rule = (name: string, on: string, action = "act") =>
    server.send("PUT", `${base}/rules/${name}?overwrite=true`, {
      trigger: `/_/${on}`,
      action: `/_/${action}`,
    });
  const status = async (name: string) => (await server.send("GET", `${base}/rules/${name}`)).body.status;

  it("fire the actions of active rules with trigger parameters and payload", async () => {
    await trigger("t", { parameters: [{ key: "bound", value: 2 }] });
    await rule("r", "t");
    const sentBefore = server.messages.length;
    const fired = await server.send("POST", `${base}/triggers/t`, { sent: 3 });
    expect(fired.status).to.equal(202);
    expect(await holdsWithin(60_000, () => server.messages.length > sentBefore)).to.equal(true);
    expect(server.messages.at(-1)?.content).to.deep.equal({ own: 1, bound: 2, sent: 3 });
    const record = await server.found(`${base}/activations/${fired.body.activationId}`);
    expect(record).to.deep.include({
      name: "t",
      response: { result: { sent: 3 }, status: "success", success: true },
    });
    expect(record).to.not.have.any.keys("end", "duration");
    expect(JSON.parse(record.logs[0])).to.deep.include({
      statusCode: 0,
      success: true,
      rule: "guest/r",
      action: "guest/act",
    });
    const [summary] = (await server.send("GET", `${base}/activations?name=t`)).body;
    expect(summary).to.not.have.any.keys("end", "duration", "statusCode");
  });

  it("without an active rule leave nothing behind", async () => {
    await trigger("lonely");
    expect((await server.send("POST", `${base}/triggers/lonely`, {})).status).to.equal(204);
    await trigger("asleep");
    await rule("sleeping", "asleep");
    await server.send("POST", `${base}/rules/sleeping`, { status: "inactive" });
    expect((await server.send("POST", `${base}/triggers/asleep`, {})).status).to.equal(204);
  });

  it("say in the record which rules failed", async () => {
    await server.send("PUT", `${base}/actions/short`, { exec: { kind: "nodejs:20", code: ";" } });
    await trigger("mixed");
    await rule("dead", "mixed", "short");
    await rule("alive", "mixed");
    await rule("off", "mixed");
    await server.send("POST", `${base}/rules/off`, { status: "inactive" });
    await server.send("DELETE", `${base}/actions/short`);
    const { body } = await server.send("POST", `${base}/triggers/mixed`, {});
    const record = (await server.send("GET", `${base}/activations/${body.activationId}`)).body;
    const lines = record.logs.map((line: string) => JSON.parse(line));
    expect(
      lines.map((line: { rule: string; success: boolean }) => [line.rule, line.success]),
    ).to.have.deep.members([
      ["guest/dead", false],
      ["guest/alive", true],
      ["guest/off", false],
    ]);
    expect(lines.find((line: { rule: string }) => line.rule === "guest/off").error).to.equal(
      "Rule 'guest/off' is inactive, action 'guest/act' was not activated.",
    );
  });

  it("rules are active when made, and switch as told", async () => {
    await trigger("switch");
    expect((await rule("switched", "switch")).body.status).to.equal("active");
    for (const wanted of ["inactive", "inactive", "active"]) {
      expect((await server.send("POST", `${base}/rules/switched`, { status: wanted })).status).to.equal(200);
      expect(await status("switched")).to.equal(wanted);
    }
    const { status: code } = await server.send("POST", `${base}/rules/switched`, { status: "sometimes" });
    expect(code).to.equal(400);
  });

  it("a rule moves to another trigger with its status", async () => {
    await trigger("from");
    await trigger("to");
    await rule("moving", "from");
    await server.send("POST", `${base}/rules/moving`, { status: "inactive" });
    const { body } = await rule("moving", "to");
    expect(body).to.deep.include({
      status: "inactive",
      version: "0.0.2",
      trigger: { path: "guest", name: "to" },
    });
    expect((await server.send("GET", `${base}/triggers/from`)).body.rules).to.deep.equal({});
    expect((await server.send("GET", `${base}/triggers/to`)).body.rules).to.deep.equal({
      "guest/moving": { action: { path: "guest", name: "act" }, status: "inactive" },
    });
  });

  it("a rule of a trigger that is gone is inactive and can only be removed", async () => {
    await trigger("leaving");
    await rule("left", "leaving");
    await server.send("DELETE", `${base}/triggers/leaving`);
    expect(await status("left")).to.equal("inactive");
    const { status: code, body } = await server.send("POST", `${base}/rules/left`, { status: "active" });
    expect([code, body.error]).to.deep.equal([404, "Only rules with existing triggers can be activated"]);
    expect((await server.send("DELETE", `${base}/rules/left`)).status).to.equal(200);
  });

  it("a rule needs a trigger and an action that exist", async () => {
    await trigger("here");
    const refusals: [body: unknown, text: string][] = [
      [{ trigger: "/_/here" }, "rule requires a valid trigger and a valid action"],
      [{ trigger: "/_/nowhere", action: "/_/act" }, "trigger /guest/nowhere does not exist"],
      [{ trigger: "/_/here", action: "/_/none" }, "action /guest/none does not exist"],
    ];
    for (const [body, text] of refusals) {
      const answer = await server.send("PUT", `${base}/rules/bad`, body);
      expect([answer.status, answer.body.error]).to.deep.equal([400, text]);
    }
  });

  it("a feed must be named properly", async () => {
    const { status: code, body } = await server.send("PUT", `${base}/triggers/fed`, {
      annotations: [{ key: "feed", value: "a!b" }],
    });
    expect([code, body.error]).to.deep.equal([400, "Feed name is not valid"]);
  });
});
