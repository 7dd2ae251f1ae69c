// The balancer over the bus of one machine, with mocks of invokers that speak the wire.

import { expect } from "chai";
import type { ActionDocument, ActivationMessage } from "../../invoker/index.ts";
import { Balancer } from "../../standalone/balancer/balancer.ts";
import { createBus } from "../../standalone/bus.ts";
import { ApiError } from "../../standalone/errors.ts";
import { activationMessage } from "../../standalone/invoke.ts";
import { type ControllerSettings, defaultSettings } from "../../standalone/settings.ts";
import type { AnyRecord } from "../../standalone/store/records.ts";
import { MockInvoker, recordOf } from "../mock-invoker.ts";
import { holdsWithin, within } from "../within.ts";

const patienceMs = 60_000;

const hello: ActionDocument = {
  ...{ _id: "guest/hello", _rev: "1-a", namespace: "guest", name: "hello", version: "0.0.1" },
  ...{ exec: { kind: "nodejs:20", code: ";" }, parameters: [], annotations: [] },
  limits: { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 },
  ...{ publish: false, updated: 0, entityType: "action" },
};

const guest = {
  ...{ subject: "guest", namespace: { name: "guest", uuid: "u" }, authkey: { api_key: "u:k" } },
  ...{ rights: [], limits: {} },
};

let ids = 0;

interface InvokeOptions {
  readonly action?: ActionDocument;
  readonly waits?: boolean;
  readonly waitMs?: number;
}

/** A controller's balancer: its notes, its clock, and the records that the database is taken to hold. */
class Controller {
  readonly balancer: Balancer;
  readonly settings: ControllerSettings;
  readonly notes: string[] = [];
  readonly faults: string[] = [];
  readonly stored = new Map<string, AnyRecord>();
  nowMs = 0;

  constructor(bus: ReturnType<typeof createBus>, settings: Partial<ControllerSettings> = {}) {
    this.settings = { ...defaultSettings(), ...settings };
    this.balancer = new Balancer({
      bus,
      settings: this.settings,
      records: { get: async (_namespace, id) => this.stored.get(id), expect: () => {} },
      note: (line) => this.notes.push(line),
      onFault: (what, error) => this.faults.push(`${what}: ${String(error)}`),
      nowMs: () => this.nowMs,
      random: () => 0,
    });
  }

  /** The message, and what comes of it. Nobody waits for the result when `waits` is false. */
  invoke({ action = hello, waits = true, waitMs: limitMs = patienceMs }: InvokeOptions = {}): {
    readonly message: ActivationMessage;
    readonly answered: Promise<AnyRecord | undefined>;
  } {
    const waitMs = waits ? limitMs : undefined;
    const message = activationMessage(
      {
        ...{ user: guest, transid: [`t${++ids}`, 1], payload: { n: ids }, waitMs, cause: undefined },
        action: { document: action, parameters: [], binding: undefined },
      },
      String(ids).padStart(32, "0"),
      this.settings.controller,
    );
    const text = JSON.stringify(message);
    return { message, answered: this.balancer.publish(message, text, { action, isBlackbox: false, waitMs }) };
  }

  state(instance = 0): string | undefined {
    return this.balancer.invokers[instance]?.state;
  }
}

