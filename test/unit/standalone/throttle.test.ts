// How much a namespace may ask for, and what operators' tools are told of it.

import { expect } from "chai";
import type { Identity } from "../../../invoker/index.ts";
import { ApiError } from "../../../standalone/errors.ts";
import { Throttle } from "../../../standalone/throttle.ts";
import { type Answer, startTestServer, type TestServer } from "./server.ts";

const minuteMs = 60_000;

function userWith(limits: Identity["limits"], name = "guest"): Identity {
  return { subject: name, namespace: { name, uuid: `uuid of ${name}` }, authkey: {}, rights: [], limits };
}

/** A throttle whose clock and load a test sets, and all that it told. */
function throttleWith(settings: { concurrentInvocations?: number; clusterSize?: number } = {}) {
  const state = { nowMs: 5 * minuteMs, inFlight: 0 };
  const told: unknown[] = [];
  const throttle = new Throttle({
    settings: { concurrentInvocations: 3, clusterSize: 1, ...settings },
    inFlightOf: () => state.inFlight,
    events: { metric: (user, name, value) => told.push([user.namespace.name, name, value]) },
    nowMs: () => state.nowMs,
  });
  const refusal = (ask: (throttle: Throttle) => void): string | undefined => {
    try {
      ask(throttle);
      return undefined;
    } catch (error) {
      return error instanceof ApiError ? `${error.status} ${error.message}` : String(error);
    }
  };
  return { state, told, refusal };
}

describe("the throttle", () => {
  it("lets a namespace have so many activations under way, and tells of each new one how many there are", () => {
    const { state, told, refusal } = throttleWith();
    const invoke = (limits: Identity["limits"] = {}) => refusal((one) => one.invocation(userWith(limits)));
    expect(invoke()).to.equal(undefined);
    state.inFlight = 2;
    expect(invoke()).to.equal(undefined);
    state.inFlight = 3;
    const text = "429 Too many concurrent requests in flight (count: 3, allowed: 3).";
    expect(invoke()).to.equal(text);
    expect(invoke({ concurrentInvocations: 4 })).to.equal(undefined);
    state.inFlight = 0;
    expect(invoke({ concurrentInvocations: 0 })).to.equal(
      "429 Too many concurrent requests in flight (count: 0, allowed: 0).",
    );
    expect(told).to.deep.equal([
      ["guest", "ConcurrentInvocations", 1],
      ["guest", "ConcurrentInvocations", 3],
      ["guest", "ConcurrentRateLimit", 1],
      ["guest", "ConcurrentInvocations", 4],
      ["guest", "ConcurrentRateLimit", 1],
    ]);
  });

  it("counts the requests of a minute where a namespace has such a limit, invocations and fires apart", () => {
    const { state, told, refusal } = throttleWith();
    const user = userWith({ invocationsPerMinute: 2, firesPerMinute: 1 });
    const invoke = (who = user) => refusal((one) => one.invocation(who));
    const fire = () => refusal((one) => one.fire(user));
    expect([invoke(), fire(), invoke()]).to.deep.equal([undefined, undefined, undefined]);
    told.length = 0;
    expect(invoke()).to.equal("429 Too many requests in the last minute (count: 3, allowed: 2).");
    expect(fire()).to.equal("429 Too many requests in the last minute (count: 2, allowed: 1).");
    expect(told).to.deep.equal([
      ["guest", "TimedRateLimit", 1],
      ["guest", "TimedRateLimit", 1],
    ]);
    expect(invoke(userWith({ invocationsPerMinute: 2 }, "other"))).to.equal(undefined);
    expect(invoke(userWith({}))).to.equal(undefined);
    state.nowMs += minuteMs - 1;
    expect(invoke()).to.match(/count: 4/);
    state.nowMs += 1;
    expect(invoke()).to.equal(undefined);
    expect(invoke(userWith({ invocationsPerMinute: 0 }, "none"))).to.match(/\(count: 1, allowed: 0\)/);
  });

  it("shares limits with the other controllers, with a fifth to spare, and never below one", () => {
    const { state, refusal } = throttleWith({ concurrentInvocations: 10, clusterSize: 4 });
    const allowed = (limits: Identity["limits"] = {}) =>
      refusal((one) => one.invocation(userWith(limits)))?.match(/allowed: (\d+)/)?.[1];
    state.inFlight = 100;
    expect(allowed()).to.equal("3");
    expect(allowed({ concurrentInvocations: 1 })).to.equal("1");
    expect(allowed({ concurrentInvocations: 0 })).to.equal("0");
  });
});

const base = "/api/v1/namespaces/_";
const exec = { kind: "nodejs:20", code: ";" };

/** What was sent to the topic. */
function eventsOf(server: TestServer, topic: string): unknown[] {
  const events: unknown[] = [];
  server.bus.subscribe(topic, (text) => void events.push(JSON.parse(text)));
  return events;
}

