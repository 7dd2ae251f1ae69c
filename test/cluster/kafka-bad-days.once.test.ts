// The bus over Kafka when the broker, the reader or the network fails: nothing acknowledged is lost, nothing is read twice.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { KafkaBusError } from "../../invoker/bus/kafka.ts";
import { startKafka } from "../../standalone/cluster/kafka.ts";
import { suspend } from "../suspend.ts";
import { within } from "../within.ts";
import { KafkaSetting, numbered, type WatchedBus } from "./kafka-setting.ts";

const patienceMs = 60_000;
const readingProcess = fileURLToPath(new URL("kafka-reading-process.js", import.meta.url));

/** Sends one message after the other until it is told to end; notes which were acknowledged, in order. */
class Stream {
  readonly acknowledged: string[] = [];
  readonly failed: unknown[] = [];
  readonly #ended: Promise<void>;
  readonly #ending = new AbortController();

  constructor({ bus }: WatchedBus, topic: string) {
    this.#ended = this.#send(bus, topic);
  }

  async #send(bus: WatchedBus["bus"], topic: string): Promise<void> {
    for (let i = 0; !this.#ending.signal.aborted; i++) {
      const message = `m${i}`;
      await bus.send(topic, message).then(
        () => this.acknowledged.push(message),
        (error: unknown) => this.failed.push(error),
      );
      await sleep(1);
    }
  }

  end(): Promise<void> {
    this.#ending.abort();
    return this.#ended;
  }
}