describe("the balancer", () => {
  let bus: ReturnType<typeof createBus>;
  let controllers: Controller[];
  let invokers: MockInvoker[];
  beforeEach(() => {
    bus = createBus((topic, error) => expect.fail(`${topic}: ${String(error)}`));
    controllers = [];
    invokers = [];
  });
  afterEach(async () => {
    await Promise.all([
      ...controllers.map(({ balancer }) => balancer.close()),
      ...invokers.map((i) => i.close()),
    ]);
  });

  function controller(settings: Partial<ControllerSettings> = {}): Controller {
    const one = new Controller(bus, settings);
    controllers.push(one);
    return one;
  }

  function invoker(instance = 0, userMemoryMB = 512): MockInvoker {
    const one = new MockInvoker(bus, { instance, userMemoryMB });
    invokers.push(one);
    return one;
  }

  async function healthyPair(settings: Partial<ControllerSettings> = {}): Promise<[Controller, MockInvoker]> {
    const pair: [Controller, MockInvoker] = [controller(settings), invoker()];
    await pair[1].ping();
    await pair[0].balancer.healthy(1);
    return pair;
  }

  const holds = (claim: () => boolean) => holdsWithin(patienceMs, claim);

  it("finds an invoker by its ping, tests it, and trusts it after the first success", async () => {
    const one = controller();
    const mock = invoker();
    await mock.ping();
    await one.balancer.healthy(1);
    expect(one.notes).to.deep.equal(["invoker0/0 is unhealthy", "invoker0/0 is up"]);
    const [test, next] = await within(patienceMs, () => (mock.tests.length > 1 ? mock.tests : undefined));
    const uuid = test?.user.namespace.uuid;
    // The message of a real controller (OpenWhisk 1.0.0), but for what is random in it.
    expect(test).to.deep.equal({
      action: { name: "invokerHealthTestAction0", path: "whisk.system", version: "0.0.1" },
      activationId: test?.activationId,
      blocking: false,
      initArgs: [],
      lockedArgs: {},
      revision: null,
      rootControllerIndex: { asString: "0", instanceType: "controller" },
      transid: ["sid_invokerHealth", test?.transid[1]],
      user: {
        authkey: { api_key: test?.user.authkey.api_key },
        limits: {},
        namespace: { name: "whisk.system", uuid },
        rights: [],
        subject: "whisk.system",
      },
    });
    expect(test?.user.authkey.api_key).to.match(new RegExp(`^${uuid}:[A-Za-z0-9]{64}$`));
    expect(test?.activationId).to.match(/^[0-9a-f]{32}$/);
    expect(next?.transid).to.deep.equal(test?.transid);
    expect(next?.activationId).to.not.equal(test?.activationId);
  });

  it("does not count the ack of a health test of another life", async () => {
    const one = controller();
    const mock = invoker();
    mock.answersTests = "nothing";
    await mock.ping();
    const test = await within(patienceMs, () => mock.tests[0]);
    await mock.answer({ ...test, transid: [test.transid[0], test.transid[1] - 1] }, "combined");
    await mock.answer({ ...test, transid: [...test.transid, true] }, "combined");
    expect(await holds(() => one.notes.filter((line) => line.startsWith("late")).length === 2)).to.equal(
      true,
    );
    expect(one.state()).to.equal("unhealthy");
    await mock.answer(test, "combined");
    await one.balancer.healthy(1);
  });

  it("has nobody for an activation before, and says so as OpenWhisk does", async () => {
    const one = controller();
    const refusal = await one.invoke().answered.catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ApiError).with.property("status", 503);
    expect((refusal as Error).message).to.equal(
      "The server is currently unavailable (because it is overloaded or down for maintenance).",
    );
    expect(one.balancer.inFlight).to.equal(0);
  });

  for (const answers of ["result, completion", "completion, result", "combined"] as const) {
    it(`gives the caller the result and frees the slot: ${answers}`, async () => {
      const [one, mock] = await healthyPair();
      mock.answers = answers;
      const { message, answered } = one.invoke();
      expect([one.balancer.inFlight, one.balancer.inFlightOf("guest")]).to.deep.equal([1, 1]);
      expect(one.balancer.freeMB(0)).to.equal(256);
      expect(await answered).to.deep.equal(recordOf(message));
      await one.balancer.idle();
      expect([one.balancer.freeMB(0), one.balancer.inFlightOf("guest")]).to.deep.equal([512, 0]);
      expect(mock.messages).to.deep.equal([message]);
    });
  }

  it("answers at the result, and keeps the slot until the completion", async () => {
    const [one, mock] = await healthyPair();
    mock.answers = "result";
    const { message, answered } = one.invoke();
    await answered;
    expect(one.balancer.freeMB(0)).to.equal(256);
    await mock.answer(message, "result, completion");
    await one.balancer.idle();
    expect(one.balancer.freeMB(0)).to.equal(512);
  });

  it("gives who does not wait nothing but the slot, and who waits too long as little", async () => {
    const [one, mock] = await healthyPair();
    expect(await one.invoke({ waits: false }).answered).to.equal(undefined);
    const message = await within(patienceMs, () => mock.messages[0]);
    expect(message.blocking).to.equal(false);
    mock.answers = "nothing";
    expect(await one.invoke({ waitMs: 5 }).answered).to.equal(undefined);
  });

  it("looks into the database for a result that an ack does not carry, again when it is late", async () => {
    const [one, mock] = await healthyPair();
    mock.answers = "shrunk";
    const { message, answered } = one.invoke();
    await one.balancer.idle();
    one.stored.set(message.activationId, recordOf(message));
    expect(await answered).to.deep.equal(recordOf(message));
  });

  it("frees a slot whose completion is overdue, and only notes what comes later", async () => {
    const { timeoutMs } = defaultSettings();
    const [one, mock] = await healthyPair({
      timeoutMs: { ...timeoutMs, std: 5 },
      ...{ loadBalancerTimeoutFactor: 2, loadBalancerTimeoutAddonMs: 0 },
    });
    mock.answers = "nothing";
    const action = { ...hello, limits: { ...hello.limits, timeout: 10 } };
    const { message, answered } = one.invoke({ action });
    expect(await answered).to.equal(undefined);
    expect([one.balancer.inFlight, one.balancer.freeMB(0)]).to.deep.equal([0, 512]);
    // Then the invoker is tested, and comes back.
    await one.balancer.healthy(1);
    expect(one.notes.slice(-3)).to.deep.equal([
      `forced completion of ${message.activationId} (guest/hello@0.0.1) on invoker0`,
      "invoker0/0 is unresponsive",
      "invoker0/0 is up",
    ]);
    await mock.answer(message, "result, completion");
    expect(
      await holds(() =>
        one.notes.includes(`late: invoker0 completes ${message.activationId}, which has no slot (success)`),
      ),
    ).to.equal(true);
    expect(one.balancer.freeMB(0)).to.equal(512);
  });

  it("sends the work elsewhere after four system errors, tests the invoker, and comes back to it", async () => {
    const one = controller();
    const [mock, other] = [invoker(0), invoker(1)];
    await mock.ping();
    await other.ping();
    await one.balancer.healthy(2);
    // guest/hello is at home on the second of two invokers: 13198339 is odd.
    const invoke = async (): Promise<void> => {
      await one.invoke().answered;
      await one.balancer.idle();
    };
    for (let i = 0; i < 8; i++) {
      await invoke();
    }
    other.answers = "system-error";
    other.answersTests = "nothing";
    const states: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      await invoke();
      states.push(one.state(1));
    }
    expect(states).to.deep.equal(["up", "up", "up", "unhealthy"]);
    const before = other.messages.length;
    await one.invoke().answered;
    expect([mock.messages.length, other.messages.length]).to.deep.equal([1, before]);
    const test = await within(patienceMs, () => other.tests.at(-1));
    other.answersTests = "combined";
    await other.answer(test, "combined");
    await one.balancer.healthy(2);
  });

  it("takes an invoker that is silent for down, and one that disables itself at once", async () => {
    const [one, mock] = await healthyPair();
    const grows = (): boolean => {
      one.nowMs += 10_000;
      return one.state() === "down";
    };
    expect(await holds(grows)).to.equal(true);
    await mock.ping();
    await one.balancer.healthy(1);
    await mock.ping(false);
    expect(await holds(() => one.state() === "down")).to.equal(true);
    await mock.ping();
    await one.balancer.healthy(1);
  });

  it("fills gaps of ids with invokers that are down", async () => {
    const one = controller();
    const mock = invoker(2, 1024);
    await mock.ping();
    await one.balancer.healthy(1);
    expect(one.balancer.invokers.map(({ state }) => state)).to.deep.equal(["down", "down", "up"]);
    expect([0, 1, 2].map((instance) => one.balancer.freeMB(instance))).to.deep.equal([1024, 1024, 1024]);
    await invoker(0).ping();
    await one.balancer.healthy(2);
    expect(one.balancer.freeMB(0)).to.equal(1024);
  });

  it("shares invokers with other controllers: all hear the pings, each gets its own acks and its part of the memory", async () => {
    const both = [controller({ clusterSize: 2 }), controller({ controller: "1", clusterSize: 2 })];
    const mock = invoker();
    await mock.ping();
    await Promise.all(both.map(({ balancer }) => balancer.healthy(1)));
    for (const one of both) {
      const { message, answered } = one.invoke();
      expect(one.balancer.freeMB(0)).to.equal(0);
      expect(await answered).to.deep.equal(recordOf(message));
    }
    const roots = mock.messages.map((message) => message.rootControllerIndex.asString);
    expect(roots).to.deep.equal(["0", "1"]);
    expect(both.flatMap(({ faults }) => faults)).to.deep.equal([]);
    expect(both.flatMap(({ notes }) => notes).filter((line) => line.startsWith("late"))).to.deep.equal([]);
  });

  it("keeps to a prefix of topics", async () => {
    const one = controller({ topicPrefix: "dev-" });
    const mock = new MockInvoker(bus, { instance: 0, topicPrefix: "dev-" });
    invokers.push(mock);
    await mock.ping();
    await one.balancer.healthy(1);
    const { message, answered } = one.invoke();
    expect(await answered).to.deep.equal(recordOf(message));
  });

  it("drops acks and pings that controllers of OpenWhisk cannot read", async () => {
    const [one, mock] = await healthyPair();
    mock.answers = "nothing";
    const { message } = one.invoke();
    const { activationId, transid } = message;
    const { tags: _tags, ...untagged } = mock.instance;
    const { logs: _logs, ...logless } = recordOf(message);
    const unreadable: readonly (readonly [topic: string, value: unknown])[] = [
      ["completed0", "{"],
      ["completed0", []],
      ["completed0", { transid, activationId, isSystemError: false, instance: untagged }],
      ["completed0", { transid, response: logless, isSystemError: false, instance: mock.instance }],
      ["completed0", { activationId, instance: mock.instance }],
      ["completed0", { transid }],
      ["health", { name: untagged, isEnabled: true }],
      ["health", { instance: mock.instance }],
      ["health", { name: { ...mock.instance, instance: 1_000_000_000 }, isEnabled: true }],
      ["health", "?"],
    ];
    for (const [topic, value] of unreadable) {
      await bus.send(topic, typeof value === "string" ? value : JSON.stringify(value));
    }
    expect(await holds(() => one.faults.length === unreadable.length)).to.equal(true);
    expect([one.balancer.inFlight, one.state()]).to.deep.equal([1, "up"]);
  });

  it("frees the slot of a message that the bus does not take", async () => {
    const [one] = await healthyPair();
    const { send } = bus;
    bus.send = (topic, text) =>
      topic === "invoker0" ? Promise.reject(new Error("the broker is gone")) : send(topic, text);
    const failure = await one.invoke().answered.catch(String);
    bus.send = send;
    expect(failure).to.equal("Error: the broker is gone");
    expect([one.balancer.inFlight, one.balancer.freeMB(0)]).to.deep.equal([0, 512]);
  });

  it("lets nobody wait for a bus that is away longer than for the result, and frees the slot if it never takes it", async () => {
    const [one] = await healthyPair();
    const { send } = bus;
    let refuse = (): void => {};
    bus.send = (topic, text) =>
      topic === "invoker0"
        ? new Promise((_resolve, reject) => {
            refuse = () => reject(new Error("the broker is gone"));
          })
        : send(topic, text);
    expect(await one.invoke({ waitMs: 5 }).answered).to.equal(undefined);
    expect(one.balancer.freeMB(0)).to.equal(256);
    refuse();
    await one.balancer.idle();
    expect(one.balancer.freeMB(0)).to.equal(512);
    bus.send = send;
  });

  it("lets everybody go when it is closed", async () => {
    const [one, mock] = await healthyPair();
    mock.answers = "nothing";
    const { answered } = one.invoke();
    await one.balancer.close();
    expect(await answered).to.equal(undefined);
    expect(one.balancer.inFlight).to.equal(0);
  });
});
