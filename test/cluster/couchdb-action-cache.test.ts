// How often an action is read from a CouchDB-compatible server: as seldom as its message and its age allow.

import { expect } from "chai";
import { CouchActions, invalidatedId } from "../../invoker/store/couchdb/actions.ts";
import { CouchConnection } from "../../invoker/store/couchdb/connection.ts";
import { couchDefaults } from "../../invoker/store/couchdb/open.ts";
import { databases, openStores, password, rules, username } from "./couch.ts";
import { actionOf, StoredActions, source } from "./stored-actions.ts";

describe("an action in CouchDB is asked for", () => {
  let setting: StoredActions;
  before(async () => {
    setting = await StoredActions.start();
  });
  after(() => setting.close());
  beforeEach(() => {
    setting.couch.gate.seen = [];
  });

  const exec = { kind: "nodejs:20", code: { attachmentName: "codefile", attachmentType: "text/plain" } };
  const attachment = { name: "codefile", type: "text/plain", bytes: Buffer.from(source) };

  it("once, however often and at once it is wanted", async () => {
    const { id, rev } = await setting.store(exec, { attachment });
    const fetched = await Promise.all(
      Array.from({ length: 50 }, () => setting.stores.actions.fetch(id, rev)),
    );
    expect(await setting.stores.actions.fetch(id, rev)).to.equal(fetched[0]);
    expect(new Set(fetched).size).to.equal(1);
    expect(setting.couch.gate.seen.map(({ what }) => what)).to.deep.equal([
      `GET /${databases.whisks}/guest%2Ftools%2Fhello-${setting.made}`,
      `GET /${databases.whisks}/guest%2Ftools%2Fhello-${setting.made}/codefile?rev=${rev}`,
    ]);
  });

  it("again where it failed", async () => {
    const id = setting.newId();
    await setting.failure(id, "1-0");
    const { rev } = await setting.store({ kind: "nodejs:20", code: source }, { id });
    expect((await setting.stores.actions.fetch(id, rev)).code?.toString()).to.equal(source);
  });

  it("each time where no revision is known", async () => {
    const { id, rev } = await setting.store(exec, { attachment });
    await setting.stores.actions.fetch(id, rev);
    setting.couch.gate.seen = [];
    for (let i = 0; i < 3; i++) await setting.stores.actions.fetch(id, null);
    expect(setting.couch.gate.seen).to.have.length(6);
  });

  it("twice, and each time, where the wanted revision is gone: the current one is run", async () => {
    const { id, rev } = await setting.store({ kind: "nodejs:20", code: source });
    await setting.couch.put(
      "whisks",
      actionOf(id, { kind: "nodejs:20", code: "new" }, { _rev: rev, version: "0.0.4" }),
    );
    for (let i = 1; i <= 2; i++) {
      const action = await setting.stores.actions.fetch(id, rev);
      expect(action.document.version).to.equal("0.0.4");
      expect(action.code?.toString()).to.equal("new");
      expect(setting.couch.gate.seen).to.have.length(2 * i);
    }
  });

  it("again after the message that it has changed, and no other is", async () => {
    const changed = await setting.store({ kind: "nodejs:20", code: source });
    const longer = await setting.store({ kind: "nodejs:20", code: source }, { id: `${changed.id} and more` });
    for (const { id, rev } of [changed, longer]) await setting.stores.actions.fetch(id, rev);
    setting.couch.gate.seen = [];
    const message = `{"key":{"mainId":"${changed.id}"},"instanceId":"controller0"}`;
    setting.stores.actions.invalidate(invalidatedId(message) ?? "");
    for (const { id, rev } of [changed, longer]) await setting.stores.actions.fetch(id, rev);
    expect(setting.couch.gate.seen).to.have.length(1);
    expect(invalidatedId('{"key":{}}')).to.equal(undefined);
    expect(invalidatedId("no JSON")).to.equal(undefined);
  });

  const long = "x".repeat(6_000);
  for (const [what, code, more] of [
    ["code", `//${long}`, {}],
    ["annotations", source, { annotations: [{ key: "description", value: long }] }],
  ] as const) {
    it(`again where others have taken its room by long ${what}`, async () => {
      const small = await openStores(setting.couch.gate.port, setting.couch.newSpool(), {
        cacheBytes: 10_000,
      });
      const exec = { kind: "nodejs:20", code };
      const [one, two] = [await setting.store(exec, { more }), await setting.store(exec, { more })];
      for (const { id, rev } of [one, one, two, one]) await small.actions.fetch(id, rev);
      expect(setting.couch.gate.seen).to.have.length(3);
      await small.close(0);
    });
  }

  it("without its parameters, which messages bring", async () => {
    const more = { parameters: [{ key: "password", value: "secret" }] };
    const { id, rev } = await setting.store({ kind: "nodejs:20", code: source }, { more });
    expect((await setting.stores.actions.fetch(id, rev)).document.parameters).to.deep.equal([]);
  });

  it("again five minutes after its last use", async () => {
    const { id, rev } = await setting.store({ kind: "nodejs:20", code: source });
    let nowMs = 0;
    const settings = { ...couchDefaults, protocol: "http", host: "127.0.0.1", username, password } as const;
    const connection = new CouchConnection({ ...settings, port: setting.couch.gate.port });
    const whisks = { database: databases.whisks, cacheBytes: 1 << 20 };
    const actions = new CouchActions(connection, whisks, rules, { now: () => nowMs });
    const minuteMs = 60_000;
    for (const [atMs, requests] of [
      [0, 1],
      [4 * minuteMs, 1],
      [8 * minuteMs, 1],
      [13 * minuteMs + 1, 2],
    ] as const) {
      nowMs = 1 + atMs;
      await actions.fetch(id, rev);
      expect(setting.couch.gate.seen, `after ${atMs} ms`).to.have.length(requests);
    }
    await connection.close();
  });
});
