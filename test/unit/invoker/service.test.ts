// A whole invoker on a bus in memory, its containers scripted: start, work, admin pages, drain.

import { expect } from "chai";
import type { Bus, Subscription } from "../../../invoker/bus/bus.ts";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { type AdminSettings, serveAdmin } from "../../../invoker/http.ts";
import { Observer } from "../../../invoker/observe.ts";
import { type Invoker, type InvokerParts, startInvoker } from "../../../invoker/service.ts";
import type { ActivationDocument } from "../../../invoker/wire/documents.ts";
import type { AckMessage } from "../../../invoker/wire/messages.ts";
import type { ImageFactory } from "../../../pool/machine.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "../pool/fake-machine.ts";
import { messageFields, storedAction } from "./orders.ts";

const adminSettings: AdminSettings = {
  ...{ host: "127.0.0.1", port: 0, username: "operator", password: "secret" },
  ...{ transactionHeader: "X-Request-ID", showsMetrics: true, tls: undefined },
};

/** For what runs: as long as it takes, on a busy machine too. */
const graceMs = 60_000;

/** Hands messages of `invoker0` over as they come, and keeps what is sent elsewhere. */
class DirectBus implements Bus {
  readonly acks: AckMessage[] = [];
  #handle: ((message: string) => Promise<void> | void) | undefined;

  async send(topic: string, message: string): Promise<void> {
    if (topic === "invoker0") await this.#handle?.(message);
    else this.acks.push(JSON.parse(message) as AckMessage);
  }

  subscribe(_topic: string, handle: (message: string) => Promise<void> | void): Subscription {
    this.#handle = handle;
    return {
      stop: () => {
        this.#handle = undefined;
        return Promise.resolve();
      },
    };
  }
}

