// Records on their way to a CouchDB-compatible server: at once, in batches, and past every trouble on the way.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ActivationDocument } from "../../invoker/wire/documents.ts";
import { within } from "../within.ts";
import { databases, filesBelow, type OpenedStores, openStores, recordOf, TestCouch } from "./couch.ts";

const patienceMs = 60_000;
const bulk = /^POST .*_bulk_docs$/;

const records = (count: number, from = 0): ActivationDocument[] =>
  Array.from({ length: count }, (_, i) => recordOf(`r${from + i}`));

/** Resolves when nothing waits any more, in memory or on disk. */
async function settled({ activations }: OpenedStores): Promise<void> {
  await within(patienceMs, () => {
    const { waiting, spooledBytes } = activations.status();
    return (waiting === 0 && spooledBytes === 0) || undefined;
  });
}

describe("records for CouchDB", () => {
  let couch: TestCouch;
  let stores: OpenedStores;

  before(async () => {
    couch = await TestCouch.start();
  });
  after(async () => {
    await couch.stop();
  });
  beforeEach(async () => {
    couch.gate.seen = [];
    stores = await couch.open();
  });
  afterEach(async () => {
    await stores.close(0);
  });

  const stored = async (): Promise<Set<string>> => {
    const { body } = await couch.send("GET", `${databases.activations}/_all_docs`);
    return new Set(body.rows.map(({ id }: { id: string }) => id));
  };

  it("are stored as they are", async () => {
    const record = recordOf("as-it-is", { cause: "abc", logs: ["2025 stdout: ü \u2028 \ud83d\ude00"] });
    await stores.activations.store(record);
    await settled(stores);
    const { _rev, ...document } = (await couch.get("activations", record._id)) ?? {};
    expect(document).to.deep.equal(record);
    expect(_rev).to.match(/^1-/);
  });

  it("go at once where there is one at a time", async () => {
    for (const record of records(20)) {
      await stores.activations.store(record);
      await settled(stores);
    }
    expect(couch.gate.count(bulk)).to.equal(20);
  });

  it("go together, 500 at most and four requests at a time, where the database is slower than they come", async () => {
    let open = (): void => {};
    couch.gate.opened = new Promise((resolve) => {
      open = resolve;
    });
    for (const [i, record] of records(4, 1000).entries()) {
      await stores.activations.store(record);
      await within(patienceMs, () => couch.gate.count(bulk) === i + 1 || undefined);
    }
    const many = records(2_001, 2000);
    await Promise.all(many.map((record) => stores.activations.store(record)));
    expect(couch.gate.count(bulk)).to.equal(4);
    expect(stores.activations.status().waiting).to.equal(2_005);
    open();
    await settled(stores);
    expect(couch.gate.count(bulk)).to.equal(4 + 5);
    const all = await stored();
    expect(many.filter(({ _id }) => !all.has(_id))).to.deep.equal([]);
  });

  it("that are there already count as stored", async () => {
    const [record] = records(1, 5000);
    if (record === undefined) throw new Error("none");
    await stores.activations.store(record);
    await settled(stores);
    await stores.activations.store({ ...record, duration: 7 });
    await settled(stores);
    expect(stores.activations.status()).to.include({ refused: 0, dropped: 0, isDatabaseAway: false });
    expect((await couch.get("activations", record._id))?.duration).to.equal(93);
    expect(stores.events).to.deep.equal([]);
  });

  it("leave nothing on the disk once they are stored", async () => {
    const folder = couch.newSpool();
    const own = await openStores(couch.gate.port, folder);
    await Promise.all(records(50, 6000).map((record) => own.activations.store(record)));
    await settled(own);
    await own.close(patienceMs);
    expect(filesBelow(folder)).to.deep.equal([]);
  });

  it("wait while the database is gone, killed under load, and are all stored when it is back", async () => {
    const first = records(300, 10_000);
    const kept = first.map((record) => stores.activations.store(record));
    await within(patienceMs, () => couch.gate.count(bulk) > 0 || undefined);
    await couch.kill();
    const second = records(700, 20_000);
    await Promise.all([...kept, ...second.map((record) => stores.activations.store(record))]);
    await within(patienceMs, () => stores.activations.status().isDatabaseAway || undefined);
    expect(stores.activations.status().lastError).to.match(/_bulk_docs had no answer/);
    expect(stores.activations.status().spooledBytes).to.be.greaterThan(0);
    await couch.serve();
    await settled(stores);
    const all = await stored();
    expect([...first, ...second].filter(({ _id }) => !all.has(_id))).to.deep.equal([]);
    expect(stores.events.map(({ event }) => event)).to.deep.equal(["database-away", "database-back"]);
    expect(stores.activations.status()).to.include({ dropped: 0, refused: 0, isDatabaseAway: false });
  });

  it("are not all in memory while the database is gone", async () => {
    await couch.kill();
    const own = await openStores(couch.gate.port, couch.newSpool(), { recordMemoryBytes: 5_000 });
    const many = records(3_000, 30_000);
    for (const record of many) await own.activations.store(record);
    const { waiting, spooledBytes } = own.activations.status();
    // What comes while a request asks whether it is back is in memory beside those.
    expect(waiting).to.be.lessThan(100);
    expect(spooledBytes).to.be.greaterThan(3_000 * 300);
    await couch.serve();
    await settled(own);
    const all = await stored();
    expect(many.filter(({ _id }) => !all.has(_id))).to.deep.equal([]);
    await own.close(0);
  });

  it("that one life could not store are stored by the next, but for a torn last line", async () => {
    const folder = couch.newSpool();
    await couch.kill();
    const first = await openStores(couch.gate.port, folder);
    const many = records(20, 40_000);
    await Promise.all(many.map((record) => first.activations.store(record)));
    await first.close(0);
    const [path = ""] = filesBelow(folder);
    expect(readFileSync(path, "utf8").trimEnd().split("\n")).to.have.length(20);
    writeFileSync(path, '{"_id":"guest/torn","name', { flag: "a" });
    writeFileSync(join(folder, "notes.txt"), "not ours");
    await couch.serve();
    const second = await openStores(couch.gate.port, folder);
    await settled(second);
    await second.close(0);
    const all = await stored();
    expect(many.filter(({ _id }) => !all.has(_id))).to.deep.equal([]);
    expect(second.events).to.deep.equal([{ event: "spool-torn", file: path, lostBytes: 25 }]);
    expect(filesBelow(folder)).to.deep.equal([join(folder, "notes.txt")]);
  });
});
