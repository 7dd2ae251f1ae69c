// Activation records: found at once, listed by time and name, and whole after any end of the process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { activationSummary } from "../../../standalone/store/activation-order.ts";
import { type Databases, openDatabases } from "../../../standalone/store/databases.ts";
import { ActivationRecords, type RecordDocument, recordDocument } from "../../../standalone/store/records.ts";
import { startTestServer } from "./server.ts";

function record(n: number, more: Partial<RecordDocument> = {}): RecordDocument {
  const activationId = n.toString(16).padStart(32, "0");
  const made = {
    namespace: "guest",
    name: "hello",
    subject: "guest",
    activationId,
    start: 1_000_000 + n,
    end: 1_000_005 + n,
    duration: 5,
    response: { statusCode: 0, result: { n } },
    logs: [],
    version: "0.0.1",
    publish: false,
    annotations: [{ key: "path", value: "guest/hello" }],
    ...more,
  } as const;
  return recordDocument(made, 2_000_000);
}

describe("activation records", () => {
  let folder: string;
  let databases: Databases;
  let records: ActivationRecords;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-records-"));
    databases = await openDatabases(folder);
    records = await ActivationRecords.open(databases);
  });
  afterEach(async () => {
    await databases.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const all = { namespace: "guest", skip: 0, limit: 200 };
  const numbers = (list: readonly unknown[]) =>
    list.map((item) => Number.parseInt((item as RecordDocument).activationId, 16));

  it("are found from the moment they are given, before they are written", async () => {
    const stored = records.store(record(1));
    expect(await records.get("guest", record(1).activationId)).to.deep.include({ duration: 5 });
    expect(numbers(await records.list(all))).to.deep.equal([1]);
    await stored;
    expect(await records.get("guest", record(1).activationId)).to.deep.include({ duration: 5 });
  });

  it("are written together when they come together", async () => {
    let writes = 0;
    const { bulkDocs } = databases.activations;
    databases.activations.bulkDocs = (documents) => {
      writes++;
      return bulkDocs.call(databases.activations, documents);
    };
    await Promise.all(Array.from({ length: 1200 }, (_, n) => records.store(record(n))));
    expect(writes).to.be.at.most(4);
    expect(await records.count({ namespace: "guest", skip: 0 })).to.equal(1200);
  });

  it("are listed latest first, in parts, between times, by name, and per namespace", async () => {
    const packaged = [{ key: "path", value: "guest/pkg/hello" }];
    const bound = [
      { key: "path", value: "whisk.system/utils/hello" },
      { key: "binding", value: "guest/mine" },
    ];
    const given = [
      record(1),
      record(2, { name: "other", annotations: [{ key: "path", value: "guest/other" }] }),
      record(3, { annotations: packaged }),
      record(4, { annotations: bound }),
      record(5),
      record(6, { namespace: "guest2" }),
    ];
    await Promise.all(given.map((one) => records.store(one)));
    const list = async (range: object) => numbers(await records.list({ ...all, ...range }));
    expect(await list({})).to.deep.equal([5, 4, 3, 2, 1]);
    expect(await list({ skip: 1, limit: 2 })).to.deep.equal([4, 3]);
    expect(await list({ sinceMs: 1_000_002, uptoMs: 1_000_004 })).to.deep.equal([4, 3, 2]);
    expect(await list({ action: "hello" })).to.deep.equal([5, 1]);
    expect(await list({ action: "pkg/hello" })).to.deep.equal([3]);
    expect(await list({ action: "mine/hello" })).to.deep.equal([4]);
    expect(await list({ action: "hell" })).to.deep.equal([]);
    expect(await list({ namespace: "guest2" })).to.deep.equal([6]);
    expect(await records.count({ namespace: "guest", skip: 2 })).to.equal(3);
    expect(
      await records.count({ namespace: "guest", action: "hello", sinceMs: 1_000_002, skip: 0 }),
    ).to.equal(1);
    const documents = await records.listDocuments({ ...all, limit: 2 });
    expect(documents.map((document) => document.response.result)).to.deep.equal([{ n: 5 }, { n: 4 }]);
  });

  it("stored twice stay as they were first", async () => {
    await records.store(record(1));
    await records.store(record(1, { duration: 99 }));
    expect(await records.get("guest", record(1).activationId)).to.deep.include({ duration: 5 });
    expect(await records.count({ namespace: "guest", skip: 0 })).to.equal(1);
  });

  it("that were acknowledged are waited for", async () => {
    const { activationId } = record(7);
    records.expect("guest", activationId);
    const found = records.get("guest", activationId);
    const listed = records.list(all);
    await sleep(5);
    const stored = records.store(record(7));
    expect(await found).to.deep.include({ activationId });
    expect(numbers(await listed)).to.deep.equal([7]);
    await stored;
  });

  it("that were stored before their acknowledgement was read are not waited for", async () => {
    await records.store(record(7));
    records.expect("guest", record(7).activationId);
    const start = performance.now();
    await records.list(all);
    // It would be waited for as long as five seconds.
    expect(performance.now() - start).to.be.below(4_500);
  });

  it("written without their order, as by a process killed between the two, are in order after the next start", async () => {
    await records.store(record(1));
    await databases.activations.bulkDocs([record(2), record(3)]);
    await databases.close();
    databases = await openDatabases(folder);
    records = await ActivationRecords.open(databases);
    expect(numbers(await records.list(all))).to.deep.equal([3, 2, 1]);
  });

  it("that cannot be written are reported to whoever gave them", async () => {
    databases.activations.bulkDocs = () => Promise.reject(new Error("Input/output error"));
    let message = "";
    await records.store(record(1)).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.match(/Input\/output error/);
    expect(await records.get("guest", record(1).activationId)).to.equal(undefined);
  });

  it("are summed up as the view of OpenWhisk does", () => {
    expect(activationSummary(record(1, { cause: "c".repeat(32) }))).to.deep.equal({
      namespace: "guest",
      name: "hello",
      version: "0.0.1",
      publish: false,
      annotations: [{ key: "path", value: "guest/hello" }],
      activationId: record(1).activationId,
      start: 1_000_001,
      end: 1_000_006,
      duration: 5,
      cause: "c".repeat(32),
      statusCode: 0,
    });
  });
});

