// Reading from the bus over Kafka, of a real broker: what is handed over, in which order, and what is committed when.

import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Bus } from "../../invoker/bus/bus.ts";
import { within } from "../within.ts";
import { KafkaSetting, numbered } from "./kafka-setting.ts";

const patienceMs = 60_000;

/** So that a difference between long messages is told in a line. */
const digest = (text: string): string => `${text.length}: ${createHash("sha256").update(text).digest("hex")}`;

/** A handler that takes messages only as it is let. */
class Gate {
  readonly seen: string[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #opened = new AbortController();

  readonly handle = (message: string): Promise<void> => {
    this.seen.push(message);
    return new Promise((resolve) => {
      if (this.#opened.signal.aborted) resolve();
      else this.#waiting.push(resolve);
    });
  };

  get waiting(): number {
    return this.#waiting.length;
  }

  letOne(): void {
    this.#waiting.shift()?.();
  }

  open(): void {
    this.#opened.abort();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Resolves when as many have been seen. */
function sees(seen: readonly unknown[], count: number): Promise<true> {
  return within(patienceMs, () => seen.length >= count || undefined).catch(() => {
    throw new Error(`${seen.length} seen instead of ${count}`);
  }) as Promise<true>;
}

describe("the bus over Kafka", () => {
  let setting: KafkaSetting;

  before(async function () {
    this.timeout(120_000);
    setting = await KafkaSetting.start();
  });
  after(() => setting.close());

  it("hands over what was sent, in order, whoever sent it in whatever turn", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const sent = numbered("m", 300);
    const sends = sent.slice(0, 100).map((message) => bus.send(topic, message));
    await Promise.all(sends);
    const seen: string[] = [];
    const subscription = bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    for (const message of sent.slice(100, 200)) await bus.send(topic, message);
    await Promise.all(sent.slice(200).map((message) => bus.send(topic, message)));
    await sees(seen, sent.length);
    await subscription.stop();
    expect(seen).to.deep.equal(sent);
    expect(await setting.committed(topic)).to.equal(sent.length);
  });

  for (const compression of ["gzip", "snappy", "lz4", "zstd"])
    it(`reads what the broker keeps compressed by ${compression}`, async () => {
      const topic = await setting.topic(1, { "compression.type": compression });
      const { bus } = setting.open();
      const repeated = "abcdefgh".repeat(30_000);
      const sent = ["short", repeated, randomBytes(150_000).toString("base64"), `${"x".repeat(400_000)}end`];
      for (const message of sent) await bus.send(topic, message);
      const seen: string[] = [];
      const subscription = bus.subscribe(topic, (message) => void seen.push(message));
      await within(patienceMs, () => seen.length === sent.length || undefined);
      await subscription.stop();
      expect(seen.map(digest)).to.deep.equal(sent.map(digest));
    });

  it("commits a message before it is handed over", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(4);
    const committedThen: number[] = [];
    const subscription = bus.subscribe(topic, async (message) => {
      committedThen.push((await setting.committed(topic)) - Number(message));
    });
    for (const message of numbered("", 3)) await bus.send(topic, message);
    await sees(committedThen, 3);
    await subscription.stop();
    for (const ahead of committedThen) expect(ahead).to.be.greaterThan(0);
  });

  it("tells of each message once, and not before it is to be handed over next", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(8);
    await Promise.all(numbered("m", 10).map((message) => bus.send(topic, message)));
    const gate = new Gate();
    const foreseen: string[] = [];
    const foresee = (message: string): void => {
      expect(gate.seen).not.to.include(message);
      foreseen.push(message);
    };
    const subscription = bus.subscribe(topic, gate.handle, { room: () => 2, foresee });
    await sees(gate.seen, 1);
    expect(foreseen).to.deep.equal(numbered("m", 2));
    gate.open();
    await sees(gate.seen, 10);
    await subscription.stop();
    expect(foreseen).to.deep.equal(numbered("m", 10));
  });

  it("keeps a message back for the company that makes a request worth it, with whatever else goes there or for a moment", async () => {
    const topic = await setting.topic();
    const patient = setting.open(8, { producer: { "linger-ms": 3_600_000 } }).bus;
    const sent: string[] = [];
    const send = async (bus: Bus, message: string, company?: number): Promise<void> => {
      await bus.send(topic, message, company === undefined ? {} : { company });
      sent.push(message);
    };
    const first = send(patient, "a", 2);
    await setting.open().bus.send(topic, "meanwhile");
    expect(sent, "though the broker takes others").to.deep.equal([]);
    await Promise.all([first, send(patient, "b", 2)]);
    await Promise.all([send(patient, "c", 9), send(patient, "d")]);
    await send(setting.open(8, { producer: { "linger-ms": 1 } }).bus, "e", 9);
    expect(sent).to.deep.equal(["a", "b", "c", "d", "e"]);
  });

  it("commits no more than there is room for, and waits while there is none", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(8);
    await Promise.all(numbered("m", 20).map((message) => bus.send(topic, message)));
    const gate = new Gate();
    const subscription = bus.subscribe(topic, gate.handle, { room: () => 1 });
    for (let taken = 1; taken <= 3; taken++) {
      await sees(gate.seen, taken);
      expect(await setting.committed(topic)).to.equal(taken);
      expect(gate.waiting).to.equal(1);
      gate.letOne();
    }
    gate.open();
    await sees(gate.seen, 20);
    await subscription.stop();
    expect(gate.seen).to.deep.equal(numbered("m", 20));
  });

  it("commits at most maxPeek at once where the reader says nothing of its room", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(3);
    await Promise.all(numbered("m", 10).map((message) => bus.send(topic, message)));
    const gate = new Gate();
    const subscription = bus.subscribe(topic, gate.handle);
    await sees(gate.seen, 1);
    expect(await setting.committed(topic)).to.equal(3);
    gate.open();
    await sees(gate.seen, 10);
    await subscription.stop();
  });

