// A whole invoker on a bus in memory, its containers scripted: start, work, admin pages, drain.

import { expect } from "chai";
import type { Bus, Subscription } from "../../../invoker/bus/bus.ts";
import { defaultInvokerSettings } from "../../../invoker/config.ts";
import { serveAdmin } from "../../../invoker/http.ts";
import { type Invoker, startInvoker } from "../../../invoker/service.ts";
import type { AckMessage } from "../../../invoker/wire/messages.ts";
import { holdsWithin } from "../../within.ts";
import { FakeMachine } from "../pool/fake-machine.ts";
import { messageFields, storedAction } from "./orders.ts";

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

  async function started(): Promise<{
    bus: DirectBus;
    machine: FakeMachine;
    invoker: Invoker;
    lines: string[];
  }> {
    const machine = new FakeMachine();
    const bus = new DirectBus();
    const lines: string[] = [];
    const stemCells = [{ kind: "nodejs:20", count: 1, memoryMB: 256 }];
    const invoker = await startInvoker({
      bus,
      actions: { fetch: () => Promise.resolve(storedAction()) },
      activations: { store: () => Promise.resolve() },
      factory: machine.factory,
      probe: { rung: undefined, rungs: [{ rung: "copy-all", proven: false, why: "a test", rewindUs: 0 }] },
      settings: {
        ...defaultInvokerSettings(),
        pool: { ...defaultInvokerSettings().pool, userMemoryMB: 1024, stemCells },
      },
      logStream: { write: (line: string) => void lines.push(line) },
    });
    invokers.push(invoker);
    await invoker.ready;
    return { bus, machine, invoker, lines };
  }
  const order = JSON.stringify(messageFields({}));
  const slots = (bus: DirectBus): number => bus.acks.filter(({ instance }) => instance !== undefined).length;

  it("runs what comes over its topic, and drains in order", async () => {
    const { bus, machine, invoker } = await started();
    await bus.send("invoker0", order);
    await bus.send("invoker0", order);
    await invoker.drain(1000);
    expect(slots(bus)).to.equal(2);
    expect(machine.living).to.deep.equal([]);
    expect(invoker.status().phase).to.equal("drained");
  });

  it("answers what runs beyond the grace time, then removes everything", async () => {
    const { bus, machine, invoker, lines } = await started();
    machine.behave = () => undefined;
    await bus.send("invoker0", order);
    const isRunning = (): boolean =>
      invoker.status().pool.containers.some(({ state }) => state === "running");
    expect(await holdsWithin(1000, isRunning)).to.equal(true);
    await Promise.all([invoker.drain(50), invoker.drain(50)]);
    expect(slots(bus)).to.equal(1);
    expect(machine.living).to.deep.equal([]);
    expect(lines.some((line) => line.includes('"event":"invoker-drained","underWay":1'))).to.equal(true);
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
    const admin = await serveAdmin(invoker, { host: "127.0.0.1", port: 0 });
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${admin.port}${path}`);
      return [response.status, await response.text()];
    };
    await bus.send("invoker0", order);
    expect(await get("/ping")).to.deep.equal([200, "pong"]);
    expect((await get("/ready"))[0]).to.equal(200);
    await invoker.drain(1000);
    const [status, body] = await get("/ready");
    expect([status, JSON.parse(body)]).to.deep.equal([
      503,
      { phase: "drained", underWay: 0, waiting: 0, memoryMB: 1024, reservedMB: 0 },
    ]);
    const [, metrics] = await get("/metrics");
    expect(metrics).to.contain('rewhisk_activations_total{status="0"} 1');
    expect(metrics).to.contain('rewhisk_starts_total{start="clean"} 1');
    expect(metrics).to.contain('rewhisk_acks_total{shape="completion",result="sent"} 1');
    expect(metrics).to.contain('rewhisk_tainted_total{reason="channel"} 0');
    expect(metrics).to.contain('rewhisk_containers{state="running"} 0');
    await admin.close();
  });
});
