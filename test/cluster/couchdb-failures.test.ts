// What the invoker makes of a database that answers badly, slowly, half, or not at all.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { findAction } from "../../invoker/action-lookup.ts";
import { defaultInvokerSettings } from "../../invoker/config/invoker-settings.ts";
import { DatabaseWatch } from "../../invoker/store/couchdb/watch.ts";
import { ActionFetchError } from "../../invoker/store/stores.ts";
import { untraced } from "../../invoker/tracing.ts";
import type { ActivationMessage } from "../../invoker/wire/messages.ts";
import { within } from "../within.ts";
import { databases, type OpenedStores, openStores, password, username } from "./couch.ts";
import { type Scripted, ScriptedCouch, stopTime } from "./scripted-couch.ts";

const document = JSON.stringify({
  ...{ _id: "guest/hello", _rev: "1-a", namespace: "guest", name: "hello", version: "0.0.1", publish: false },
  ...{ parameters: [], annotations: [], limits: { timeout: 60000, memory: 256, logs: 10, concurrency: 1 } },
  exec: { kind: "nodejs:20", code: { attachmentName: "codefile", attachmentType: "text/plain" } },
});

const patienceMs = 60_000;
const texts = {
  gone: { statusCode: 1, text: "Action could not be found or may have been deleted." },
  incompatible: { statusCode: 3, text: "Action version is not compatible and cannot be invoked." },
  failed: { statusCode: 3, text: "Action could not be fetched." },
} as const;

describe("an action whose database", () => {
  let folder: string;
  let couch: ScriptedCouch;
  let stores: OpenedStores;
  let restartTime: () => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-scripted-"));
    couch = await ScriptedCouch.start();
    stores = await openStores(couch.port, folder);
    restartTime = () => undefined;
  });
  afterEach(async () => {
    restartTime();
    await stores.close(0);
    await couch.stop();
    rmSync(folder, { recursive: true });
  });

  it("refuses its user is named with the others in the order of the settings, whichever answers first", async () => {
    const names = Object.values(databases);
    couch.script = async (what) => {
      if (what.includes(databases.subjects)) await sleep(100);
      return { status: 401, body: '{"error":"unauthorized","reason":"no"}' };
    };
    const [problem] = await stores.check();
    expect(problem).to.include({ code: "denied" }).and.have.deep.property("databases", names);
  });

  it("is watched: one that hangs, or answers badly, is not up until it answers as it should", async () => {
    const told: boolean[] = [];
    let ring: () => void = () => undefined;
    const watch = new DatabaseWatch({
      ...{ check: stores.check, isUp: true, onChange: (reason) => told.push(reason === undefined) },
      alarm: (_afterMs, itsRing) => {
        ring = itsRing;
        return () => {
          ring = () => undefined;
        };
      },
    });
    let goOn: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const body = '{"db_name":"any"}';
    couch.script = async () => {
      await answered;
      return { body };
    };
    ring();
    expect([watch.isUp, told], "it has time to answer").to.deep.equal([true, []]);
    ring();
    expect([watch.isUp, told], "but not for ever").to.deep.equal([false, [false]]);
    goOn();
    await within(patienceMs, () => watch.isUp || undefined);
    couch.script = () => json(500, "internal_server_error");
    ring();
    await within(patienceMs, () => !watch.isUp || undefined);
    couch.script = () => ({ body });
    ring();
    await within(patienceMs, () => watch.isUp || undefined);
    expect(told).to.deep.equal([false, true, false, true]);
    const asked = couch.asked.length;
    watch.close();
    ring();
    expect(couch.asked.length).to.equal(asked);
  });

  function scriptAnswer(script: ScriptedCouch["script"], { how }: Scripted): void {
    couch.script = script;
    if (how === "hanging" || how === "stalled") restartTime = stopTime(couch);
  }

  /** What the caller is told of an activation of guest/hello. */
  async function told(): Promise<{ readonly statusCode: number; readonly text: unknown }> {
    const settings = defaultInvokerSettings();
    const named = { action: { path: "guest", name: "hello" }, revision: "1-a", user: { limits: {} } };
    const message = named as unknown as ActivationMessage;
    const found = await findAction(message, {
      actions: stores.actions,
      kinds: new Set(["nodejs:20"]),
      settings,
      trace: untraced,
    });
    if (!("refused" in found)) throw new Error("the action was found");
    const { statusCode, result } = found.refused;
    return { statusCode, text: (result as { readonly error?: unknown }).error };
  }

  const json = (status: number, error: string): Scripted => ({
    status,
    body: JSON.stringify({ error, reason: `${error} for a reason` }),
  });
  const answers: readonly (readonly [string, Scripted, keyof typeof texts])[] = [
    ["does not have it", json(404, "not_found"), "gone"],
    ["wants another password", json(401, "unauthorized"), "failed"],
    ["does not let us read", json(403, "forbidden"), "failed"],
    ["does not understand", json(400, "bad_request"), "failed"],
    ["has it at another revision only", json(412, "precondition_failed"), "failed"],
    ["has too much to do", json(429, "too_many_requests"), "failed"],
    ["has a fault", json(500, "internal_server_error"), "failed"],
    [
      "is behind a proxy without it",
      { status: 502, body: "<h1>Bad gateway</h1>", type: "text/html" },
      "failed",
    ],
    ["cannot now", json(503, "service_unavailable"), "failed"],
    ["breaks off", { how: "half", body: document }, "failed"],
    ["closes the connection", { how: "reset" }, "failed"],
    ["never answers", { how: "hanging" }, "failed"],
    ["never ends its answer", { how: "stalled", body: document }, "failed"],
  ];
  for (const [what, answer, text] of answers) {
    it(`${what} is refused`, async () => {
      scriptAnswer(() => answer, answer);
      expect(await told()).to.deep.equal(texts[text]);
    });

    it(`${what} for its attachment is refused`, async () => {
      const script = (asked: string) => (asked.includes("/codefile?") ? answer : { body: document });
      scriptAnswer(script, answer);
      expect(await told()).to.deep.equal(texts[text]);
      expect(couch.asked[1]?.what).to.match(/guest%2Fhello\/codefile\?rev=1-a$/);
    });
  }

  const unusable: readonly (readonly [string, Scripted, keyof typeof texts])[] = [
    ["gives another thing", { body: '{"_id":"guest/hello","entityType":"rule"}' }, "incompatible"],
    ["gives a list", { body: "[]" }, "incompatible"],
    ["gives no JSON", { body: "{" }, "failed"],
    ["gives a page", { body: "<h1>Welcome</h1>", type: "text/html" }, "failed"],
    ["gives nothing", { body: "" }, "failed"],
    ["gives half a page", { body: "<h1>Welcome</h1>", type: "text/html", how: "half" }, "failed"],
    [
      "gives half of something",
      { body: "whatever", type: "application/octet-stream", how: "half" },
      "failed",
    ],
  ];
  for (const [what, answer, text] of unusable) {
    it(`${what} is refused`, async () => {
      couch.script = () => answer;
      expect(await told()).to.deep.equal(texts[text]);
    });
  }

  it("closes the connection twice is asked a third time", async () => {
    const code = { body: "code", type: "text/plain" };
    couch.script = (asked, count) =>
      count === 0 || count === 1 || count === 3
        ? { how: count === 1 ? "half" : "reset", body: document }
        : asked.includes("/codefile?")
          ? code
          : { body: document };
    const action = await stores.actions.fetch("guest/hello", "1-a");
    expect(action.code?.toString()).to.equal("code");
    expect(couch.asked).to.have.length(5);
  });

  it("has it at another revision only is asked for that", async () => {
    couch.script = (asked, count) =>
      count === 0
        ? json(412, "precondition_failed")
        : { body: asked.includes("/codefile?") ? "code" : document };
    const action = await stores.actions.fetch("guest/hello", "1-z");
    expect(action.document._rev).to.equal("1-a");
    expect(couch.asked.map(({ headers }) => headers["if-match"])).to.deep.equal([
      '"1-z"',
      undefined,
      undefined,
    ]);
  });

  it("never answers is not asked again: nobody has so much time", async () => {
    couch.script = () => ({ how: "hanging" });
    await stores.close(0);
    stores = await openStores(couch.port, folder, { requestTimeoutMs: 1000 });
    await told();
    expect(couch.asked).to.have.length(1);
  });

  it("has a fault is not asked again by the same activation, but by the next", async () => {
    couch.script = () => json(500, "internal_server_error");
    for (const requests of [1, 2]) {
      await told();
      expect(couch.asked).to.have.length(requests);
    }
  });

  it("is named in the error, with what it said, but not the password", async () => {
    couch.script = () => json(500, "internal_server_error");
    const error: unknown = await stores.actions
      .fetch("guest/hello", "1-a")
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof ActionFetchError)) throw new Error("no ActionFetchError");
    expect(error.message)
      .to.contain(`127.0.0.1:${couch.port}`)
      .and.contain("500 internal_server_error: internal_server_error for a reason");
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      const whole = JSON.stringify({ ...cause, message: cause.message, stack: cause.stack });
      expect(whole).not.to.contain(couch.asked[0]?.headers.authorization).and.not.to.contain("a:b@c/");
    }
  });

  it("is asked with name and password each time, and for JSON where it is no attachment", async () => {
    couch.script = (asked) => (asked.includes("/codefile?") ? { body: "code" } : { body: document });
    await stores.actions.fetch("guest/hello", "1-a");
    await stores.blockedNamespaces.read();
    const credentials = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    expect(couch.asked.map(({ headers }) => headers.authorization)).to.deep.equal(Array(3).fill(credentials));
    const accepted = couch.asked.map(({ headers }) => headers.accept);
    expect(accepted).to.deep.equal(["application/json", undefined, "application/json"]);
  });
});

