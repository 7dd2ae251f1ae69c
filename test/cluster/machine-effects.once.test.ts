// The order in which an invoker's program does things that others see: the topic, the offset, the acks, the record; and whose limits hold.

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect } from "chai";
import type { ActivationMessage, KafkaBus } from "../../invoker/index.ts";
import { within } from "../within.ts";
import { ClusterSetting, pythonKind } from "./cluster-setting.ts";

const limitMs = 120_000;
const topic = "invoker0";
const topicSettings = { partitions: 1, replicationFactor: 1, config: {} };
/** A controller that does not run: its acks are looked at as they lie in the topic. */
const controller = { asString: "9", instanceType: "controller" } as const;
const greeting = "def main(args):\n  print('seen')\n  return {'hi': args.get('name')}\n";

// biome-ignore lint/suspicious/noExplicitAny: an ack of any shape, looked into by path
type Ack = any;

describe("what others see of an invoker, in order", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  let bus: KafkaBus;

  before(async () => {
    cluster = await ClusterSetting.start();
    bus = cluster.kafka.open().bus;
    await bus.ensureTopic("completed9", topicSettings);
    await cluster.invoker({ name: "effects", id: 0 });
    await cluster.areSeenAs(["up"]);
    await cluster.controller.put("logged", { exec: { kind: pythonKind, code: greeting } });
    await cluster.controller.put("silent", {
      ...{ exec: { kind: pythonKind, code: greeting }, limits: { logs: 0 } },
    });
  });
  after(() => cluster.close());

  async function order(action: string, fields: Partial<ActivationMessage> = {}): Promise<ActivationMessage> {
    const message = cluster.message(action, { rootControllerIndex: controller, ...fields });
    await bus.send(topic, JSON.stringify(message));
    return message;
  }

  /** Those of the activation, in the topic's order. */
  async function acksOf({ transid }: ActivationMessage): Promise<readonly Ack[]> {
    const all = (await cluster.kafka.messages("completed9")).map((text) => JSON.parse(text) as Ack);
    return all.filter((ack) => ack.transid[0] === transid[0]);
  }

  /** All of them, once the slot is free. */
  const allAcksOf = (message: ActivationMessage): Promise<readonly Ack[]> =>
    within(limitMs, async () => {
      const acks = await acksOf(message);
      return acks.some((ack) => "instance" in ack) ? acks : undefined;
    });

  const fieldsOf = (ack: Ack): string =>
    Object.keys(ack)
      .filter((name) => name !== "transid")
      .sort((a, b) => a.localeCompare(b))
      .join();

  it("the offset is committed while the activation still runs, and nobody is told anything yet", async () => {
    const marker = `${Math.random()}`.replace("0.", "9999");
    const code = `import subprocess\ndef main(args):\n  subprocess.run(["sleep", "${marker}"])\n  return {"done": True}\n`;
    await cluster.controller.put("lasting", { exec: { kind: pythonKind, code } });
    const message = await order("lasting", { blocking: true });
    const sleeping = await within(limitMs, () => processWith(marker));
    expect(await cluster.kafka.committed(topic)).to.equal((await cluster.kafka.messages(topic)).length);
    expect(await acksOf(message)).to.deep.equal([]);
    process.kill(sleeping);
    const [result, completion] = await allAcksOf(message);
    expect(result.response.response.result).to.deep.equal({ done: true });
    expect(completion.activationId).to.equal(message.activationId);
  });

  it("with logs: the answer without them, then the free slot, and the record with them", async () => {
    const message = await order("logged", { blocking: true, content: { name: "x" } });
    const acks = await allAcksOf(message);
    expect(acks.map(fieldsOf)).to.deep.equal(["response", "activationId,instance,isSystemError"]);
    expect(acks[0].response).to.deep.include({ activationId: message.activationId, logs: [] });
    expect(acks[0].response.response).to.deep.include({ statusCode: 0, result: { hi: "x" } });
    const { logs } = await cluster.controller.record(message.activationId);
    expect(logs.map((line: string) => line.slice(31))).to.deep.equal(["stdout: seen"]);
  });

  for (const [what, action, blocking, shapes] of [
    ["without logs: answer and free slot in one", "silent", true, ["instance,isSystemError,response"]],
    ["that nobody waits for: the free slot alone", "logged", false, ["activationId,instance,isSystemError"]],
    ["neither: the same", "silent", false, ["activationId,instance,isSystemError"]],
  ] as const) {
    it(what, async () => {
      const message = await order(action, { blocking });
      expect((await allAcksOf(message)).map(fieldsOf)).to.deep.equal(shapes);
      expect((await cluster.controller.record(message.activationId)).response.status).to.equal("success");
    });
  }

  it("a message that cannot be read is passed over without a word", async () => {
    const before = (await cluster.kafka.messages("completed9")).length;
    for (const text of ["{", '{"transid":["x",1]}']) await bus.send(topic, text);
    await allAcksOf(await order("silent"));
    expect((await cluster.kafka.messages("completed9")).length).to.equal(before + 1);
  });

  it("an identity's own limits hold, below those of the system", async () => {
    const { user } = cluster.message("silent");
    const limited = { ...user, limits: { maxActionMemory: 128, maxActionTimeout: 300_000 } };
    const message = await order("silent", { user: limited, blocking: true });
    const [ack, ...more] = await allAcksOf(message);
    expect([fieldsOf(ack), more]).to.deep.equal(["instance,isSystemError,response", []]);
    expect(ack.isSystemError).to.equal(false);
    expect(ack.response.response).to.deep.include({
      ...{ statusCode: 1, result: { error: "memory size 256 MB exceeds allowed threshold of 128 MB" } },
    });
  });

  it("an invoker whose topic cannot be made ends before its first ping", async () => {
    const variables = { CONFIG_whisk_kafka_replicationFactor: "3" };
    const invoker = await cluster.invoker({ name: "topicless", id: 7, variables });
    expect(await invoker.ended).to.deep.equal([2, null]);
    expect(invoker.lastLines()).to.contain("topic invoker7 could not be created");
    const pings = (await cluster.kafka.messages("health")).map((text) => JSON.parse(text) as Ack);
    expect(new Set(pings.map(({ name }) => name.instance))).to.deep.equal(new Set([0]));
  });

  for (const [what, lost, outcome] of [
    ["is found when the broker answers at the sixth time", 5, "found"],
    ["is given up when it does not", 6, "topic"],
  ] as const) {
    it(`a topic ${what}`, async () => {
      // Somebody has made it meanwhile: a broker that has not yet heard of a new one would cost a time more.
      await cluster.kafka.create({ topic: `late${lost}` });
      const gate = await startGate(cluster.kafka.broker.bootstrap, lost);
      const { bus: late } = cluster.kafka.open(8, {}, gate.hosts);
      const found = await late.ensureTopic(`late${lost}`, topicSettings).then(
        () => "found",
        (error: { readonly code: string }) => error.code,
      );
      expect([found, gate.lost()]).to.deep.equal([outcome, lost]);
      await gate.close();
    });
  }
});

/** The process whose command line holds the text. */
function processWith(text: string): number | undefined {
  const found = readdirSync("/proc").find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(`sleep\0${text}`);
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

/** A way to the broker that loses its first connections. */
async function startGate(
  bootstrap: string,
  losses: number,
): Promise<{ readonly hosts: string; lost(): number; close(): Promise<void> }> {
  const [host = "", port = ""] = bootstrap.split(":");
  let lost = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (lost < losses) {
      lost++;
      socket.destroy();
      return;
    }
    const beyond = connect({ host, port: Number(port) });
    beyond.on("error", () => socket.destroy());
    socket.on("close", () => beyond.destroy());
    socket.pipe(beyond).pipe(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    hosts: `${host}:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    async close() {
      server.close();
      await once(server, "close");
    },
  };
}
