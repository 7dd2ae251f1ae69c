// The limits of a namespace: as its owner is told of them, and as they hold.

import { expect } from "chai";
import { namespaceLimits } from "../../../standalone/namespace-limits.ts";
import { defaultSettings } from "../../../standalone/settings.ts";
import { openDatabases } from "../../../standalone/store/databases.ts";
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

  /** From now on `guest` has these limits of its own, and no others. */
  async function limit(limits: object): Promise<void> {
    await server.stop({ keep: true });
    const { folder } = server;
    const databases = await openDatabases(folder, () => {});
    const { doc } = (await databases.subjects.allDocs({ include_docs: true, keys: ["guest"] })).rows[0] ?? {};
    const limited = { ...doc, _id: "guest", limits };
    await databases.subjects.put(limited);
    await databases.close();
    server = await startTestServer({ folder });
  }

  it("hold for what its owner creates and changes", async () => {
    await limit({ allowedKinds: ["python:3"], maxActionMemory: 200 });
    const put = async (exec: object | undefined, memory: number, query = ""): Promise<unknown> => {
      const action = "/api/v1/namespaces/_/actions/limited";
      const { status, body } = await server.send("PUT", `${action}${query}`, { exec, limits: { memory } });
      return status === 200 ? body.limits.memory : [status, body.error];
    };
    const python = { kind: "python:3", code: "def main(args): return args" };
    const tooLarge = [400, "memory size 256 MB exceeds allowed threshold of 200 MB"];
    expect(await put(python, 256)).to.deep.equal(tooLarge);
    expect(await put(python, 200)).to.equal(200);
    expect(await put(undefined, 256, "?overwrite=true")).to.deep.equal(tooLarge);
    for (const exec of [
      { kind: "nodejs:20", code: "const main = (args) => args" },
      { kind: "sequence", components: ["/_/limited"] },
    ])
      expect(await put(exec, 128, "?overwrite=true")).to.deep.equal([
        403,
        `The supplied authentication is not authorized to access actions of kind '${exec.kind}'.`,
      ]);
  });

  it("hold for the parameters and annotations of all that its owner creates and changes", async () => {
    await limit({ maxParameterSize: "1k" });
    const namespace = "/api/v1/namespaces/_";
    const list = (bytes: number): object[] => [{ key: "key", value: "x".repeat(bytes - 5) }];
    const bodies = {
      actions: { exec: { kind: "nodejs:20", code: ";" } },
      packages: {},
      triggers: {},
      rules: { trigger: "/_/of-triggers", action: "/_/of-actions" },
    };
    for (const [collection, body] of Object.entries(bodies)) {
      const put = async (fields: object): Promise<unknown> => {
        const url = `${namespace}/${collection}/of-${collection}?overwrite=true`;
        const answer = await server.send("PUT", url, { ...body, ...fields });
        return [answer.status, answer.body.error];
      };
      for (const field of ["parameters", "annotations"]) {
        const tooLarge = [413, `${field} larger than allowed: 1025 > 1024 bytes.`];
        expect(await put({ [field]: list(1025) }), collection).to.deep.equal(tooLarge);
        expect(await put({ [field]: list(1024) }), collection).to.deep.equal([200, undefined]);
        expect(await put({ [field]: list(1025) }), collection).to.deep.equal(tooLarge);
      }
    }
    expect((await server.send("GET", path)).body.maxParameterSize).to.equal("1 KB");
  });

  it("do not let parameters be larger than the whole system does", async () => {
    await limit({ maxParameterSize: "2 MB" });
    const parameters = [{ key: "a", value: "x".repeat(1 << 20) }];
    const { status, body } = await server.send("PUT", "/api/v1/namespaces/_/packages/large", { parameters });
    expect([status, body.error]).to.deep.equal([
      413,
      "parameters larger than allowed: 1048579 > 1048576 bytes.",
    ]);
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
