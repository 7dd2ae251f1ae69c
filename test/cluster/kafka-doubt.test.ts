// What the bus does about a request of which nobody knows whether the broker saw it, and about two faults of kafkajs.

import { expect } from "chai";
import { within } from "../within.ts";
import { KafkaProxy, requestKinds } from "./kafka-proxy.ts";
import { KafkaSetting, numbered } from "./kafka-setting.ts";

const patienceMs = 60_000;

describe("the bus over Kafka in doubt", function () {
  this.timeout(120_000);
  let proxy: KafkaProxy;
  let setting: KafkaSetting;

  before(async () => {
    proxy = await KafkaProxy.open();
    setting = await KafkaSetting.start({ advertisedPort: proxy.port });
    proxy.target = Number(setting.broker.bootstrap.split(":")[1]);
  });
  after(async () => {
    await setting.close();
    await proxy.close();
  });

  for (const what of ["request", "answer"] as const) {
    it(`hands over every message once when the ${what} of a commit is lost`, async () => {
      const topic = await setting.topic();
      const { bus, interruptions } = setting.open(4);
      const seen: string[] = [];
      const subscription = bus.subscribe(topic, (message) => {
        seen.push(message);
      });
      await bus.send(topic, "first");
      await within(patienceMs, () => seen.length === 1 || undefined);
      const lost = proxy.lose(requestKinds.offsetCommit, what);
      await Promise.all(numbered("m", 3).map((message) => bus.send(topic, message)));
      await lost;
      await within(patienceMs, () => interruptions.length > 0 || undefined);
      await bus.send(topic, "last");
      await within(patienceMs, () => seen.includes("last") || undefined);
      await subscription.stop();
      expect(seen).to.deep.equal(["first", ...numbered("m", 3), "last"]);
      expect(await setting.committed(topic)).to.equal(5);
    });

    it(`hands over a message whose commit lost its ${what} though nothing comes after it`, async () => {
      const topic = await setting.topic();
      const { bus } = setting.open(4);
      const seen: string[] = [];
      const lost = proxy.lose(requestKinds.offsetCommit, what);
      const subscription = bus.subscribe(topic, (message) => {
        seen.push(message);
      });
      await bus.send(topic, "only");
      await lost;
      await within(patienceMs, () => seen.length > 0 || undefined);
      await subscription.stop();
      expect(seen).to.deep.equal(["only"]);
    });
  }

  for (const what of ["answer", "silence"] as const) {
    it(`hands over at its end what it has committed, though the end comes while the commit has no answer (${what})`, async () => {
      const topic = await setting.topic();
      const { bus, leftInDoubt } = setting.open(4);
      const seen: string[] = [];
      const lost = proxy.lose(requestKinds.offsetCommit, what);
      const subscription = bus.subscribe(topic, (message) => {
        seen.push(message);
      });
      await bus.send(topic, "only");
      await lost;
      await subscription.stop();
      expect(seen).to.deep.equal(["only"]);
      expect(leftInDoubt).to.deep.equal([]);
      expect(await setting.committed(topic)).to.equal(1);
    });
  }

  it("leaves to the next reader what it could not commit at its end", async () => {
    const topic = await setting.topic();
    const [first, second] = [setting.open(4), setting.open(4)];
    const seen: string[] = [];
    const lost = proxy.lose(requestKinds.offsetCommit, "request");
    const subscription = first.bus.subscribe(topic, (message) => {
      seen.push(`first ${message}`);
    });
    await first.bus.send(topic, "only");
    await lost;
    await subscription.stop();
    expect(first.leftInDoubt).to.deep.equal([]);
    second.bus.subscribe(topic, (message) => {
      seen.push(`second ${message}`);
    });
    await within(patienceMs, () => seen.length > 0 || undefined);
    expect(seen).to.deep.equal(["second only"]);
  });

  it("ends, and tells how many messages are nobody's perhaps, when the broker is gone too", async () => {
    const topic = await setting.topic();
    const { bus, leftInDoubt } = setting.open(4);
    const seen: string[] = [];
    const lost = proxy.lose(requestKinds.offsetCommit, "answer");
    const subscription = bus.subscribe(topic, (message) => {
      seen.push(message);
    });
    await bus.send(topic, "only");
    const { target } = proxy;
    await lost.then(() => {
      proxy.target = 1;
    });
    await subscription.stop();
    proxy.target = target;
    expect(seen).to.deep.equal([]);
    expect(leftInDoubt).to.deep.equal([1]);
  });

  it("sends again what got no answer, and counts it: it may be there twice", async () => {
    const { bus, doubts } = setting.open();
    const [requestLost, answerLost] = [await setting.topic(), await setting.topic()];
    for (const [topic, what] of [
      [requestLost, "request"],
      [answerLost, "answer"],
    ] as const) {
      await bus.send(topic, "a");
      const lost = proxy.lose(requestKinds.produce, what);
      await bus.send(topic, "b");
      await lost;
      await bus.send(topic, "c");
    }
    expect(await setting.messages(requestLost)).to.deep.equal(["a", "b", "c"]);
    expect(await setting.messages(answerLost)).to.deep.equal(["a", "b", "b", "c"]);
    expect(bus.status().sentAgain).to.equal(2);
    expect(doubts).to.deep.equal([
      [requestLost, 1],
      [answerLost, 1],
    ]);
  });

  it("sends to other topics by one connection, whatever becomes of topics that are not there or have no name that may be", async () => {
    const topic = await setting.topic();
    const { bus } = setting.open(4, { producer: { "max-block-ms": 3_000 } });
    await bus.send(topic, "first");
    let isOver = false;
    const failures = Promise.all(
      ["nowhere", "what?"].flatMap((name) =>
        numbered("x", 3).map((message) => bus.send(name, message).catch((error: Error) => error.name)),
      ),
    ).finally(() => {
      isOver = true;
    });
    let count = 1;
    for (; !isOver || count <= 20; count++) await bus.send(topic, "next");
    expect(await failures).to.deep.equal(Array(6).fill("KafkaBusError"));
    expect(await setting.messages(topic)).to.have.length(count);
    const used = proxy.produced.filter(({ request }) => request.includes(topic));
    expect(used.length).to.be.greaterThan(10);
    // The first failure of each may have cost one.
    expect(new Set(used.map(({ connection }) => connection)).size).to.be.at.most(3);
  });

  it("keeps most of its room for topics that are there, and sends to one that comes to be", async () => {
    const topic = await setting.topic();
    const producer = { "max-block-ms": 20_000, "buffer-memory": 100_000 };
    const { bus } = setting.open(4, { producer });
    const text = "x".repeat(10_000);
    const results = [bus.send("later", "first").catch((error: Error) => error)];
    await within(patienceMs, async () => {
      results.push(bus.send("later", text).catch((error: Error) => error));
      await bus.send(topic, text.repeat(6));
      return results.length > 10 || undefined;
    });
    await setting.create({ topic: "later" });
    const failures = (await Promise.all(results)).filter((result) => result !== undefined);
    expect(failures.map((failure) => "code" in failure && failure.code)).to.deep.equal(
      failures.map(() => "queue-full"),
    );
    expect(failures.length).to.be.within(6, 10);
    expect(await setting.messages("later")).to.have.length(results.length - failures.length);
    expect(bus.status().queuedBytes).to.equal(0);
  });

  it("sets no timer in the past, as kafkajs does after every answer", async () => {
    const topic = await setting.topic();
    const { setTimeout: original } = globalThis;
    const delays: number[] = [];
    globalThis.setTimeout = Object.assign((...args: Parameters<typeof original>) => {
      delays.push(args[1] ?? 0);
      return original(...args);
    }, original);
    try {
      await setting.open().bus.send(topic, "x");
    } finally {
      globalThis.setTimeout = original;
    }
    expect(delays).not.to.have.length(0);
    expect(delays.filter((delay) => delay < 0)).to.deep.equal([]);
  });
});
