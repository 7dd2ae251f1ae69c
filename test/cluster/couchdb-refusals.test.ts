// Records and a database that answers badly: what is sent again, what is given up, and who hears of it.

import { expect } from "chai";
import { parseExact } from "../../invoker/wire/json.ts";
import { within } from "../within.ts";
import { recordOf } from "./couch.ts";
import { type Scripted, stopTime } from "./scripted-couch.ts";
import { idsOf, patienceMs, ScriptedRecords } from "./scripted-records.ts";

describe("a record whose database", () => {
  let setting: ScriptedRecords;
  let restartTime: () => void;
  beforeEach(async () => {
    setting = await ScriptedRecords.start();
    restartTime = () => undefined;
  });
  afterEach(async () => {
    restartTime();
    await setting.close();
  });

  const passing: readonly (readonly [string, Scripted])[] = [
    ["wants another password", { status: 401, body: '{"error":"unauthorized","reason":"x"}' }],
    ["is not there", { status: 404, body: '{"error":"not_found","reason":"no_db_file"}' }],
    ["is misnamed", { status: 400, body: '{"error":"illegal_database_name","reason":"x"}' }],
    ["has too much to do", { status: 429 }],
    ["has a fault", { status: 500 }],
    ["is behind a proxy without it", { status: 503, body: "<h1>no</h1>", type: "text/html" }],
    ["breaks off", { status: 201, body: '[{"ok":true,"id":"guest/a","rev":"1-a"}]', how: "half" }],
    ["closes the connection", { how: "reset" }],
    ["does not answer in time", { how: "hanging" }],
    [
      "does not end its answer in time",
      { status: 201, body: '[{"ok":true,"id":"guest/a"}]', how: "stalled" },
    ],
    ["answers for no document", { status: 201, body: "[]" }],
    ["answers with something else", { status: 200, body: "<h1>Welcome</h1>", type: "text/html" }],
    ["cannot take it just now", { status: 201, body: '[{"id":"guest/a","error":"internal_server_error"}]' }],
  ];
  for (const [what, answer] of passing) {
    it(`${what} is sent again, and again, until it is stored`, async () => {
      if (what.includes("in time")) restartTime = stopTime(setting.couch);
      setting.couch.script = (_what, count, body) => (count < 3 ? answer : setting.take(body));
      await setting.store("a");
      await setting.settled();
      expect(setting.taken).to.deep.equal(new Set(["guest/a"]));
      expect(setting.couch.asked).to.have.length(4);
      expect(setting.stores.events.map(({ event }) => event)).to.deep.equal([
        "database-away",
        "database-back",
      ]);
      expect(setting.stores.activations.status().lastError).not.to.equal(undefined);
    });
  }

  it("stored it without saying so is not told twice of it", async () => {
    setting.couch.script = (_what, count, body) => {
      if (count > 0) return setting.take(body, { "guest/a": "conflict" });
      setting.take(body);
      return { how: "reset" };
    };
    await setting.store("a");
    await setting.settled();
    expect(setting.couch.asked).to.have.length(2);
    expect(setting.stores.activations.status()).to.include({ refused: 0, dropped: 0 });
  });

  for (const error of ["forbidden", "doc_validation"]) {
    it(`says ${error} is given up and told of, and its neighbours are stored`, async () => {
      let held: boolean = true;
      setting.couch.script = async (_what, _count, body) => {
        await within(patienceMs, () => !held || undefined);
        return setting.take(body, { "guest/bad": error });
      };
      for (const id of ["1", "2", "3", "4"]) await setting.store(id);
      await setting.store("5", "bad", "6");
      held = false;
      await setting.settled();
      expect(setting.taken).to.have.length(6);
      expect(setting.stores.activations.status()).to.include({ refused: 1, isDatabaseAway: false });
      const reason = `guest/bad: ${error}: said why`;
      expect(setting.stores.events).to.deep.equal([
        { event: "record-refused", id: "guest/bad", reason, refused: 1 },
      ]);
    });
  }

  for (const status of [400, 413]) {
    it(`answers ${status} for all that comes with it is found among hundreds, and the others are stored`, async () => {
      let held: boolean = true;
      setting.couch.script = async (_what, count, body) => {
        if (count < 4) await within(patienceMs, () => !held || undefined);
        return idsOf(body).includes("guest/bad")
          ? { status, body: '{"error":"e","reason":"r"}' }
          : setting.take(body);
      };
      for (const id of ["w", "x", "y", "z"]) await setting.store(id);
      const ids = Array.from({ length: 300 }, (_, i) => String(i));
      await setting.store(...ids.slice(0, 123), "bad", ...ids.slice(123));
      held = false;
      await setting.settled();
      expect(setting.taken).to.have.length(304);
      expect(setting.stores.activations.status().refused).to.equal(1);
      expect(setting.stores.events.map(({ event }) => event)).to.deep.equal(["record-refused"]);
      // Four alone, then one batch and two halves of it on each of nine levels at most.
      expect(setting.couch.asked.length).to.be.within(10, 4 + 1 + 2 * 9);
    });
  }

  it("is CouchDB gets each number as it was written, and no half of a surrogate pair", async () => {
    const result = parseExact(
      '{"a":1.0,"b":12345678901234567890,"c":1e400,"d":-0.10,"half":"\\ud800!","whole":"\\ud83d\\ude00","text":"\\\\ud800"}',
    );
    const response = { statusCode: 0, result, size: 7 } as const;
    await setting.stores.activations.store(recordOf("exact", { response }));
    await setting.settled();
    expect(setting.couch.asked[0]?.body).to.contain(
      '"result":{"a":1.0,"b":12345678901234567890,"c":1e400,"d":-0.10,"half":"\\ufffd!","whole":"😀","text":"\\\\ud800"}',
    );
  });

  it("is slow stores what is on disk alone while others are still under way", async () => {
    await setting.reopen({ recordMemoryBytes: 1 });
    let held: boolean = true;
    setting.couch.script = async (_what, count, body) => {
      // The first one for good, those beside it for a while.
      if (count < 4)
        await within(patienceMs, () => (!held && count > 0) || setting.taken.has("guest/9") || undefined);
      return setting.take(body);
    };
    for (let i = 0; i < 10; i++) {
      await setting.store(String(i));
      // As many requests as there may be at a time: of what comes then memory holds one.
      if (i < 4) await within(patienceMs, () => setting.couch.asked.length > i || undefined);
    }
    expect(setting.stores.activations.status().waiting).to.equal(5);
    held = false;
    await setting.settled();
    expect(setting.taken).to.have.length(10);
  });

  it("is away is asked by one request at a time", async () => {
    setting.couch.script = () => ({ status: 503 });
    await setting.store("first");
    await within(patienceMs, () => setting.stores.activations.status().isDatabaseAway || undefined);
    // Enough for three requests.
    await setting.store(...Array.from({ length: 1_200 }, (_, i) => String(i)));
    const before = setting.couch.asked.length;
    await within(patienceMs, () => setting.couch.asked.length >= before + 3 || undefined);
    expect(setting.couch.asked.map(({ body }) => idsOf(body)[0])).to.deep.equal(
      setting.couch.asked.map(() => "guest/first"),
    );
    expect(setting.stores.activations.status()).to.include({ waiting: 1_201, isDatabaseAway: true });
    expect(setting.stores.events.map(({ event }) => event)).to.deep.equal(["database-away"]);
    setting.couch.script = (_what, _count, body) => setting.take(body);
    await setting.settled();
    expect(setting.taken).to.have.length(1_201);
  });
});
