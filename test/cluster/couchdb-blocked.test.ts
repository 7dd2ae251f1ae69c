// Blocked namespaces and the databases at the start, on a CouchDB-compatible server.

import { expect } from "chai";
import { within } from "../within.ts";
import { databases, type OpenedStores, TestCouch } from "./couch.ts";

const patienceMs = 60_000;
const view = `GET /${databases.subjects}/_design/namespaceThrottlings/_view/blockedNamespaces?stale=update_after&descending=true&reduce=false`;
const pollMs = 20;

describe("namespaces in the subjects database", () => {
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
    stores = await couch.open({ blockedPollMs: pollMs });
  });
  afterEach(async () => {
    await stores.close(0);
  });

  const subject = (name: string, blocked: boolean): { readonly _id: string } => {
    const namespaces = [name, `${name}-too`].map((namespace) => ({ name: namespace, uuid: "u", key: "k" }));
    return { _id: name, subject: name, blocked, namespaces } as never;
  };
  const isBlockedWithin = (name: string, wanted: boolean): Promise<true> =>
    within(patienceMs, () => stores.blockedNamespaces.isBlocked(name) === wanted || undefined);

  it("are blocked by their subject, or by a limit of nothing, and let go again", async () => {
    await couch.put("subjects", subject("good", false));
    const rev = await couch.put("subjects", subject("bad", true));
    await couch.put("subjects", { _id: "idle/limits", concurrentInvocations: 0 } as never);
    await couch.put("subjects", { _id: "slow/limits", invocationsPerMinute: 0 } as never);
    await couch.put("subjects", {
      _id: "free/limits",
      invocationsPerMinute: 1,
      concurrentInvocations: 1,
    } as never);
    expect(stores.blockedNamespaces.isBlocked("bad")).to.equal(false);
    await stores.blockedNamespaces.start();
    for (const name of ["bad", "bad-too", "idle", "slow"]) await isBlockedWithin(name, true);
    for (const name of ["good", "good-too", "free", "bad/limits", "other"]) {
      expect(stores.blockedNamespaces.isBlocked(name), name).to.equal(false);
    }
    await couch.put("subjects", { ...subject("bad", false), _rev: rev } as never);
    await isBlockedWithin("bad", false);
    expect(stores.blockedNamespaces.isBlocked("idle")).to.equal(true);
    expect(new Set(couch.gate.seen.map(({ what }) => what))).to.deep.equal(new Set([view]));
  });

  it("stay blocked while the database is gone", async () => {
    await stores.blockedNamespaces.start();
    await isBlockedWithin("idle", true);
    await couch.kill();
    await within(patienceMs, () => stores.events.length > 0 || undefined);
    expect(stores.blockedNamespaces.isBlocked("idle")).to.equal(true);
    await couch.serve();
    const before = stores.events.length;
    await couch.put("subjects", subject("late", true));
    await isBlockedWithin("late", true);
    expect(stores.events[before - 1]).to.have.property("event", "blocked-namespaces-unread");
  });

  it("are read at the start and not before the interval is over again", async () => {
    const seldom = await couch.open({ blockedPollMs: 3_600_000 });
    await seldom.blockedNamespaces.start();
    await stores.blockedNamespaces.start();
    await within(patienceMs, () => couch.gate.seen.length >= 5 || undefined);
    await seldom.close(0);
    await stores.close(0);
    const after = couch.gate.seen.length;
    await stores.blockedNamespaces.close();
    expect(couch.gate.seen).to.have.length(after);
  });
});

describe("the three databases at the start", () => {
  let couch: TestCouch;

  before(async () => {
    couch = await TestCouch.start();
  });
  after(async () => {
    await couch.stop();
  });

  async function problems(more: Parameters<TestCouch["open"]>[0]): Promise<readonly object[]> {
    const stores = await couch.open(more);
    const found = await stores.check();
    await stores.close(0);
    return found;
  }

  it("are all there for the right user", async () => {
    expect(await problems({})).to.deep.equal([]);
  });

  it("refuse a wrong password in one clear sentence", async () => {
    const place = `http://127.0.0.1:${couch.gate.port}`;
    const names = Object.values(databases);
    expect(await problems({ password: "wrong" })).to.deep.equal([
      {
        code: "denied",
        databases: names,
        message: `The user whisk_admin may not read ${names.join(", ")} at ${place}. Correct whisk.couchdb.username and whisk.couchdb.password, or let that user read there. (GET ${place}/${names[0]}: 401 unauthorized: Name or password is incorrect.)`,
      },
    ]);
  });

  it("are missing one by one", async () => {
    const [problem] = await problems({ databases: { ...databases, whisks: "whisks" } });
    expect(problem).to.include({ code: "missing" }).and.have.deep.property("databases", ["whisks"]);
  });
});
