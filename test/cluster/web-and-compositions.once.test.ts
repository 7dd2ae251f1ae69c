// Web actions and compositions through a whole cluster, and what metric consumers read of them on the broker.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Consumer, Kafka } from "kafkajs";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { within } from "../within.ts";

const limitMs = 120_000;
const topic = "ownevents";
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const web = { key: "web-export", value: true };

/** Triples, then increments: each run of it is one step. */
const conductor = `function main(params) {
  const step = params.$step || 0;
  delete params.$step;
  switch (step) {
    case 0: return { action: "/_/triple", params, state: { $step: 1 } };
    case 1: return { action: "/_/increment", params, state: { $step: 2 } };
    default: return { params };
  }
}`;

interface Event {
  readonly source: string;
  readonly eventType: string;
  readonly body: { readonly [field: string]: unknown };
}

describe("web actions and compositions of a cluster", function () {
  this.timeout(limitMs);
  let folder: string;
  let program: StandaloneProgram;
  let consumer: Consumer;
  /** By offset: what is read again is there once. */
  const events: Event[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-web-"));
    program = await StandaloneProgram.start({
      ...{ dataFolder: folder, more: ["--cluster"], patienceMs: limitMs },
      variables: {
        CONFIG_whisk_userEvents_enabled: "true",
        CONFIG_whisk_kafka_topics_userEvent_prefix: "own",
      },
    });
    const kafka = new Kafka({ brokers: [program.line("kafka")], logCreator: () => () => {} });
    consumer = kafka.consumer({ groupId: "metrics", maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        events[Number(message.offset)] = JSON.parse(String(message.value)) as Event;
        return Promise.resolve();
      },
    });
    await create("triple", "python:default", "def main(p):\n    return {'value': p['value'] * 3}\n");
    await create("increment", "nodejs:default", "function main(p) { return { value: p.value + 1 }; }");
    await create("both", "nodejs:default", conductor, [{ key: "conductor", value: true }, web]);
  });
  after(async () => {
    await consumer.disconnect();
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(name: string, kind: string, code: string, annotations: readonly object[] = []) {
    const { status, text } = await program.send("PUT", `actions/${name}`, {
      exec: { kind, code },
      annotations,
    });
    expect(status, text).to.equal(200);
  }

  /** As anyone may, with nothing but the address. */
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const [, url = ""] = /--apihost (\S+)/.exec(program.line("wsk")) ?? [];
    return await fetch(`${url}/api/v1/web/guest/default/${path}`, init);
  }

  it("runs what a conductor names, with a record for all of it", async () => {
    const { status, body } = await program.send("POST", "actions/both?blocking=true", { value: 3 });
    expect([status, body.response.result]).to.deep.equal([200, { value: 10 }]);
    const parts = await Promise.all(body.logs.map((id: string) => program.record(id)));
    expect(parts.map(({ name, cause }) => [name, cause])).to.deep.equal(
      ["both", "triple", "both", "increment", "both"].map((name) => [name, body.activationId]),
    );
    const durations = parts.map(({ duration }) => duration as number);
    const stored = await program.record(body.activationId);
    expect(stored.duration).to.equal(durations.reduce((sum, duration) => sum + duration, 0));
    expect(stored.annotations).to.deep.include({ key: "conductor", value: true });
  });

  it("answers anyone with what the action makes of the request", async () => {
    const code = `function main({ name, __ow_method, __ow_path }) {
      return { statusCode: 201, headers: { "X-Seen": __ow_method + " " + __ow_path }, body: "<b>" + name + "</b>" };
    }`;
    await create("page", "nodejs:default", code, [web]);
    const response = await ask("page/below?name=x", {
      method: "POST",
      body: new URLSearchParams({ name: "ÿ€😀" }),
    });
    expect([response.status, response.headers.get("content-type"), await response.text()]).to.deep.equal([
      ...[201, "text/html; charset=UTF-8", "<b>ÿ€😀</b>"],
    ]);
    expect(response.headers.get("x-seen")).to.equal("post /below");
    const record = await program.record(response.headers.get("x-openwhisk-activation-id") ?? "");
    expect([record.name, record.subject]).to.deep.equal(["page", "guest"]);
    const composed = await ask("both.json?value=1", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"value":1}',
    });
    expect(await composed.json()).to.deep.equal({ value: 4 });
  });

  it("gives bytes as they are, both ways", async () => {
    const code = `def main(args):
    return {'headers': {'content-type': 'image/png'}, 'body': args['__ow_body']}
`;
    await create("image", "python:default", code, [web, { key: "raw-http", value: true }]);
    const body = Buffer.from(png, "base64");
    const response = await ask("image", { method: "PUT", headers: { "content-type": "image/png" }, body });
    expect(Buffer.from(await response.arrayBuffer())).to.deep.equal(body);
  });

  it("tells metric consumers of each activation, of compositions and of the namespace", async () => {
    const { body } = await program.send("POST", "actions/both?blocking=true", { value: 1 });
    const all = [...body.logs, body.activationId];
    const told = await within(limitMs, () => {
      const found = events.filter(({ body: { activationId } }) => all.includes(activationId));
      return found.length === all.length ? found : undefined;
    });
    const ofInvoker = told.filter(({ source }) => source === "invoker0");
    expect(ofInvoker.map(({ body: { activationId } }) => activationId)).to.have.members(body.logs);
    const [own] = told.filter(({ source }) => source === "controller0");
    expect(own?.body).to.include({ name: "guest/both", kind: "sequence", conductor: true, statusCode: 0 });
    expect(own?.body.duration).to.equal(body.duration);
    const metrics = events.filter(({ eventType }) => eventType === "Metric");
    expect(metrics[0]).to.deep.include({
      source: "controller0",
      body: { metricName: "ConcurrentInvocations", metricValue: 1 },
    });
  });
});