describe("an invoker", () => {
  const invokers: Invoker[] = [];
  afterEach(async () => {
    for (const invoker of invokers.splice(0)) await invoker.drain(0);
  });

  async function started(
    parts: Partial<InvokerParts> = {},
    machine: FakeMachine = new FakeMachine(),
  ): Promise<{ bus: DirectBus; machine: FakeMachine; invoker: Invoker; lines: string[] }> {
    const bus = new DirectBus();
    const lines: string[] = [];
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const invoker = await startInvoker({
      bus,
      actions: { fetch: () => Promise.resolve(storedAction()) },
      activations: { store: () => Promise.resolve() },
      factory: machine.factory,
      probe: {
        ...{ rung: undefined, obstacles: [] },
        rungs: [{ rung: "copy-all", proven: false, why: "a test", rewindUs: 0 }],
      },
      settings: {
        ...defaultInvokerSettings(),
        pool: { ...defaultInvokerSettings().pool, userMemoryMB: 1024, stemCells },
      },
      logStream: { write: (line: string) => void lines.push(line) },
      ...parts,
    });
    invokers.push(invoker);
    if (parts.healthBus === undefined) await invoker.ready;
    return { bus, machine, invoker, lines };
  }
  const order = JSON.stringify(messageFields({}));
  const slots = (bus: DirectBus): number => bus.acks.filter(({ instance }) => instance !== undefined).length;

  it("runs what comes over its topic, and drains in order", async () => {
    const { bus, machine, invoker } = await started();
    await bus.send("invoker0", order);
    await bus.send("invoker0", order);
    await invoker.drain(graceMs);
    expect(slots(bus)).to.equal(2);
    expect(machine.living).to.deep.equal([]);
    expect(invoker.status().phase).to.equal("drained");
  });

  it("takes no more while containers are being made than are made at a time", async () => {
    const settings = defaultInvokerSettings();
    const pool = { ...settings.pool, userMemoryMB: 4096, parallelStarts: 2 };
    const machine = new FakeMachine();
    const { bus, invoker } = await started({ settings: { ...settings, pool } }, machine);
    const release = machine.hold();
    const sendAll = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await bus.send("invoker0", order);
    };
    const sent = sendAll();
    expect(await holdsWithin(60_000, () => invoker.status().pool.waiting === 2)).to.equal(true);
    expect(invoker.status().underWay).to.equal(2);
    release();
    await sent;
    expect(await holdsWithin(60_000, () => slots(bus) === 20)).to.equal(true);
  });

  it("takes what can run although as much as may waits for containers of another kind", async () => {
    const settings = defaultInvokerSettings();
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const pool = { ...settings.pool, userMemoryMB: 1024, parallelStarts: 2, stemCells };
    const machine = new FakeMachine();
    machine.createDelayMs = 50;
    const { bus, invoker } = await started({
      ...{ factory: machine.factory, settings: { ...settings, pool } },
      actions: {
        fetch: (id) => {
          const kind = id === "guest/other" ? "python:3" : "nodejs:20";
          return Promise.resolve(storedAction({ exec: { kind, code: "" } }));
        },
      },
      healthBus: { send: () => Promise.resolve() },
    });
    await new Promise(setImmediate);
    const release = machine.hold();
    const other = { path: "guest", name: "other", version: "0.0.1" };
    for (const fields of [{ action: other }, { action: other }]) {
      await bus.send("invoker0", JSON.stringify(messageFields(fields)));
    }
    const taken = bus.send("invoker0", order);
    expect(await holdsWithin(60_000, () => slots(bus) > 0)).to.equal(true);
    release();
    await Promise.all([taken, invoker.ready]);
  });

  it("answers what runs beyond the grace time, then removes everything", async () => {
    const documents: ActivationDocument[] = [];
    const store = (document: ActivationDocument): Promise<void> =>
      Promise.resolve(void documents.push(document));
    const { bus, machine, invoker, lines } = await started({ activations: { store } });
    machine.behave = () => undefined;
    await bus.send("invoker0", order);
    const isRunning = (): boolean =>
      invoker.status().pool.containers.some(({ state }) => state === "running");
    expect(await holdsWithin(60_000, isRunning)).to.equal(true);
    await Promise.all([invoker.drain(50), invoker.drain(50)]);
    expect(slots(bus)).to.equal(1);
    const completion = bus.acks.find(({ instance }) => instance !== undefined);
    expect(completion?.isSystemError, "nobody's fault but the system's").to.equal(true);
    expect(documents.map(({ response }) => response)).to.deep.equal([
      {
        statusCode: 3,
        result: { error: "The action did not produce a valid response and exited unexpectedly." },
      },
    ]);
    expect(machine.living).to.deep.equal([]);
    expect(lines.some((line) => /"event":"invoker-drained".*"underWay":1/.test(line))).to.equal(true);
  });

  it("does not wait for ever for Docker when it drains", async () => {
    let giveUp: () => void = () => undefined;
    const docker: ImageFactory = {
      ...{ isThere: true, isSilent: false, follow: () => undefined },
      parallelStarts: 1,
      create: () => Promise.reject(new Error("none is asked for")),
      removeLeftovers: () => Promise.resolve(),
      giveUp: () => giveUp(),
      close: () =>
        new Promise((_, reject) => {
          giveUp = () => reject(new Error("it hangs"));
        }),
    };
    const { invoker, lines } = await started({ docker, dockerPatienceMs: 1 });
    await invoker.drain(0);
    expect(lines.some((line) => /"event":"docker-failed".*it hangs/.test(line))).to.equal(true);
  });

  it("says that nothing can be rewound where no rung proved itself", async () => {
    const { lines, invoker } = await started();
    expect(
      lines.some((line) => line.includes('"event":"invoker-started"') && line.includes('"rung":"none"')),
    ).to.equal(true);
    expect(await invoker.metrics()).to.contain('rewhisk_rung_proven{rung="copy-all"} 0');
  });

  it("shows how it is doing over HTTP", async () => {
    const { bus, invoker } = await started();
    const admin = await serveAdmin(invoker, adminSettings);
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${admin.port}${path}`);
      return [response.status, await response.text()];
    };
    await bus.send("invoker0", order);
    expect(await get("/ping")).to.deep.equal([200, "pong"]);
    expect((await get("/ready"))[0]).to.equal(200);
    await invoker.drain(graceMs);
    const [status, body] = await get("/ready");
    expect([status, JSON.parse(body)]).to.deep.equal([
      503,
      {
        ...{ phase: "drained", notReady: ["pool"], underWay: 0, done: 1, waiting: 0 },
        ...{ memoryMB: 1024, reservedMB: 0 },
      },
    ]);
    const [, metrics] = await get("/metrics");
    expect(metrics).to.contain('rewhisk_activations_total{status="0"} 1');
    expect(metrics).to.contain('rewhisk_starts_total{start="clean",place="clean",libraries="no"} 1');
    expect(metrics).to.contain('rewhisk_acks_total{shape="completion",result="sent"} 1');
    expect(metrics).to.contain('rewhisk_tainted_total{reason="channel"} 0');
    expect(metrics).to.contain('rewhisk_containers{state="running"} 0');
    await admin.close();
  });

  /** Keeps what is sent over it. */
  class HealthBus {
    readonly pings: { readonly topic: string; readonly isEnabled: boolean }[] = [];
    fault: Error | undefined;
    send(topic: string, ping: string): Promise<void> {
      this.pings.push({ topic, isEnabled: (JSON.parse(ping) as { isEnabled: boolean }).isEnabled });
      return this.fault === undefined ? Promise.resolve() : Promise.reject(this.fault);
    }
  }
  const up = { topic: "health", isEnabled: true };
  const down = { topic: "health", isEnabled: false };

  it("tells controllers that it is there before its first container is", async () => {
    const machine = new FakeMachine();
    const release = machine.hold();
    const healthBus = new HealthBus();
    const { invoker } = await started({ healthBus }, machine);
    expect(healthBus.pings).to.deep.equal([up]);
    expect(invoker.status()).to.deep.include({ phase: "starting", notReady: ["pool"] });
    release();
  });

  it("tells controllers before it drains that no work is wanted, and cannot be enabled then", async () => {
    const healthBus = new HealthBus();
    const { invoker, lines } = await started({ healthBus });
    expect([invoker.disable(), invoker.enable(), invoker.isEnabled]).to.deep.equal([true, true, true]);
    expect(await holdsWithin(60_000, () => healthBus.pings.length === 3)).to.equal(true);
    await invoker.drain(graceMs);
    expect(healthBus.pings).to.deep.equal([up, down, up, down]);
    expect(invoker.enable()).to.equal(false);
    const switched = lines.filter((line) => /"event":"invoker-(en|dis)abled"/.test(line));
    expect(switched.length).to.equal(3);
  });

  it("drains although neither the bus nor the database ever answers", async function () {
    this.timeout(120_000);
    const never = (): Promise<void> => new Promise(() => undefined);
    const bus = new DirectBus();
    const { invoker, machine } = await started({
      bus: { send: never, subscribe: (topic, handle) => bus.subscribe(topic, handle) },
      activations: { store: never },
    });
    void bus.send("invoker0", order);
    expect(await holdsWithin(60_000, () => invoker.status().underWay === 1)).to.equal(true);
    await invoker.drain(20);
    expect([invoker.status().phase, machine.living]).to.deep.equal(["drained", []]);
  });

  it("leaves its topic alone while the bus takes no acks, however free its containers are, and goes on when it does", async function () {
    this.timeout(120_000);
    const bus = new DirectBus();
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const { invoker } = await started({
      bus: {
        send: (topic, ack) => taken.then(() => bus.send(topic, ack)),
        subscribe: (topic, handle) => bus.subscribe(topic, handle),
      },
      healthBus: new HealthBus(),
    });
    await invoker.ready;
    const all = 50;
    const long = JSON.stringify(messageFields({ content: { filling: "x".repeat(1_000_000) } }));
    let read = 0;
    const sendAll = async (): Promise<void> => {
      for (; read < all; read++) await bus.send("invoker0", long);
    };
    const sent = sendAll();
    const isHeldBack = (): boolean => invoker.status().notReady.includes("bus");
    expect(await holdsWithin(60_000, () => read === all || isHeldBack())).to.equal(true);
    const { underWay, done } = invoker.status();
    expect([underWay, done]).to.deep.equal([read + 1, 0]);
    expect(underWay).to.be.within(20, 40);
    take();
    await sent;
    expect(await holdsWithin(60_000, () => slots(bus) === all)).to.equal(true);
    expect(invoker.status().notReady).to.deep.equal([]);
  });

  it("starts although something of a former life cannot be removed, and says so", async () => {
    const machine = new FakeMachine();
    machine.factory.removeLeftovers = () => Promise.reject(new Error("cgroup /x still holds processes"));
    const { bus, invoker, lines } = await started({}, machine);
    await bus.send("invoker0", order);
    await invoker.drain(graceMs);
    expect(slots(bus)).to.equal(1);
    expect(lines.filter((line) => line.includes('"event":"containers-left"'))).to.have.length(1);
  });

  it("drains to its end although something of a container is left", async () => {
    const machine = new FakeMachine();
    machine.factory.close = () => Promise.reject(new Error("cgroup /x still holds processes"));
    const { invoker, lines } = await started({}, machine);
    await invoker.drain(20);
    expect(invoker.status().phase).to.equal("drained");
    expect(lines.filter((line) => line.includes('"event":"containers-left"'))).to.have.length(1);
  });

  it("drains although the bus takes no pings", async () => {
    const healthBus = new HealthBus();
    healthBus.fault = new Error("the broker is gone");
    const { invoker, lines } = await started({ healthBus });
    await invoker.drain(20);
    expect(invoker.status().phase).to.equal("drained");
    expect(lines.filter((line) => line.includes('"event":"ping-failed"')).length).to.equal(1);
  });

  it("says which of bus, topic and database keeps it from serving", async () => {
    const healthBus = new HealthBus();
    healthBus.fault = new Error("the broker is gone");
    let [isReading, isUp] = [false, false];
    const subscription = {
      get isReading() {
        return isReading;
      },
      stop: () => Promise.resolve(),
    };
    const { invoker } = await started({
      bus: { send: () => Promise.resolve(), subscribe: () => subscription },
      ...{ healthBus, isDatabaseUp: () => isUp },
    });
    await invoker.ready;
    expect(invoker.status().notReady).to.deep.equal(["bus", "topic", "database"]);
    isUp = true;
    expect(invoker.status().notReady).to.deep.equal(["bus", "topic"]);
    isReading = true;
    expect(invoker.status().notReady).to.deep.equal(["bus"]);
  });

  it("is ready once it has served one, whatever is still being started", async () => {
    const settings = defaultInvokerSettings();
    const image = { name: "images/php:1", pull: false, sentinelled: false };
    const stemCells = [...settings.pool.stemCells, { kind: "php:8", memoryMB: 128, count: 1, image }];
    let giveUp: () => void = () => undefined;
    const docker: ImageFactory = {
      ...{ isThere: true, isSilent: false, follow: () => undefined, parallelStarts: 2 },
      create: () =>
        new Promise((_, reject) => {
          giveUp = () => reject(new Error("it hangs"));
        }),
      removeLeftovers: () => Promise.resolve(),
      giveUp: () => giveUp(),
      close: () => Promise.resolve(),
    };
    const { bus, invoker } = await started({
      ...{ docker, dockerPatienceMs: 1, healthBus: new HealthBus() },
      settings: { ...settings, pool: { ...settings.pool, stemCells } },
    });
    expect(invoker.status()).to.deep.include({ phase: "starting", notReady: ["pool"] });
    await bus.send("invoker0", order);
    expect(await holdsWithin(60_000, () => invoker.status().done === 1)).to.equal(true);
    expect(invoker.status()).to.deep.include({ phase: "ready", notReady: [] });
    await invoker.drain(graceMs);
    expect(invoker.status().notReady).to.include("pool");
  });

  it("tells the time as the machine's clock is set, and measures by one that never jumps", async () => {
    const atStartMs = Date.now;
    const hourMs = 3_600_000;
    const records: ActivationDocument[] = [];
    const { bus, machine, invoker } = await started({
      activations: { store: (document) => Promise.resolve(void records.push(document)) },
    });
    const deadlines: number[] = [];
    machine.behave = (request, runtime) => {
      const text = /"(?:__OW_DEADLINE|deadline)":"(\d+)"/.exec(request.payload.toString())?.[1];
      deadlines.push(Number(text));
      runtime.print("hello\n");
      Date.now = () => atStartMs() - hourMs;
      runtime.answer(request, 200, "{}");
    };
    try {
      Date.now = () => atStartMs() + hourMs;
      await bus.send("invoker0", order);
      await invoker.drain(graceMs);
    } finally {
      Date.now = atStartMs;
    }
    const [init = 0, run = 0] = deadlines.map((deadlineMs) => (deadlineMs - atStartMs() - 60_000) / hourMs);
    expect(init, "an hour ahead when it began").to.be.closeTo(1, 0.5);
    expect(run, "an hour behind after its init").to.be.closeTo(-1, 0.5);
    const [{ start = 0, end = 0, duration = -1, updated = 0, logs = [] } = {}] = records;
    for (const told of [start, end, updated, Date.parse(logs[0]?.slice(0, 27) ?? "")]) {
      expect((told - atStartMs()) / hourMs, String(told)).to.be.closeTo(-1, 0.5);
    }
    expect(duration).to.be.within(0, hourMs / 2);
  });

  it("times the reading of logs by the clock that never jumps", async () => {
    const atStartMs = Date.now;
    const observer = new Observer("silent");
    const begun = observer.begun.bind(observer);
    observer.begun = (phase) => {
      begun(phase);
      // Once the time of the beginning has been taken.
      if (phase === "collectLogs") queueMicrotask(() => (Date.now = () => atStartMs() - 3_600_000));
    };
    const { bus, invoker } = await started({ observer });
    try {
      await bus.send("invoker0", order);
      await invoker.drain(graceMs);
    } finally {
      Date.now = atStartMs;
    }
    const [, sum] = /^\w*collectLogs_finish\w*_sum (\S+)$/m.exec(await invoker.metrics()) ?? [];
    expect(Number(sum)).to.be.within(0, 60);
  });

  it("shares its observer with the parts that it is given", async () => {
    const lines: string[] = [];
    const observer = new Observer("info", { write: (line: string) => void lines.push(line) });
    const { invoker } = await started({ observer });
    observer.noted("warn", { event: "database-away", reason: "503" }, "records are kept");
    expect(JSON.parse(lines.at(-1) ?? "{}")).to.include({
      ...{ level: 40, event: "database-away", transid: "sid_invoker", reason: "503" },
    });
    expect(lines.some((line) => line.includes('"event":"invoker-started"'))).to.equal(true);
    expect(await invoker.metrics()).to.equal(await observer.metrics.registry.metrics());
  });

  it("is named as stock names it", async () => {
    const settings = { ...defaultInvokerSettings(), instance: 2, uniqueName: "u", displayedName: "d" };
    const { invoker } = await started({ settings });
    expect(invoker.name).to.equal("invoker2/u/d");
  });
});
