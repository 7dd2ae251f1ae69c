// Stock's metrics of the cluster around an invoker: its topic in a real broker, its database as it answers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { kafkajs, openKafkaBus, readKafkaSettings } from "../../invoker/bus/kafka.ts";
import { Metrics } from "../../invoker/metrics.ts";
import { Observer } from "../../invoker/observe.ts";
import { followLag, kafkaObserver } from "../../invoker/observe-cluster.ts";
import { openCouchStores } from "../../invoker/store/couchdb/open.ts";
import type { ActivationDocument } from "../../invoker/wire/documents.ts";
import { within } from "../within.ts";
import { couchSettings } from "./couch.ts";
import { KafkaSetting } from "./kafka-setting.ts";
import { ScriptedCouch } from "./scripted-couch.ts";

const patienceMs = 60_000;

function observing(): { readonly observer: Observer; readonly text: () => Promise<string> } {
  const observer = new Observer("fatal", { write: () => undefined }, new Metrics());
  return { observer, text: () => observer.metrics.registry.metrics() };
}

/** Resolves when the scraped text has such a line. */
const shows = (text: () => Promise<string>, line: RegExp): Promise<unknown> =>
  within(patienceMs, async () => line.test(await text()) || undefined).catch(async () => {
    throw new Error(`no ${line} in ${await text()}`);
  });

describe("the metrics of a topic", () => {
  let setting: KafkaSetting;
  before(async function () {
    this.timeout(120_000);
    setting = await KafkaSetting.start();
  });
  after(() => setting.close());

  it("say how many messages wait, and how old each was when it was read", async () => {
    const { observer, text } = observing();
    const { settings } = readKafkaSettings({
      ...{ hosts: setting.broker.bootstrap, common: {}, producer: {}, consumer: {} },
    });
    if (settings === undefined) throw new Error("no settings");
    const bus = openKafkaBus({ settings, clientId: "test", maxPeek: 8, observer: kafkaObserver(observer) });
    const topic = await setting.topic();
    const lag = followLag(observer, bus, topic, 50, 0);
    const producer = new (kafkajs().Kafka)({ brokers: [setting.broker.bootstrap], logLevel: 0 }).producer();
    await producer.connect();
    const timestamp = String(Date.now() - 60_000);
    await producer.send({ topic, messages: Array(3).fill({ value: "m", timestamp }) });
    await producer.disconnect();

    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const subscription = bus.subscribe(topic, () => gate, { room: () => 1 });
    await shows(text, /^gauge_kafka_invoker1_counter 2$/m);
    expect(await text()).to.match(/^histogram_kafka_invoker1_delay_start_seconds_count 1$/m);
    const [, seconds] = /^histogram_kafka_invoker1_delay_start_seconds_sum (.*)$/m.exec(await text()) ?? [];
    expect(Number(seconds)).to.be.within(60, 60 + patienceMs / 1000);
    open();
    await shows(text, /^gauge_kafka_invoker1_counter 0$/m);
    await subscription.stop();
    await lag.stop();
    await bus.close(0);
  });

  it("leave the number as it was where the broker does not say it", async () => {
    const { observer, text } = observing();
    let asked = 0;
    const answers = [() => Promise.resolve(7), () => Promise.reject(new Error("away"))];
    const lag = followLag(
      observer,
      { lag: () => (answers[asked++] ?? (() => new Promise(() => {})))() },
      "t",
      0,
      0,
    );
    await within(patienceMs, () => asked === 3 || undefined);
    expect(await text()).to.match(/^gauge_kafka_t_counter 7$/m);
    void lag.stop();
  });
});

describe("the metrics of the database", () => {
  let folder: string;
  let couch: ScriptedCouch;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-scripted-"));
    couch = await ScriptedCouch.start();
  });
  afterEach(async () => {
    await couch.stop();
    rmSync(folder, { recursive: true });
  });

  it("count and time each sort of request, and what needed none", async () => {
    const { observer, text } = observing();
    const stores = await openCouchStores(
      couchSettings(couch.port, folder),
      () => ({ attached: true, requireMain: false }),
      () => undefined,
      observer.metrics.stock,
    );
    const action = {
      ...{ _id: "guest/a", _rev: "1-a", namespace: "guest", name: "a", version: "0.0.1", publish: false },
      ...{ parameters: [], annotations: [], limits: { timeout: 60_000, memory: 256 } },
      exec: { kind: "nodejs:20", code: { attachmentName: "codefile", attachmentType: "text/plain" } },
    };
    couch.script = (what, _count, body) => {
      if (what.includes("_view")) return { status: 500 };
      if (what.startsWith("POST")) {
        const { docs } = JSON.parse(body) as { readonly docs: readonly { readonly _id: string }[] };
        const refused = { error: "forbidden", reason: "no" };
        const results = docs.map(({ _id: id }) =>
          id === "guest/bad" ? { id, ...refused } : { id, ok: true },
        );
        return { status: 201, body: JSON.stringify(results) };
      }
      if (what.includes("missing")) return { status: 404, body: '{"error":"not_found","reason":"deleted"}' };
      return { body: what.includes("codefile") ? "code" : JSON.stringify(action) };
    };
    await Promise.all([stores.actions.fetch("guest/a", "1-a"), stores.actions.fetch("guest/a", "1-a")]);
    await stores.actions.fetch("guest/missing", "1-a").catch(() => undefined);
    await stores.blockedNamespaces.read();
    for (const _id of ["guest/good", "guest/bad"]) {
      await stores.activations.store({ _id } as ActivationDocument).catch(() => undefined);
    }
    await stores.close(patienceMs);

    const lines = new Set((await text()).split("\n"));
    const wanted = {
      counter_database_cacheHit_counter_total: 1,
      counter_database_cacheMiss_counter_total: 2,
      counter_database_getDocument_start_total: 2,
      histogram_database_getDocument_finish_seconds_count: 2,
      counter_database_getDocument_error_total: 0,
      histogram_database_getDocumentAttachment_finish_seconds_count: 1,
      counter_database_queryView_start_total: 1,
      counter_database_queryView_error_total: 1,
      histogram_database_queryView_error_seconds_count: 1,
      counter_database_saveDocument_start_total: 2,
      histogram_database_saveDocument_finish_seconds_count: 1,
      histogram_database_saveDocument_error_seconds_count: 1,
      histogram_database_batchSize_counter_sum: 2,
    };
    for (const [name, value] of Object.entries(wanted)) {
      expect(lines.has(`${name} ${value}`), `${name} ${value}`).to.equal(true);
    }
  });
});