describe("what a server keeps", () => {
  it("is there after a restart: actions, packages, activations and keys", async () => {
    const base = "/api/v1/namespaces/_";
    const first = await startTestServer();
    const code = "// ".repeat(10_000);
    await first.send("PUT", `${base}/packages/pkg`, {});
    await first.send("PUT", `${base}/actions/pkg/act`, { exec: { kind: "nodejs:20", code } });
    const { body } = await first.send("POST", `${base}/actions/pkg/act?blocking=true`, {});
    const key = first.keyOf("guest");
    await first.stop({ keep: true });

    const second = await startTestServer({ folder: first.folder });
    expect(second.keyOf("guest")).to.equal(key);
    expect((await second.send("GET", `${base}/actions/pkg/act`)).body.exec.code).to.equal(code);
    expect(
      (await second.send("GET", `${base}/packages`)).body.map((one: { name: string }) => one.name),
    ).to.deep.equal(["pkg"]);
    const listed = (await second.send("GET", `${base}/activations`)).body;
    expect(listed.map((one: { activationId: string }) => one.activationId)).to.deep.equal([
      body.activationId,
    ]);
    expect(
      (await second.send("GET", `${base}/activations/${body.activationId}/logs`)).body.logs,
    ).to.have.length(1);
    const again = await second.send("PUT", `${base}/actions/pkg/act?overwrite=true`, { publish: true });
    expect(again.body.version).to.equal("0.0.2");
    await second.stop();
  });

  it("shows an activation in lists as soon as its caller has the result, while logs are still being collected", async () => {
    const server = await startTestServer({ storeDelayMs: 30 });
    await server.send("PUT", "/api/v1/namespaces/_/actions/act", { exec: { kind: "nodejs:20", code: ";" } });
    const { body } = await server.send("POST", "/api/v1/namespaces/_/actions/act?blocking=true", {});
    const listed = (await server.send("GET", "/api/v1/namespaces/_/activations?limit=1")).body;
    expect(listed[0].activationId).to.equal(body.activationId);
    await server.stop();
  });
});
