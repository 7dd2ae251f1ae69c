// What tests of the bus share: a broker, buses that remember what they were told, and topics of their own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, type ITopicConfig, Kafka } from "kafkajs";
import { type KafkaBlock, type KafkaBus, openKafkaBus, readKafkaSettings } from "../../invoker/bus/kafka.ts";
import { rootCause } from "../../invoker/bus/kafka-errors.ts";
import { type KafkaBroker, type KafkaOptions, startKafka } from "../../standalone/cluster/kafka.ts";
import { within } from "../within.ts";

const lookEveryMs = 50;
const patienceMs = 60_000;
/** A broker that no test kills need not be missed soon: it stays in its cluster when the machine holds it up for seconds. */
export const longSession = { "broker.session.timeout.ms": "60000" };

export interface KafkaWish extends Partial<KafkaOptions> {
  /** It is killed, stopped or frozen, and shall soon be back in its cluster then. */
  readonly isKilled?: boolean;
}

export interface Blocks {
  readonly common?: KafkaBlock;
  readonly producer?: KafkaBlock;
  readonly consumer?: KafkaBlock;
}

export interface WatchedBus {
  readonly bus: KafkaBus;
  readonly interruptions: unknown[];
  readonly faults: unknown[];
  /** What `connectionChanged` told, in order. */
  readonly connections: boolean[];
  /** Topics and numbers of messages that may be there twice. */
  readonly doubts: (readonly [topic: string, messages: number])[];
  /** Numbers of messages of which a reader did not learn whether they were its own. */
  readonly leftInDoubt: number[];
}

/** A broker in a folder of its own, its buses and the administrator's view; all end with `close`. */
export class KafkaSetting {
  broker: KafkaBroker;
  readonly folder: string;
  readonly #options: Partial<KafkaOptions>;
  readonly #buses: KafkaBus[] = [];
  #topics = 0;

  private constructor(folder: string, broker: KafkaBroker, options: Partial<KafkaOptions>) {
    this.folder = folder;
    this.broker = broker;
    this.#options = options;
  }

  static async start({ isKilled = false, properties, ...more }: KafkaWish = {}): Promise<KafkaSetting> {
    const options = { ...more, properties: { ...(isKilled ? {} : longSession), ...properties } };
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-kafka-"));
    const broker = await startKafka({ ...options, folder: join(folder, "1") });
    return new KafkaSetting(folder, broker, options);
  }

  /** After it was killed. */
  async startAgain(): Promise<void> {
    this.broker = await startKafka({ ...this.#options, folder: join(this.folder, "1") });
  }

  open(maxPeek = 8, blocks: Blocks = {}, hosts = this.broker.bootstrap): WatchedBus {
    const { settings, problems } = readKafkaSettings({
      hosts,
      common: blocks.common ?? {},
      producer: blocks.producer ?? {},
      consumer: blocks.consumer ?? {},
    });
    if (settings === undefined) throw new Error(problems.join("\n"));
    const watched = { interruptions: [], faults: [], connections: [], doubts: [], leftInDoubt: [] } as Omit<
      WatchedBus,
      "bus"
    >;
    const bus = openKafkaBus({
      settings,
      clientId: "test",
      maxPeek,
      observer: {
        log: () => {},
        connectionChanged: ({ isConnected }) => watched.connections.push(isConnected),
        readingInterrupted: (_, error) => watched.interruptions.push(error),
        handlerFailed: (_, error) => watched.faults.push(error),
        leftInDoubt: (_, messages) => watched.leftInDoubt.push(messages),
        sentAgain: (topic, messages) => watched.doubts.push([topic, messages]),
      },
    });
    this.#buses.push(bus);
    return { ...watched, bus };
  }

  /** The name of a new topic. */
  async topic(
    partitions = 1,
    config: { [name: string]: string } = {},
    replicationFactor = 1,
  ): Promise<string> {
    this.#topics++;
    const name = `invoker${this.#topics}`;
    await this.create({
      ...{ topic: name, numPartitions: partitions, replicationFactor },
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    });
    return name;
  }

  /** Resolves when each partition has a leader. kafkajs' own waiting fails where the broker has not heard of the topic yet. */
  async create(...topics: readonly ITopicConfig[]): Promise<void> {
    const names = topics.map(({ topic }) => topic);
    await this.admin(async (admin) => {
      // A broker that was held up for 1.5 s (see standalone/cluster/kafka.ts) is not counted until it is heard of again.
      const created = (): Promise<true | undefined> =>
        admin.createTopics({ topics: [...topics], waitForLeaders: false }).then(
          () => true,
          (error: unknown) => {
            const { type } = rootCause(error);
            if (type !== "INVALID_REPLICATION_FACTOR" && type !== "REQUEST_TIMED_OUT") throw rootCause(error);
            return undefined;
          },
        );
      await within(patienceMs, created);
      const led = async (): Promise<boolean> =>
        (await admin.fetchTopicMetadata({ topics: names })).topics.every(({ partitions }) =>
          partitions.every(({ leader }) => leader >= 0),
        );
      while (!(await led().catch(() => false))) await sleep(lookEveryMs);
    });
  }

  /** By a client of its own, without the bus. */
  async admin<Result>(ask: (admin: Admin) => Promise<Result>): Promise<Result> {
    const kafka = new Kafka({ brokers: [this.broker.internal], logCreator: () => () => {} });
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** The committed offset of the group that reads the topic; -1 before the first. */
  async committed(topic: string): Promise<number> {
    const [of] = await this.admin((admin) => admin.fetchOffsets({ groupId: topic, topics: [topic] }));
    return Number(of?.partitions[0]?.offset ?? -1);
  }

  /** The ids of the group's members. */
  async members(group: string): Promise<string[]> {
    const { groups } = await this.admin((admin) => admin.describeGroups([group]));
    return groups[0]?.members.map(({ memberId }) => memberId) ?? [];
  }

  /** All messages of the topic as they lie there, read without any group of the tests. */
  async messages(topic: string): Promise<string[]> {
    const [end] = await this.admin((admin) => admin.fetchTopicOffsets(topic));
    const count = Number(end?.high ?? 0) - Number(end?.low ?? 0);
    const kafka = new Kafka({ brokers: [this.broker.internal], logCreator: () => () => {} });
    const consumer = kafka.consumer({ groupId: `look-${topic}-${Math.random()}`, maxWaitTimeInMs: 50 });
    // By offset: kafkajs begins again where a broker that was held up is not the leader for a moment.
    const found = new Map<string, string>();
    if (count === 0) return [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ message }) => {
            found.set(message.offset, String(message.value));
            if (found.size === count) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return [...found.values()];
  }

  async close(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close(0)));
    await this.broker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `prefix0`, `prefix1` … */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
