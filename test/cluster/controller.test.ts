// Two controllers over a real Kafka broker and a CouchDB-compatible server, with a mock of an invoker on the same broker.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Kafka } from "kafkajs";
import { type KafkaBus, openKafkaBus, readKafkaSettings } from "../../invoker/index.ts";
import { createApi } from "../../standalone/api.ts";
import { startDatabase } from "../../standalone/cluster/database.ts";
import { type KafkaBroker, startKafka } from "../../standalone/cluster/kafka.ts";
import { type ControllerPlace, connectController } from "../../standalone/controller.ts";
import { listen } from "../../standalone/listener.ts";
import { type Options, readOptions } from "../../standalone/options.ts";
import { guestSubject } from "../../standalone/services.ts";
import { type Running, stop } from "../../standalone/stop.ts";
import { MockInvoker, recordOf } from "../mock-invoker.ts";
import { within } from "../within.ts";
import { longSession } from "./kafka-setting.ts";

const user = { username: "whisk", password: "pass word" };
const prefix = "whisk_test_";
const patienceMs = 60_000;
const base = "/api/v1/namespaces/_";

describe("controllers of a cluster", function () {
  this.timeout(120_000);
  let folder: string;
  let broker: KafkaBroker;
  let bus: KafkaBus;
  let mock: MockInvoker;
  let pinging: NodeJS.Timeout;
  const controllers: Running[] = [];
  const ends: (() => Promise<void>)[] = [];
  const faults: string[] = [];
  const notes: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-controllers-"));
    broker = await startKafka({ folder: join(folder, "kafka"), properties: longSession });
    ends.push(() => broker.stop());
    const database = await startDatabase({ folder: join(folder, "couchdb"), port: 0, prefix, ...user });
    ends.push(() => database.stop());
    const credentials = `${user.username}:${encodeURIComponent(user.password)}`;
    const couchdb = database.url.replace("//", `//${credentials}@`);
    bus = await openBus();
    ends.push(() => bus.close(0));
    mock = new MockInvoker(bus, { instance: 0 });
    ends.push(() => mock.close());
    for (const controller of ["0", "1"]) {
      const { options, place } = optionsOf(controller, couchdb);
      const listener = await listen(options.port, options.host);
      const note = (line: string): void => void notes.push(line);
      const running = await connectController(options, place, { listener, ownsData: true, note });
      listener.handle(createApi(running.services, { version: "0.0.0", date: "2026-01-01" }));
      controllers.push(running);
      ends.push(async () => {
        await stop(running, 0);
      });
    }
    // The last one may be under way when the bus is closed.
    pinging = setInterval(() => void mock.ping().catch(() => undefined), 200);
    await Promise.all(controllers.map(({ services }) => services.balancer.healthy(1)));
    const exec = { kind: "nodejs:20", code: ";" };
    expect((await send(0, "PUT", `${base}/actions/hello`, { exec })).status).to.equal(200);
  });
  after(async () => {
    clearInterval(pinging);
    for (const end of ends.reverse()) {
      await end();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function openBus(): Promise<KafkaBus> {
    const { settings, problems } = readKafkaSettings({
      ...{ hosts: broker.bootstrap, common: {}, producer: {}, consumer: {} },
    });
    if (settings === undefined) {
      throw new Error(problems.join());
    }
    const opened = openKafkaBus({
      ...{ settings, clientId: "mock", maxPeek: 8 },
      observer: {
        log: () => {},
        connectionChanged: () => {},
        readingInterrupted: () => {},
        handlerFailed: (topic, error) => faults.push(`${topic}: ${String(error)}`),
        sentAgain: () => {},
      },
    });
    await opened.ensureTopic("invoker0", { partitions: 1, replicationFactor: 1, config: {} });
    return opened;
  }

  function optionsOf(controller: string, couchdb: string): { options: Options; place: ControllerPlace } {
    const options = readOptions(
      [
        ...["--port", "0", "--data-dir", join(folder, `controller${controller}`), "--kinds", "nodejs:20"],
        ...["--kafka", broker.bootstrap, "--couchdb", couchdb, "--db-prefix", prefix],
        ...["--controller", controller, "--controllers", "2"],
      ],
      {
        pool: { userMemoryMB: 512, rewind: "always" },
        memoryMB: { std: 256 },
        concurrency: { min: 1, max: 1 },
      },
    );
    if ("errors" in options || options.place.kind !== "controller") {
      throw new Error(JSON.stringify(options));
    }
    return { options, place: options.place };
  }

  async function send(index: number, method: string, path: string, body?: unknown) {
    const { listener, services } = controllers[index] as Running;
    const key = services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
    const response = await fetch(`http://127.0.0.1:${listener.port}${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(key).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  it("make sure of their topics, with OpenWhisk's own settings", async () => {
    const admin = new Kafka({ brokers: [broker.bootstrap], logCreator: () => () => {} }).admin();
    await admin.connect();
    const expected = {
      completed0: ["536870912", "1073741824", "3600000", "1054644"],
      completed1: ["536870912", "1073741824", "3600000", "1054644"],
      health: ["536870912", "1073741824", "3600000", "1048588"],
      cacheInvalidation: ["536870912", "1073741824", "300000", "1048588"],
      events: ["536870912", "1073741824", "3600000", "1048588"],
    };
    const configNames = ["segment.bytes", "retention.bytes", "retention.ms", "max.message.bytes"];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: Object.keys(expected).map((name) => ({ type: 2, name, configNames })),
    });
    await admin.disconnect();
    const found = resources.map(({ resourceName, configEntries }) => [
      resourceName,
      configNames.map((name) => configEntries.find((entry) => entry.configName === name)?.configValue),
    ]);
    expect(Object.fromEntries(found)).to.deep.equal(expected);
  });

  it("both find the invoker healthy, and say so", async () => {
    for (const index of [0, 1]) {
      expect(await send(index, "GET", "/invokers")).to.deep.equal({
        status: 200,
        body: { "invoker0/0": "up" },
      });
      expect(await send(index, "GET", "/invokers/ready")).to.deep.include({ status: 200 });
    }
    expect(notes.filter((line) => line.endsWith(" is up"))).to.have.length(2);
    const roots = mock.tests.map((test) => test.rootControllerIndex.asString);
    expect(new Set(roots)).to.deep.equal(new Set(["0", "1"]));
  });

  it("run each other's actions, and get what is meant for them", async () => {
    for (const index of [0, 1]) {
      const answer = await send(index, "POST", `${base}/actions/hello?blocking=true&result=true`, { index });
      expect(answer).to.deep.equal({ status: 200, body: { index } });
      expect(mock.messages.at(-1)?.rootControllerIndex.asString).to.equal(String(index));
    }
    await Promise.all(controllers.map(({ services }) => services.invocations.idle()));
  });

  it("find results in the database that the invoker could not send", async () => {
    mock.answers = "shrunk";
    const answered = send(0, "POST", `${base}/actions/hello?blocking=true&result=true`, { large: true });
    const message = await within(patienceMs, () =>
      mock.messages.find(({ content }) => JSON.stringify(content) === '{"large":true}'),
    );
    const { services } = controllers[1] as Running;
    const record = recordOf(message);
    await services.records.store({
      ...{ _id: `guest/${record.activationId}`, ...record },
      ...{ updated: 0, entityType: "activation" },
    });
    expect(await answered).to.deep.equal({ status: 200, body: { large: true } });
    expect(faults).to.deep.equal([]);
  });
});