describe("the user events of a controller", () => {
  let server: TestServer;
  let events: unknown[];
  before(async () => {
    server = await startTestServer({
      settings: { userEvents: { topicPrefix: "own" }, concurrentInvocations: 1, controller: "0" },
    });
    events = eventsOf(server, "ownevents");
    await server.send("PUT", `${base}/actions/one`, { exec });
    const components = ["/_/one", "/_/one"];
    await server.send("PUT", `${base}/actions/two`, { exec: { kind: "sequence", components } });
    const annotations = [
      { key: "conductor", value: true },
      { key: "web-export", value: true },
    ];
    await server.send("PUT", `${base}/actions/conductor`, { exec, annotations });
    await server.send("PUT", `${base}/triggers/tick`, {});
    await server.send("PUT", `${base}/rules/rule`, { trigger: "/_/tick", action: "/_/one" });
  });
  after(async () => {
    await server.stop();
  });
  beforeEach(() => events.splice(0));
  const invoke = async (name: string, content: object = {}): Promise<Answer> => {
    const answer = await server.send("POST", `${base}/actions/${name}?blocking=true`, content);
    await server.services.invocations.idle();
    return answer;
  };
  const guest = () => {
    const { namespace, subject } = server.services.subjects.owner("guest") as Identity;
    return { source: "controller0", subject, namespace: namespace.name, userId: namespace.uuid };
  };
  const bodies = () => events.map((event) => (event as { body: Record<string, unknown> }).body);

  it("tell how many activations are under way with a new one", async () => {
    await invoke("one");
    const [{ timestamp }] = events as [{ timestamp: number }];
    expect(timestamp).to.be.closeTo(Date.now(), 5_000);
    const body = { metricName: "ConcurrentInvocations", metricValue: 1 };
    expect(events).to.deep.equal([{ ...guest(), body, eventType: "Metric", timestamp }]);
  });

  it("tell of sequences as of activations, once for all that runs in them", async () => {
    const { body } = await invoke("two");
    const [, event] = events as [unknown, { body: object; timestamp: number }];
    expect(bodies()[0]).to.deep.equal({ metricName: "ConcurrentInvocations", metricValue: 1 });
    const waitTime = body.annotations.find(({ key }: { key: string }) => key === "waitTime").value;
    expect(events.slice(1)).to.deep.equal([
      {
        ...guest(),
        body: {
          ...{ name: "guest/two", activationId: body.activationId, statusCode: 0, duration: 10 },
          ...{ waitTime, initTime: 0, kind: "sequence", conductor: false, memory: 256, size: 2 },
        },
        ...{ eventType: "Activation", timestamp: event.timestamp },
      },
    ]);
  });

  it("tell of compositions, and of their cause where they have one", async () => {
    await invoke("conductor", { action: "conductor", params: { statusCode: 404 } });
    const [, inner, outer] = bodies();
    expect(inner).to.include({
      conductor: true,
      kind: "sequence",
      causedBy: "sequence",
      userDefinedStatusCode: 404,
    });
    expect(outer).to.include({ conductor: true, name: "guest/conductor", duration: 15 });
    expect(outer).to.not.have.any.keys("causedBy", "size");
  });

  it("tell of who is refused, whichever way the action was to be invoked", async () => {
    const finish: (() => void)[] = [];
    server.behave(async () => {
      await new Promise<void>((resolve) => finish.push(resolve));
      return { response: { statusCode: 0, result: {} } };
    });
    await server.send("POST", `${base}/actions/one`, {});
    events.splice(0);
    const { status, body } = await server.send("POST", `${base}/actions/one`, {});
    expect([status, body.error]).to.deep.equal([
      429,
      "Too many concurrent requests in flight (count: 1, allowed: 1).",
    ]);
    expect((await server.send("POST", `${base}/actions/missing`, {})).status).to.equal(429);
    expect((await server.send("GET", "/api/v1/web/guest/default/conductor")).status).to.equal(429);
    const fired = await server.send("POST", `${base}/triggers/tick`, {});
    const { logs } = await server.found(`${base}/activations/${fired.body.activationId}`);
    expect(JSON.parse(logs[0])).to.include({ success: false, error: body.error });
    expect(bodies()).to.deep.equal(
      Array.from({ length: 4 }, () => ({ metricName: "ConcurrentRateLimit", metricValue: 1 })),
    );
    for (const end of finish) end();
    await server.services.invocations.idle();
  });

  it("are none where they are not switched on", async () => {
    const quiet = await startTestServer();
    const heard = eventsOf(quiet, "events");
    await quiet.send("PUT", `${base}/actions/one`, { exec });
    expect((await quiet.send("POST", `${base}/actions/one?blocking=true`, {})).status).to.equal(200);
    expect(heard).to.deep.equal([]);
    await quiet.stop();
  });
});