  it("stays a member of its group while a message is worked on for longer than the session", async () => {
    const topic = await setting.topic();
    const consumer = { "session-timeout-ms": 6000, "heartbeat-interval-ms": 1000 };
    const { bus, interruptions } = setting.open(1, { consumer });
    await Promise.all(numbered("m", 2).map((message) => bus.send(topic, message)));
    const gate = new Gate();
    const subscription = bus.subscribe(topic, gate.handle);
    await sees(gate.seen, 1);
    const [member] = await setting.members(topic);
    // A second reader takes over the topic when the first one's session runs out; it must not.
    const second = setting.open(1, { consumer });
    const seenBySecond: string[] = [];
    const other = second.bus.subscribe(topic, (message) => {
      seenBySecond.push(message);
    });
    const start = performance.now();
    await within(patienceMs, () => performance.now() - start > 8_000 || undefined);
    expect(await setting.members(topic)).to.contain(member);
    expect(interruptions).to.deep.equal([]);
    gate.open();
    await sees([...gate.seen, ...seenBySecond], 1);
    await within(patienceMs, () => gate.seen.length + seenBySecond.length === 2 || undefined);
    await Promise.all([subscription.stop(), other.stop()]);
    expect([...gate.seen, ...seenBySecond]).to.have.members(["m0", "m1"]);
  });

  it("leaves to the next reader, after a stop, exactly what was not handed over", async () => {
    const topic = await setting.topic();
    const first = setting.open(4);
    const sent = numbered("m", 12);
    await Promise.all(sent.map((message) => first.bus.send(topic, message)));
    const gate = new Gate();
    const subscription = first.bus.subscribe(topic, gate.handle);
    await sees(gate.seen, 1);
    const stopped = subscription.stop();
    gate.open();
    await stopped;
    expect([gate.seen.length, await setting.committed(topic)]).to.deep.equal([4, 4]);
    const seen: string[] = [];
    const next = setting.open().bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    await sees(seen, sent.length - gate.seen.length);
    await next.stop();
    expect([...gate.seen, ...seen]).to.deep.equal(sent);
  });

  it("lets a second member of the group take over when the first one leaves", async () => {
    const topic = await setting.topic();
    const consumer = { "heartbeat-interval-ms": 200 };
    const [one, two] = [setting.open(4, { consumer }), setting.open(4, { consumer })];
    const seen: string[][] = [[], []];
    const sender = setting.open().bus;
    const first = one.bus.subscribe(topic, (message) => {
      seen[0]?.push(message);
    });
    await sender.send(topic, "a");
    await sees(seen[0] ?? [], 1);
    const second = two.bus.subscribe(topic, (message) => {
      seen[1]?.push(message);
    });
    await within(patienceMs, async () => (await setting.members(topic)).length === 2 || undefined);
    await Promise.all(numbered("b", 50).map((message) => sender.send(topic, message)));
    await within(patienceMs, () => seen.flat().length === 51 || undefined);
    await first.stop();
    await Promise.all(numbered("c", 50).map((message) => sender.send(topic, message)));
    await within(patienceMs, () => seen.flat().length === 101 || undefined);
    await second.stop();
    expect(seen.flat()).to.have.members(["a", ...numbered("b", 50), ...numbered("c", 50)]);
    expect(seen[1]).to.include.members(numbered("c", 50));
  });

  it("knows how many messages wait", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    expect(await bus.lag(topic)).to.equal(undefined);
    const gate = new Gate();
    const subscription = bus.subscribe(topic, gate.handle, { room: () => 1 });
    await Promise.all(numbered("m", 5).map((message) => bus.send(topic, message)));
    await sees(gate.seen, 1);
    expect(await bus.lag(topic)).to.equal(4);
    gate.open();
    await sees(gate.seen, 5);
    expect(await bus.lag(topic)).to.equal(0);
    await subscription.stop();
  });

  it("tells of a handler that throws, and goes on", async () => {
    const topic = await setting.topic();
    const { bus, faults } = setting.open();
    const seen: string[] = [];
    const subscription = bus.subscribe(topic, (message) => {
      seen.push(message);
      if (message === "m1") throw new Error("boom");
    });
    await Promise.all(numbered("m", 3).map((message) => bus.send(topic, message)));
    await sees(seen, 3);
    await subscription.stop();
    expect(faults).to.have.length(1);
  });

  it("reads from what is left when retention has removed what comes next", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open();
    const seen: string[] = [];
    const note = (message: string): void => {
      seen.push(message);
    };
    await bus.send(topic, "read");
    const subscription = bus.subscribe(topic, note);
    await sees(seen, 1);
    await subscription.stop();
    await Promise.all(numbered("m", 5).map((message) => bus.send(topic, message)));
    const partitions = [{ partition: 0, offset: "4" }];
    await setting.admin(async (admin) => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions });
    });
    const again = bus.subscribe(topic, note);
    await sees(seen, 3);
    await again.stop();
    expect(seen).to.deep.equal(["read", "m3", "m4"]);
  });

  it("works off a multiple of partitions, each in its order", async () => {
    const topic = await setting.topic(3);
    const { bus } = setting.open();
    const sent = numbered("m", 90);
    for (const message of sent) await bus.send(topic, message);
    const seen: string[] = [];
    const subscription = bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    await sees(seen, sent.length);
    await subscription.stop();
    expect(seen).to.have.members(sent);
  });
});