describe("at the start, the databases", () => {
  let folder: string;
  let couch: ScriptedCouch;
  let stores: OpenedStores;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-scripted-"));
    couch = await ScriptedCouch.start();
    stores = await openStores(couch.port, folder);
  });
  after(async () => {
    await stores.close(0);
    await couch.stop();
    rmSync(folder, { recursive: true });
  });

  it("are fine where they answer", async () => {
    couch.script = () => ({});
    expect(await stores.check()).to.deep.equal([]);
  });

  it("that refuse, are missing or fail are told apart, with a remedy for each", async () => {
    couch.script = (asked) =>
      asked.endsWith("subjects")
        ? { status: 403 }
        : asked.endsWith("whisks")
          ? { status: 404 }
          : { how: "reset" };
    const found = await stores.check();
    const place = `http://127.0.0.1:${couch.port}`;
    expect(found.map(({ code, message }) => [code, message.replace(/ \(.*\)$/, "")])).to.have.deep.members([
      [
        "denied",
        `The user whisk_admin may not read whisk_local_subjects at ${place}. Correct whisk.couchdb.username and whisk.couchdb.password, or let that user read there.`,
      ],
      [
        "missing",
        `There is no database whisk_local_whisks at ${place}. Create it, or correct whisk.couchdb.databases.`,
      ],
      [
        "unreachable",
        `The database cannot be reached: whisk_local_activations at ${place}. Start it, or correct whisk.couchdb.protocol, host and port.`,
      ],
    ]);
  });
});
