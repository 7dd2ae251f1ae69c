// The ways by which an invoker's pings and acks go to a real broker: none waits for the other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MessageTooLargeError } from "../../invoker/bus/bus.ts";
import { readClusterSettings } from "../../invoker/config/read-cluster.ts";
import { Manifest } from "../../invoker/manifest.ts";
import { Observer } from "../../invoker/observe.ts";
import { openServices, type Services } from "../../invoker/services.ts";
import { invokerEnvironment } from "../../standalone/cluster/machine.ts";
import { KafkaProxy } from "./kafka-proxy.ts";
import { KafkaSetting } from "./kafka-setting.ts";
import { ScriptedCouch } from "./scripted-couch.ts";

const manifest = { runtimes: {} } as unknown as Parameters<typeof invokerEnvironment>[1]["manifest"];

describe("an invoker's pings", function () {
  this.timeout(120_000);
  let folder: string;
  let proxy: KafkaProxy;
  let setting: KafkaSetting;
  let couch: ScriptedCouch;
  let services: Services;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-pings-"));
    proxy = await KafkaProxy.open();
    setting = await KafkaSetting.start({ advertisedPort: proxy.port });
    proxy.target = Number(setting.broker.bootstrap.split(":")[1]);
    couch = await ScriptedCouch.start(() => ({ body: '{"rows":[]}' }));
    const environment = await invokerEnvironment(
      { userMemoryMB: 256, concurrencyMax: 1, rewind: "always" },
      {
        ...{ folder, kafkaHosts: `127.0.0.1:${proxy.port}`, databasePort: couch.port, password: "p" },
        ...{ apiUrl: "http://127.0.0.1:1", manifest },
      },
    );
    const { settings } = readClusterSettings(environment);
    const { invoker } = settings;
    const kinds = new Manifest(settings.manifest, settings.images);
    services = await openServices(settings, invoker, kinds, new Observer("silent"));
    const configEntries = [{ name: "max.message.bytes", value: String(2 << 20) }];
    await setting.create({ topic: "health" }, { topic: "completed0", configEntries });
  });
  after(async () => {
    await services.close(0);
    await setting.close();
    await couch.stop();
    await proxy.close();
    rmSync(folder, { recursive: true });
  });

  it("have connections of their own, and Kafka's usual limit where acks have what a result may be", async () => {
    const long = "x".repeat(1_050_000);
    await services.kafka.send("completed0", long);
    await services.healthBus.send("health", "ping");
    const refused = await services.healthBus.send("health", long).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(MessageTooLargeError).with.property("message").that.contains("1048576");
    const connectionsTo = (topic: string): ReadonlySet<number> =>
      new Set(
        proxy.produced.filter(({ request }) => request.includes(topic)).map(({ connection }) => connection),
      );
    const [pings, acks] = [connectionsTo("health"), connectionsTo("completed0")];
    expect([pings.size, acks.size]).to.deep.equal([1, 1]);
    expect([...pings]).not.to.deep.equal([...acks]);
  });
});
