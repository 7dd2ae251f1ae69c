// Users' numbers: what is sent is what actions get, what they give is what is shown, now and after a restart.

import { expect } from "chai";
import { startTestServer, type TestServer } from "./server.ts";

const base = "/api/v1/namespaces/_";
const numbers = '{"big":12345678901234567890,"f":1.0,"huge":1e400,"list":[0.10,-0]}';

describe("numbers that a double would change", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    const exec = '{"kind":"nodejs:20","code":";"}';
    const list = `[{"key":"n","value":${numbers}}]`;
    for (const path of ["actions/bound", "packages/p", "triggers/t"]) {
      const body = `{"exec":${exec},"parameters":${list},"annotations":${list}}`;
      expect((await server.send("PUT", `${base}/${path}`, body)).status).to.equal(200);
    }
    await server.send("PUT", `${base}/actions/plain`, `{"exec":${exec}}`);
    await server.send("PUT", `${base}/actions/p/inside`, `{"exec":${exec}}`);
    const sequence = '{"exec":{"kind":"sequence","components":["/_/plain","/_/plain"]}}';
    await server.send("PUT", `${base}/actions/twice`, sequence);
    await server.send("PUT", `${base}/rules/r`, { trigger: "/_/t", action: "/_/plain" });
  });
  after(async () => {
    await server.stop();
  });
  const result = async (name: string, body: string): Promise<string> =>
    (await server.send("POST", `${base}/actions/${name}?blocking=true&result=true`, body)).text;

  it("reach the action and come back, through sequences too", async () => {
    expect(await result("plain", numbers)).to.equal(numbers);
    expect(await result("twice", numbers)).to.equal(numbers);
    expect(await result("plain", `[${numbers}]`)).to.equal(`[${numbers}]`);
  });

  it("may be bound to actions and packages, and be overridden", async () => {
    expect(await result("bound", '{"m":2.50}')).to.equal(`{"n":${numbers},"m":2.50}`);
    expect(await result("p/inside", "{}")).to.equal(`{"n":${numbers}}`);
    expect(await result("bound", '{"n":2.50}')).to.equal('{"n":2.50}');
  });

  it("stand in the record of the activation, and in the trigger's", async () => {
    const { body } = await server.send("POST", `${base}/actions/plain?blocking=true`, numbers);
    const record = await server.send("GET", `${base}/activations/${body.activationId}`);
    expect(record.text).to.include(`"result":${numbers}`);
    const fired = await server.send("POST", `${base}/triggers/t`, numbers);
    const triggered = await server.send("GET", `${base}/activations/${fired.body.activationId}`);
    expect(triggered.text).to.include(`"result":${numbers}`);
    const listed = await server.send("GET", `${base}/activations?docs=true`);
    expect(listed.text.split(numbers).length).to.be.greaterThan(2);
  });

  it("limit an action as whole numbers do", async () => {
    const put = (limit: string) =>
      server.send("PUT", `${base}/actions/plain?overwrite=true`, `{"limits":{"memory":${limit}}}`);
    expect((await put("256.0")).body.limits.memory).to.equal(256);
    expect((await put("256.50")).status).to.equal(400);
  });

  it("are refused where an object is expected", async () => {
    for (const method of ["PUT", "POST"]) {
      const { status, body } = await server.send(method, `${base}/actions/plain?overwrite=true`, "1.0");
      expect(status).to.equal(400);
      expect(body.error).to.match(/bject expected/);
    }
  });

  it("are there again after a restart", async () => {
    const paths = ["actions/bound", "packages/p", "triggers/t", "packages", "activations?docs=true"];
    const texts = async (): Promise<readonly string[]> =>
      await Promise.all(paths.map(async (path) => (await server.send("GET", `${base}/${path}`)).text));
    await server.send("POST", `${base}/actions/plain?blocking=true`, numbers);
    const before = await texts();
    for (const text of before) {
      expect(text).to.include(numbers).and.not.include("exactText");
    }
    await server.stop({ keep: true });
    server = await startTestServer({ folder: server.folder });
    expect(await texts()).to.deep.equal(before);
    expect(await result("bound", "{}")).to.equal(`{"n":${numbers}}`);
    const updated = await server.send("PUT", `${base}/actions/bound?overwrite=true`, '{"parameters":[]}');
    expect(updated.body).to.deep.include({ version: "0.0.2", parameters: [] });
  });

  it("leave no fault behind", () => {
    expect(server.faults).to.deep.equal([]);
  });
});