function count(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

describe("the bus over Kafka on bad days", function () {
  this.timeout(120_000);
  let setting: KafkaSetting;

  before(async () => {
    setting = await KafkaSetting.start({ isKilled: true });
  });
  after(() => setting.close());

  it("loses nothing acknowledged and reads nothing twice when the broker is killed and comes back", async () => {
    const topic = await setting.topic();
    const [sender, reader] = [setting.open(), setting.open(8)];
    const seen: string[] = [];
    const subscription = reader.bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    const stream = new Stream(sender, topic);
    for (let kill = 1; kill <= 3; kill++) {
      const before = seen.length;
      await within(patienceMs, () => seen.length > before + 100 || undefined);
      await setting.broker.kill("SIGKILL");
      await within(patienceMs, () => !sender.bus.status().isConnected || undefined);
      await setting.startAgain();
      const acknowledgedBefore = stream.acknowledged.length;
      await within(patienceMs, () => stream.acknowledged.length > acknowledgedBefore || undefined);
    }
    await stream.end();
    await within(patienceMs, () => seen.includes(stream.acknowledged.at(-1) ?? "") || undefined);
    await subscription.stop();
    expect(stream.failed).to.deep.equal([]);
    const stored = await setting.messages(topic);
    const doubled = [...count(stored).values()].filter((times) => times > 1).length;
    expect(doubled).to.be.at.most(sender.bus.status().sentAgain);
    expect(seen).to.deep.equal(stored);
    expect([...new Set(seen)]).to.deep.equal(stream.acknowledged);
  });

  it("keeps what is sent while the broker is away, in order, up to its bound", async () => {
    const [early, late] = [await setting.topic(), await setting.topic()];
    const sender = setting.open(8, { producer: { "buffer-memory": 10_000 } });
    await sender.bus.send(early, "before");
    await setting.broker.kill("SIGKILL");
    await within(patienceMs, () => !sender.bus.status().isConnected || undefined);
    const sends = numbered("a", 50).map((message) => sender.bus.send(early, message));
    const others = numbered("b", 50).map((message) => sender.bus.send(late, message));
    const tooMuch = await sender.bus.send(early, "x".repeat(9_900)).catch((error: unknown) => error);
    expect(tooMuch).to.be.instanceOf(KafkaBusError).and.include({ code: "queue-full" });
    expect(sender.bus.status()).to.include({ queuedBytes: 280, isConnected: false });
    await setting.startAgain();
    await Promise.all([...sends, ...others]);
    expect(sender.bus.status()).to.include({ queuedBytes: 0, isConnected: true });
    expect(await setting.messages(early)).to.deep.equal(["before", ...numbered("a", 50)]);
    expect(await setting.messages(late)).to.deep.equal(numbered("b", 50));
  });

  it("fails what is still queued when it is closed while the broker is away, and closes", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const subscription = bus.subscribe(topic, () => {});
    await bus.send(topic, "before");
    await setting.broker.kill("SIGKILL");
    const sent = bus.send(topic, "never").catch((error: unknown) => error);
    await bus.close(100);
    await subscription.stop();
    expect(await sent)
      .to.be.instanceOf(KafkaBusError)
      .and.include({ code: "closed" });
    await setting.startAgain();
  });

  it("closes although the broker hangs with a message in hand", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(8, { producer: { "request-timeout-ms": 600_000 } });
    await bus.send(topic, "before");
    await suspend(setting.broker.pid);
    try {
      const sent = bus.send(topic, "in doubt").catch((error: unknown) => error);
      let closed = false;
      void bus.close(100).then(() => {
        closed = true;
      });
      await within(patienceMs, () => closed || undefined);
      expect(await sent).to.include({ code: "closed" });
    } finally {
      await setting.broker.kill("SIGCONT");
    }
  });

  it("reads again at once, as the same member, though the broker still believes the former consumer to be there", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const seen: string[] = [];
    const subscription = bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    await bus.send(topic, "a");
    await within(patienceMs, () => seen.length === 1 || undefined);
    const before = await setting.members(topic);
    await setting.broker.kill("SIGKILL");
    await setting.startAgain();
    await bus.send(topic, "b");
    await within(patienceMs, () => seen.length === 2 || undefined);
    expect(await setting.members(topic)).to.deep.equal(before);
    await subscription.stop();
  });

  it("says that it reads no topic while the broker is away", async () => {
    const subscription = setting.open().bus.subscribe(await setting.topic(), () => undefined);
    await within(patienceMs, () => subscription.isReading || undefined);
    await setting.broker.kill("SIGKILL");
    await within(patienceMs, () => subscription.isReading === false || undefined);
    await setting.startAgain();
    await within(patienceMs, () => subscription.isReading || undefined);
    await subscription.stop();
    expect(subscription.isReading).to.equal(false);
  });

  it("says that it reads no topic of which others of its group have all there is", async () => {
    const topic = await setting.topic();
    const consumer = { "heartbeat-interval-ms": 200 };
    const [first, second] = [0, 1].map(() => setting.open(8, { consumer }).bus.subscribe(topic, () => {}));
    const reading = (): (typeof first)[] => [first, second].filter((reader) => reader?.isReading);
    await within(
      patienceMs,
      async () => ((await setting.members(topic)).length === 2 && reading().length === 1) || undefined,
    );
    const [one] = reading();
    const other = one === first ? second : first;
    await one?.stop();
    await within(patienceMs, () => other?.isReading || undefined);
    await other?.stop();
  });

  it("goes on after the broker was frozen for longer than a request may take, without reading twice", async () => {
    const topic = await setting.topic();
    const common = { "request-timeout-ms": 1_000 };
    const [sender, reader] = [setting.open(8, { common }), setting.open(8, { common })];
    const seen: string[] = [];
    const subscription = reader.bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    const stream = new Stream(sender, topic);
    await within(patienceMs, () => seen.length > 50 || undefined);
    await suspend(setting.broker.pid);
    await within(patienceMs, () => reader.interruptions.length > 0 || undefined);
    await setting.broker.kill("SIGCONT");
    const before = seen.length;
    await within(patienceMs, () => seen.length > before + 50 || undefined);
    await stream.end();
    await within(patienceMs, () => seen.includes(stream.acknowledged.at(-1) ?? "") || undefined);
    await subscription.stop();
    expect(seen).to.deep.equal(await setting.messages(topic));
    expect([...new Set(seen)]).to.deep.equal(stream.acknowledged);
  });

  it("has a process be a new member where the broker no longer knows the one that was killed", async () => {
    const topic = await setting.topic();
    const notes = join(setting.folder, "notes-of-a-stranger");
    const memberFolder = join(setting.folder, "folder-of-a-stranger");
    const { bus } = setting.open();
    for (const message of numbered("m", 2)) {
      await bus.send(topic, message);
      const args = [readingProcess, setting.broker.bootstrap, topic, notes, memberFolder, "short"];
      const child = spawn(process.execPath, args, { stdio: "ignore" });
      const exited = once(child, "exit");
      try {
        await within(
          patienceMs,
          () => (existsSync(notes) && readFileSync(notes, "utf8").includes(message)) || undefined,
        );
      } finally {
        child.kill("SIGKILL");
        await exited;
      }
      await within(patienceMs, async () => (await setting.members(topic)).length === 0 || undefined);
    }
  });

  it("has a process that takes the place of a killed one be the same member, so that it reads at once", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const notes = join(setting.folder, "notes-of-members");
    const members: string[][] = [];
    for (const message of numbered("m", 2)) {
      await bus.send(topic, message);
      const memberFolder = join(setting.folder, "made when it is needed");
      const args = [readingProcess, setting.broker.bootstrap, topic, notes, memberFolder];
      const child = spawn(process.execPath, args, { stdio: "ignore" });
      const exited = once(child, "exit");
      await within(
        patienceMs,
        () => (existsSync(notes) && readFileSync(notes, "utf8").includes(message)) || undefined,
      );
      members.push(await setting.members(topic));
      // It is written beside the reading, which does not wait for the disk.
      const memberFile = join(memberFolder, `${topic}.member`);
      await within(patienceMs, () => readFileSync(memberFile, "utf8") === members.at(-1)?.[0] || undefined);
      child.kill("SIGKILL");
      await exited;
    }
    expect(members[0]).to.have.length(1);
    expect(members[1]).to.deep.equal(members[0]);
  });

  it("has a process beside a living one with the same folder be another member, so that nothing is read by both", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const memberFolder = join(setting.folder, "folder-of-two");
    const notes = [1, 2].map((number) => join(setting.folder, `notes-of-two-${number}`));
    const seen = (): readonly string[] =>
      notes.flatMap((file) => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []));
    const sent = numbered("m", 50);
    const children: ChildProcess[] = [];
    try {
      for (const [i, file] of notes.entries()) {
        const args = [readingProcess, setting.broker.bootstrap, topic, file, memberFolder];
        children.push(spawn(process.execPath, args, { stdio: "ignore" }));
        await within(patienceMs, async () => (await setting.members(topic)).length === i + 1 || undefined);
      }
      for (const message of sent) await bus.send(topic, message);
      await within(patienceMs, () => sent.every((message) => seen().includes(message)) || undefined);
    } finally {
      for (const child of children) {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }
    }
    expect(seen()).to.have.members(sent);
  });

  it("hands no message to two processes when the first one is killed with messages in hand", async () => {
    const topic = await setting.topic();
    const sender = setting.open();
    const notes = join(setting.folder, "notes");
    const read = (): string[] => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []);
    const stream = new Stream(sender, topic);
    for (let life = 1; life <= 3; life++) {
      const before = read().length;
      const child = spawn(process.execPath, [readingProcess, setting.broker.bootstrap, topic, notes], {
        stdio: "ignore",
      });
      const exited = once(child, "exit");
      await within(patienceMs, () => read().length > before + 50 || undefined);
      child.kill("SIGKILL");
      await exited;
    }
    await stream.end();
    const seen = read();
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen.length).to.be.at.most(await setting.committed(topic));
    expect((await setting.committed(topic)) - seen.length).to.be.at.most(3 * 4);
  });

  /** So many brokers have all of the topic. */
  const inSync = (topic: string): Promise<number | undefined> =>
    setting.admin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions[0]?.isr.length;
    });

  it("follows the leader of its topic to another broker", async () => {
    const second = await startKafka({ folder: join(setting.folder, "2"), joins: setting.broker });
    try {
      const topic = "invoker-led";
      await setting.create({
        topic,
        replicaAssignment: [{ partition: 0, replicas: [second.nodeId, setting.broker.nodeId] }],
      });
      // With fewer acknowledgements a change of the leader loses some that were given: that is Kafka's promise, not ours.
      const [sender, reader] = [setting.open(8, { producer: { acks: "all" } }), setting.open()];
      const seen: string[] = [];
      const subscription = reader.bus.subscribe(topic, (message) => {
        seen.push(message);
      });
      const stream = new Stream(sender, topic);
      await within(patienceMs, () => seen.length > 100 || undefined);
      // A broker that was held up for 1.5 s does not count among its replicas for a moment, and cannot be the leader then.
      await within(patienceMs, async () => (await inSync(topic)) === 2 || undefined);
      await second.kill("SIGTERM");
      const before = seen.length;
      await within(patienceMs, () => seen.length > before + 100 || undefined);
      await stream.end();
      await within(patienceMs, () => seen.includes(stream.acknowledged.at(-1) ?? "") || undefined);
      await subscription.stop();
      expect(stream.failed).to.deep.equal([]);
      expect(seen).to.deep.equal(await setting.messages(topic));
      expect([...new Set(seen)]).to.deep.equal(stream.acknowledged);
    } finally {
      await second.stop();
    }
  });
});
