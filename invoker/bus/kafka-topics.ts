// Makes sure that a topic is there before anybody is told of it.

import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaClient } from "./kafka-client.ts";
import { KafkaBusError, rootCause } from "./kafka-errors.ts";

export interface TopicSettings {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Kafka's own names, such as `retention.ms`. */
  readonly config: { readonly [name: string]: string };
}

const tries = 6;
const pauseMs = 1_000;

/** Creates the topic unless there is one of this name, whatever its settings are. Throws KafkaBusError with code `topic`. */
export async function ensureTopic(
  openClient: () => KafkaClient,
  topic: string,
  settings: TopicSettings,
): Promise<void> {
  for (let left = tries - 1; ; left--) {
    const client = openClient();
    try {
      await createTopic(client, topic, settings);
      return;
    } catch (error) {
      const cause = rootCause(error);
      if (left === 0 || !isRetriable(cause)) {
        throw new KafkaBusError(
          "topic",
          `topic ${topic} could not be created (${cause.message}): see KAFKA_HOSTS, the topic's settings and the broker's access rules`,
          { cause },
        );
      }
    } finally {
      client.close();
    }
    await sleep(pauseMs);
  }
}

async function createTopic({ kafka }: KafkaClient, topic: string, settings: TopicSettings): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    if ((await admin.listTopics()).includes(topic)) return;
    const { partitions: numPartitions, replicationFactor, config } = settings;
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor, configEntries }] });
  } finally {
    await admin.disconnect();
  }
}

/** Where the next message of the topic's first partition will lie. Throws what kafkajs throws. */
export async function endOffset(openClient: () => KafkaClient, topic: string): Promise<bigint> {
  const client = openClient();
  try {
    const admin = client.kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    return BigInt(offsets.find(({ partition }) => partition === 0)?.high ?? "0");
  } finally {
    client.close();
  }
}

/** A certificate that does not fit now will not in a second either, whatever kafkajs says of it. */
const tlsFault = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** What a cluster answers too while its brokers are still starting, or when all were held up so long that it counts them out. */
const tooFewBrokers = "INVALID_REPLICATION_FACTOR";

function isRetriable(cause: ReturnType<typeof rootCause>): boolean {
  const isTlsFault = "code" in cause && tlsFault.test(String(cause.code));
  const isTransient = "retriable" in cause && cause.retriable === true && !isTlsFault;
  return isTransient || cause.type === tooFewBrokers;
}
