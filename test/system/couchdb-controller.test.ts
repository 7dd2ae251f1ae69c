// The REST API on a CouchDB-compatible server over HTTP: found by OpenWhisk's views, shared with other controllers.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { printExact } from "../../invoker/index.ts";
import { type DatabaseServer, startDatabase } from "../../standalone/cluster/database.ts";
import { freePort } from "../../standalone/cluster/java.ts";
import { StartError } from "../../standalone/errors.ts";
import { type CouchSettings, openCouchDatabases } from "../../standalone/store/couchdb.ts";
import type { Databases } from "../../standalone/store/databases.ts";
import { ActivationRecords } from "../../standalone/store/records.ts";
import { startTestServer, type TestServer } from "../unit/standalone/server.ts";
import { holdsWithin } from "../within.ts";

const base = "/api/v1/namespaces/_";
const patienceMs = 60_000;
const user = { username: "whisk", password: "p@ss word" };
/** The server prepares databases of one prefix; those of the other are created, with their views, by the controller. */
const prefixes = { served: "whisk_test_", created: "whisk_new_" };

describe("the REST API on a CouchDB", function () {
  this.timeout(120_000);
  let folder: string;
  let database: DatabaseServer;
  let couch: CouchSettings;
  let server: TestServer;
  let direct: Databases;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-couchdb-"));
    database = await startDatabase({
      folder: join(folder, "data"),
      port: 0,
      prefix: prefixes.served,
      ...user,
    });
    const credentials = `${user.username}:${encodeURIComponent(user.password)}`;
    couch = { url: database.url.replace("//", `//${credentials}@`), prefix: prefixes.created };
    server = await startTestServer({ couch, idOnlyAcks: true });
    direct = await openCouchDatabases(couch);
  });
  after(async () => {
    await server.stop();
    await direct.close();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const exec = { kind: "nodejs:20", code: ";" };
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  const listed = async (path: string) => names((await server.send("GET", `${base}/${path}`)).body);

  it("keeps the action that invokers are tested with, at its only version, however often it starts", async () => {
    const again = await startTestServer({ couch, peer: server, settings: { controller: "1" } });
    await again.stop();
    for (const controller of ["0", "1"]) {
      const id = `whisk.system/invokerHealthTestAction${controller}`;
      const {
        _rev,
        updated: _,
        ...document
      } = (await direct.whisks.get(id)) as unknown as {
        readonly [field: string]: unknown;
      };
      expect(document).to.deep.equal({
        _id: id,
        ...{ namespace: "whisk.system", name: `invokerHealthTestAction${controller}`, version: "0.0.1" },
        exec: { kind: "nodejs:20", code: "function main(params) { return params; }", binary: false },
        ...{ parameters: [], annotations: [], publish: false, entityType: "action" },
        limits: { timeout: 60_000, memory: 128, logs: 10, concurrency: 1 },
      });
    }
  });

  it("lists entities of each kind by their last update, with those of packages and without", async () => {
    await server.send("PUT", `${base}/packages/pkg`, {});
    for (const path of ["actions/a", "actions/b", "actions/pkg/c"]) {
      expect((await server.send("PUT", `${base}/${path}`, { exec })).status, path).to.equal(200);
    }
    await server.send("PUT", `${base}/triggers/t`, {});
    await server.send("PUT", `${base}/rules/r`, { trigger: "/_/t", action: "/_/a" });
    expect(await listed("actions")).to.deep.equal(["c", "b", "a"]);
    expect(await listed("actions?skip=1&limit=1")).to.deep.equal(["b"]);
    expect(await listed("actions/pkg/")).to.deep.equal(["c"]);
    expect(await listed("packages")).to.deep.equal(["pkg"]);
    expect(await listed("triggers")).to.deep.equal(["t"]);
    const [rule] = (await server.send("GET", `${base}/rules`)).body;
    expect(rule).to.deep.include({ name: "r", trigger: { path: "guest", name: "t" } });
    await server.send("PUT", `${base}/actions/a?overwrite=true`, { exec });
    expect(await listed("actions")).to.deep.equal(["a", "c", "b"]);
    expect((await server.send("DELETE", `${base}/packages/pkg`)).status).to.equal(409);
    await server.send("DELETE", `${base}/actions/pkg/c`);
    expect((await server.send("DELETE", `${base}/packages/pkg`)).status).to.equal(200);
    expect(await listed("actions")).to.deep.equal(["a", "b"]);
  });

  it("keeps code inline or beside the document, and names with spaces", async () => {
    for (const [name, code] of [
      ["small one", "// small"],
      ["large", "// ".repeat(10_000)],
    ] as const) {
      const path = `${base}/actions/${encodeURIComponent(name)}`;
      await server.send("PUT", path, { exec: { ...exec, code } });
      const again = await server.send("PUT", `${path}?overwrite=true`, { limits: { memory: 128 } });
      expect(again.body).to.deep.include({ version: "0.0.2" });
      expect((await server.send("GET", path)).body.exec.code).to.equal(code);
      expect((await server.send("DELETE", path)).status).to.equal(200);
    }
  });

  it("finds results that only the database has, and lists, filters and counts activations", async () => {
    await server.send("PUT", `${base}/actions/run`, { exec });
    const first = await server.send("POST", `${base}/actions/run?blocking=true&result=true`, { n: 1 });
    expect([first.status, first.body]).to.deep.equal([200, { n: 1 }]);
    const second = await server.send("POST", `${base}/actions/run?blocking=true`, { n: 2 });
    await server.send("POST", `${base}/actions/b?blocking=true`, {});
    const list = async (query: string) => (await server.send("GET", `${base}/activations?${query}`)).body;
    expect(names(await list(""))).to.deep.equal(["b", "run", "run"]);
    expect(names(await list("name=run&limit=1"))).to.deep.equal(["run"]);
    expect(await list("name=run&count=true")).to.deep.equal({ activations: 2 });
    expect(await list(`count=true&since=${second.body.start + 60_000}`)).to.deep.equal({ activations: 0 });
    expect(names(await list(`upto=${second.body.start}&limit=1`))).to.deep.equal(["run"]);
    await server.send("PUT", `${base}/packages/deep`, {});
    await server.send("PUT", `${base}/actions/deep/run`, { exec });
    await server.send("POST", `${base}/actions/deep/run?blocking=true`, {});
    expect(names(await list("name=deep/run"))).to.deep.equal(["run"]);
    expect(await list("name=run&count=true")).to.deep.equal({ activations: 2 });
    const [whole] = await list("docs=true&name=run&limit=1");
    expect(whole.response.result).to.deep.equal({ n: 2 });
    const { body } = await server.send("GET", `${base}/activations/${second.body.activationId}/logs`);
    expect(body.logs).to.have.length(1);
  });

  it("lets in whoever the database has, with the limits of their namespace, and nobody else", async () => {
    const uuid = "0ddc0de0-0000-4000-8000-000000000000";
    const key = "k".repeat(64);
    const auth = `${uuid}:${key}`;
    const send = (given: string) => server.send("POST", `${base}/actions/x`, {}, { auth: given });
    expect((await send(auth)).status).to.equal(401);
    await direct.subjects.put({
      ...{ _id: "someone", subject: "someone" },
      namespaces: [{ name: "elsewhere", uuid, key }],
    } as { readonly _id: string });
    const limits = { storeActivations: false, concurrentInvocations: 3 };
    await direct.subjects.put({ _id: "elsewhere/limits", ...limits });
    await server.send("PUT", `${base}/actions/x`, { exec }, { auth });
    expect((await send(auth)).status).to.equal(202);
    expect(server.messages.at(-1)?.user).to.deep.equal({
      ...{ subject: "someone", namespace: { name: "elsewhere", uuid }, authkey: { api_key: auth } },
      ...{ rights: ["READ", "PUT", "DELETE", "ACTIVATE"], limits },
    });
    expect((await send(`${uuid}:${"x".repeat(64)}`)).status).to.equal(401);
  });

  it("runs web actions in the name of whoever owns the namespace, within that one's limits", async () => {
    const uuid = "0ddc0de1-0000-4000-8000-000000000000";
    const auth = `${uuid}:${"w".repeat(64)}`;
    const path = `${server.url}/api/v1/web/webspace/default/page.json`;
    expect((await fetch(path)).status).to.equal(404);
    await direct.subjects.put({
      ...{ _id: "webowner", subject: "webowner" },
      namespaces: [{ name: "webspace", uuid, key: "w".repeat(64) }],
    } as { readonly _id: string });
    await direct.subjects.put({ _id: "webspace/limits", invocationsPerMinute: 0 } as {
      readonly _id: string;
    });
    const annotations = [{ key: "web-export", value: true }];
    await server.send("PUT", `${base}/actions/page`, { exec, annotations }, { auth });
    const refused = await fetch(path);
    expect(await refused.json()).to.include({
      error: "Too many requests in the last minute (count: 1, allowed: 0).",
    });
    await server.send("PUT", `${base}/actions/page`, { exec, annotations });
    expect((await fetch(path.replace("webspace", "guest"))).status).to.equal(200);
    expect(server.messages.at(-1)?.user).to.include({ subject: "guest" });
  });

  it("sees what another controller changes, as soon as that one says so", async () => {
    const other = await startTestServer({ couch, peer: server, settings: { controller: "1" } });
    const auth = server.keyOf("guest");
    const read = async () => (await server.send("GET", `${base}/actions/shared`)).body;
    await server.send("PUT", `${base}/actions/shared`, { exec });
    await read();
    await other.send(
      "PUT",
      `${base}/actions/shared?overwrite=true`,
      { exec: { ...exec, code: "1;" } },
      { auth },
    );
    expect((await read()).version).to.be.oneOf(["0.0.1", "0.0.2"]);
    const isSeen = async () => (await read()).version === "0.0.2" && (await read()).exec.code === "1;";
    let seen = false;
    expect(
      await holdsWithin(patienceMs, () => {
        void isSeen().then((now) => {
          seen = now;
        });
        return seen;
      }),
    ).to.equal(true);
    const run = await other.send(
      "POST",
      `${base}/actions/shared?blocking=true&result=true`,
      { n: 3 },
      { auth },
    );
    expect([run.status, run.body]).to.deep.equal([200, { n: 3 }]);
    expect(server.messages.at(-1)?.rootControllerIndex.asString).to.equal("1");
    await other.stop();
  });

  it("passes on numbers as the database has them", async () => {
    // CouchDB keeps what the server of the other tests, in JavaScript, cannot.
    const text = '{"_id":"guest/x","_rev":"1-a","response":{"result":{"n":12345678901234567890,"f":1.0}}}';
    const mock = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(text);
    });
    await once(mock.listen(0, "127.0.0.1"), "listening");
    const { port } = mock.address() as AddressInfo;
    const databases = await openCouchDatabases({ url: `http://127.0.0.1:${port}`, prefix: "" });
    const records = await ActivationRecords.open(databases);
    expect(printExact(await records.get("guest", "x"))).to.equal(text);
    await databases.close();
    mock.closeAllConnections();
    mock.close();
  });

  it("refuses to start with a wrong password, and never shows it", async () => {
    const failure = await openCouchDatabases({ ...couch, url: database.url.replace("//", "//whisk:secret@") })
      .then(() => undefined)
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(StartError);
    expect((failure as Error).message).to.match(/refuses the user or the password.*\(401\)/);
    expect((failure as Error).message).to.not.include("secret");
  });

  it("refuses to start without a server, or with a URL that is none", async () => {
    const messageOf = async (url: string) =>
      await openCouchDatabases({ ...couch, url }).then(
        () => "it started",
        (error: unknown) => (error instanceof StartError ? error.message : String(error)),
      );
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await messageOf(nobody)).to.match(
      new RegExp(`The CouchDB at ${nobody} cannot be used.*ECONNREFUSED`),
    );
    expect(await messageOf("127.0.0.1:5984")).to.match(/The URL of the CouchDB is none, one looks like/);
  });

  it("leaves no fault behind", () => {
    expect(server.faults).to.deep.equal([]);
  });
});
