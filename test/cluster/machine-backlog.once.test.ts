// Ten thousand messages that wait when the invoker starts, and a broker that dies among them: each is run once, in bounded memory.

import { expect } from "chai";
import type { AckMessage, ActivationRecord } from "../../invoker/index.ts";
import { within } from "../within.ts";
import { ClusterSetting, nodeKind } from "./cluster-setting.ts";
import type { InvokerProcess } from "./invoker-process.ts";
import type { WatchedBus } from "./kafka-setting.ts";

const limitMs = 600_000;
const waiting = 10_000;
/** All of them together are more than the invoker may have. */
const argumentBytes = 30_000;
const mostBytes = 250 * 2 ** 20;
const userMemoryMB = 512;
const actionMB = 128;
/** A controller that does not run: its acks are read by the test. */
const controller = { asString: "9", instanceType: "controller" } as const;

describe("an invoker with 10 000 messages waiting at its start", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  let watched: WatchedBus;
  let invoker: InvokerProcess;
  const sent = new Set<string>();
  /** How often each activation's slot was freed. */
  const freed = new Map<string, number>();

  before(async () => {
    cluster = await ClusterSetting.start({ isBrokerKilled: true });
    watched = cluster.kafka.open(1000);
    const { bus } = watched;
    const topic = { partitions: 1, replicationFactor: 1, config: {} };
    for (const name of ["invoker0", "completed9"]) await bus.ensureTopic(name, topic);
    const code = "function main({ text }) { return { length: text.length }; }";
    await cluster.controller.put("tiny", {
      ...{ exec: { kind: nodeKind, code }, limits: { memory: actionMB, logs: 0 } },
    });
    await order(waiting);
    bus.subscribe("completed9", (text) => {
      const { activationId = "" } = JSON.parse(text) as AckMessage;
      freed.set(activationId, (freed.get(activationId) ?? 0) + 1);
    });
    invoker = await cluster.invoker({ name: "backlog", id: 0, userMemoryMB, rewind: "on-change" });
  });
  after(() => cluster.close());

  async function order(count: number): Promise<void> {
    const text = "x".repeat(argumentBytes);
    for (let left = count; left > 0; left -= 100) {
      const messages = Array.from({ length: Math.min(100, left) }, () =>
        cluster.message("tiny", { rootControllerIndex: controller, content: { text } }),
      );
      for (const { activationId } of messages) sent.add(activationId);
      await Promise.all(messages.map((message) => watched.bus.send("invoker0", JSON.stringify(message))));
    }
  }

  async function allAreFreed(): Promise<void> {
    await within(limitMs, () => freed.size === sent.size || invoker.hasEnded || undefined);
    expect(new Set(freed.keys())).to.deep.equal(sent);
    const doubled = [...freed.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(doubled).to.be.at.most(sentAgain());
  }

  /** Acks whose first answer the broker's death took away: they may be there twice, and the invoker says so. */
  const sentAgain = (): number =>
    invoker.log
      .filter(({ event, topic }) => event === "kafka-sent-again" && topic === "completed9")
      .reduce((sum, { messages }) => sum + Number(messages), 0);

  it("runs each of them once, and has never more memory than 250 MiB", async () => {
    await allAreFreed();
    const peakBytes = invoker.peakBytes();
    console.log(`      peak of the resident memory: ${Math.round(peakBytes / 2 ** 20)} MiB`);
    expect(peakBytes).to.be.below(mostBytes);
  });

  it("goes on where it was when the broker is killed among five hundred more", async () => {
    await order(500);
    await within(limitMs, () => freed.size > waiting + 100 || undefined);
    await cluster.kafka.broker.kill("SIGKILL");
    await within(limitMs, () => invoker.log.some(({ event }) => event === "kafka-lost") || undefined);
    await cluster.kafka.startAgain();
    await allAreFreed();
    expect(invoker.peakBytes()).to.be.below(mostBytes);
  });

  it("stores a record of each, and none ran where there was no memory for it", async () => {
    const records = await within(limitMs, async () => {
      const found = await recordsOf("tiny");
      return found.length >= sent.size ? found : undefined;
    });
    expect(new Set(records.map(({ activationId }) => activationId))).to.deep.equal(sent);
    const failed = records.filter(({ response }) => response.statusCode !== 0);
    expect(failed).to.deep.equal([]);
    expect(mostAtATime(records)).to.be.within(2, userMemoryMB / actionMB);
  });

  async function recordsOf(action: string): Promise<readonly ActivationRecord[]> {
    const { username, password, origin } = new URL(cluster.databaseUrl);
    const credentials = Buffer.from(`${username}:${decodeURIComponent(password)}`).toString("base64");
    const response = await fetch(`${origin}/whisk_local_activations/_all_docs?include_docs=true`, {
      headers: { authorization: `Basic ${credentials}` },
    });
    const { rows } = (await response.json()) as { rows: readonly { readonly doc: ActivationRecord }[] };
    return rows.map(({ doc }) => doc).filter(({ name }) => name === action);
  }
});

/** A begin in the millisecond of an end comes after it. */
function mostAtATime(records: readonly ActivationRecord[]): number {
  const changes = records.flatMap(({ start, end }) =>
    start === end
      ? []
      : ([
          [start, 1],
          [end, -1],
        ] as const),
  );
  let now = 0;
  let most = 0;
  for (const [, change] of changes.sort(([a, up], [b, other]) => a - b || up - other)) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
