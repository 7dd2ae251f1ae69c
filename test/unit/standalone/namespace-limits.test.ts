// The limits of a namespace, as its owner is told of them.

import { expect } from "chai";
import { namespaceLimits } from "../../../standalone/namespace-limits.ts";
import { defaultSettings } from "../../../standalone/settings.ts";
import { startTestServer, type TestServer } from "./server.ts";

const path = "/api/v1/namespaces/_/limits";
const usual = {
  concurrentInvocations: 10_000,
  minActionMemory: 128,
  maxActionMemory: 512,
  minActionLogs: 0,
  maxActionLogs: 10,
  minActionTimeout: 100,
  maxActionTimeout: 300_000,
  minActionConcurrency: 1,
  maxActionConcurrency: 1,
  maxParameterSize: "1048576 B",
};

describe("the limits of a namespace", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(async () => {
    await server.stop();
  });

  it("are told to its owner, and to nobody else", async () => {
    for (const form of [path, `${path}/`, "/api/v1/namespaces/guest/limits"]) {
      const { status, body } = await server.send("GET", form);
      expect([status, body], form).to.deep.equal([200, usual]);
    }
    const other = await server.send("GET", "/api/v1/namespaces/whisk.system/limits");
    expect([other.status, other.body.error]).to.deep.equal([
      403,
      "The supplied authentication is not authorized to access 'whisk.system'.",
    ]);
    expect((await server.send("GET", path, undefined, { auth: null })).status).to.equal(401);
  });

  it("are its own where it has some, but never beyond those of the whole system", () => {
    const limits = {
      ...{
        invocationsPerMinute: 100,
        concurrentInvocations: 0,
        firesPerMinute: 300,
        storeActivations: false,
      },
      ...{ minActionMemory: 150, maxActionMemory: 200, minActionTimeout: 99, maxActionTimeout: 300_001 },
      maxParameterSize: "2 MB",
    };
    expect(namespaceLimits({ limits }, defaultSettings())).to.deep.equal({
      ...usual,
      ...{
        invocationsPerMinute: 100,
        concurrentInvocations: 0,
        firesPerMinute: 300,
        storeActivations: false,
      },
      ...{ minActionMemory: 150, maxActionMemory: 200 },
    });
  });

  it("can only be read, and only together", async () => {
    for (const form of [path, `${path}/memory`]) {
      for (const method of ["PUT", "POST", "DELETE"]) {
        const { status, body } = await server.send(method, form, {});
        expect([status, body.error], `${method} ${form}`).to.deep.equal([
          405,
          "HTTP method not allowed, supported methods: GET",
        ]);
      }
    }
    const one = await server.send("GET", `${path}/memory`);
    expect([one.status, one.body.error]).to.deep.equal([
      400,
      "Inner entity level routes for limits are not yet implemented.",
    ]);
  });
});
