// Sending to the bus over Kafka, of a real broker: its topics, what is refused, and what goes on.

import { expect } from "chai";
import { MessageTooLargeError } from "../../invoker/bus/bus.ts";
import { KafkaBusError } from "../../invoker/bus/kafka.ts";
import { within } from "../within.ts";
import { KafkaSetting, numbered } from "./kafka-setting.ts";

const patienceMs = 60_000;

describe("what is sent to the bus over Kafka", () => {
  let setting: KafkaSetting;

  before(async function () {
    this.timeout(120_000);
    setting = await KafkaSetting.start();
  });
  after(() => setting.close());

  it("writes records without a key, and keeps every character", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const texts = ["", "ä€😀\u0000", "x".repeat(20_000)];
    for (const text of texts) await bus.send(topic, text);
    expect(await setting.messages(topic)).to.deep.equal(texts);
  });

  it("refuses a message over max.request.size before it is sent, and one over the topic's limit when the broker does", async () => {
    const topic = await setting.topic(1, { "max.message.bytes": "50000" });
    const { bus } = setting.open(8, { producer: { "max-request-size": 60_000 } });
    const sizes = [10, 60_000, 55_000, 49_000];
    const outcomes = await Promise.all(
      sizes.map((size) =>
        bus.send(topic, "x".repeat(size)).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    const [small, clientSide, brokerSide, fitting] = outcomes;
    expect([small, fitting]).to.deep.equal([undefined, undefined]);
    expect(clientSide).to.be.instanceOf(MessageTooLargeError).and.not.have.property("cause");
    expect(brokerSide).to.be.instanceOf(MessageTooLargeError).and.have.property("cause").that.is.an("error");
    expect((await setting.messages(topic)).map((message) => message.length)).to.deep.equal([10, 49_000]);
  });

  it("takes a batch apart that is too large as a whole only", async () => {
    const topic = await setting.topic(1, { "max.message.bytes": "3000" });
    const { bus } = setting.open();
    const texts = numbered("x", 5).map((text) => text.repeat(500));
    await Promise.all(texts.map((text) => bus.send(topic, text)));
    expect(await setting.messages(topic)).to.deep.equal(texts);
  });

  it("creates a topic with its settings, and leaves one that is there alone", async () => {
    const { bus } = setting.open();
    const config = {
      ...{ "segment.bytes": "536870912", "retention.bytes": "1073741824" },
      ...{ "retention.ms": "172800000", "max.message.bytes": "1054644" },
    };
    await bus.ensureTopic("ensured", { partitions: 1, replicationFactor: 1, config });
    await bus.ensureTopic("ensured", {
      partitions: 3,
      replicationFactor: 1,
      config: { "retention.ms": "1" },
    });
    expect(await configOf(setting, "ensured")).to.include(config);
    const { topics } = await setting.admin((admin) => admin.fetchTopicMetadata({ topics: ["ensured"] }));
    expect(topics[0]?.partitions).to.have.length(1);
  });

  it("takes two that create the same topic at once as both done", async () => {
    const buses = [setting.open().bus, setting.open().bus, setting.open().bus];
    const settings = { partitions: 1, replicationFactor: 1, config: {} };
    await Promise.all(buses.map((bus) => bus.ensureTopic("raced", settings)));
    expect(await setting.admin((admin) => admin.listTopics())).to.contain("raced");
  });

  it("says what is wrong with a topic that cannot be created", async () => {
    const { bus } = setting.open();
    const settings = { partitions: 1, replicationFactor: 7, config: {} };
    const startMs = performance.now();
    const error = await bus.ensureTopic("replicated", settings).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(KafkaBusError).and.include({ code: "topic" });
    // In which brokers that are only starting may come.
    expect(performance.now() - startMs).to.be.at.least(4_990);
    expect((error as Error).message)
      .to.contain("replicated")
      .and.match(/replication/i);
  });

  it("gives up a message to a topic that is not there after a while, and sends it when it comes in time", async () => {
    const { bus } = setting.open(8, { producer: { "max-block-ms": 300 } });
    const error = await bus.send("nowhere", "x").catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(KafkaBusError).and.include({ code: "refused" });
    const patient = setting.open().bus;
    const sent = patient.send("later", "x");
    await patient.ensureTopic("later", { partitions: 1, replicationFactor: 1, config: {} });
    await sent;
    expect(await setting.messages("later")).to.deep.equal(["x"]);
  });

  it("goes on sending to other topics when one it sent to is deleted", async () => {
    const [kept, deleted] = [await setting.topic(), await setting.topic()];
    const { bus } = setting.open(8, { producer: { "metadata-max-age-ms": 0, "max-block-ms": 10_000 } });
    await bus.send(deleted, "x");
    await setting.admin((admin) => admin.deleteTopics({ topics: [deleted] }));
    for (const message of numbered("m", 3)) await bus.send(kept, message);
    expect(await setting.messages(kept)).to.deep.equal(numbered("m", 3));
  });

  it("knows whether it is connected", async () => {
    const topic = await setting.topic();
    const { bus, connections } = setting.open();
    expect(bus.status()).to.include({ isConnected: false, queuedBytes: 0 });
    await bus.send(topic, "x");
    expect(bus.status()).to.include({ isConnected: true, queuedBytes: 0 });
    await bus.close(1_000);
    await within(patienceMs, () => connections.length === 2 || undefined);
    expect(connections).to.deep.equal([true, false]);
  });

  it("fails what is sent to it after its end", async () => {
    const { bus } = setting.open();
    await bus.close(0);
    const error = await bus.send("any", "x").catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(KafkaBusError).and.include({ code: "closed" });
  });
});

async function configOf(setting: KafkaSetting, name: string): Promise<{ [name: string]: string }> {
  const { resources } = await setting.admin((admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] }),
  );
  const entries = resources[0]?.configEntries ?? [];
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
}
