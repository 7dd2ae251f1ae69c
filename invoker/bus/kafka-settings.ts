// Reads the settings of Kafka's Java client, as operators have them, into what this bus needs; says which mean nothing here.

import type { ConnectionOptions } from "node:tls";
import type { SASLOptions } from "kafkajs";
import { readSecurity } from "./kafka-security.ts";

/** A block below `whisk.kafka`: settings of Kafka's Java client, dashes standing for dots, such as `security-protocol`. */
export type KafkaBlock = { readonly [name: string]: string | number | boolean };

/** The same by the client's own names, such as `security.protocol`. */
export type KafkaProperties = { readonly [name: string]: string | undefined };

/** `KAFKA_HOSTS` and the blocks below `whisk.kafka`. */
export interface KafkaBlocks {
  readonly hosts: string;
  readonly common: KafkaBlock;
  readonly producer: KafkaBlock;
  readonly consumer: KafkaBlock;
}

export interface ProducerSettings {
  /** How many replicas must have a message: the leader (1), all in sync (-1), or nobody is asked (0). */
  readonly acks: -1 | 0 | 1;
  readonly requestMs: number;
  readonly metadataMaxAgeMs: number;
  /** A longer message is refused before it is sent. */
  readonly maxRequestBytes: number;
  /** Messages of one topic that were sent meanwhile go together up to this sum. */
  readonly batchBytes: number;
  /** So long a message waits at most for company that is expected. */
  readonly lingerMs: number;
  /** What may wait while no broker takes it. */
  readonly maxQueuedBytes: number;
  /** So long a topic that is not there is waited for. */
  readonly missingTopicMs: number;
}

export interface ConsumerSettings {
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** How long a rebalance waits for a member. */
  readonly rebalanceMs: number;
  readonly fetchMaxWaitMs: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly partitionFetchBytes: number;
  readonly metadataMaxAgeMs: number;
}

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls?: ConnectionOptions;
  readonly sasl?: SASLOptions;
  readonly connectMs: number;
  readonly requestMs: number;
  readonly producer: ProducerSettings;
  readonly consumer: ConsumerSettings;
}

export interface ReadKafkaSettings {
  /** Undefined where there are problems. */
  readonly settings: KafkaSettings | undefined;
  /** One line each, naming the key and the remedy. */
  readonly problems: readonly string[];
  /** Keys that mean nothing here, with the reason. */
  readonly notApplicable: readonly { readonly key: string; readonly reason: string }[];
}

const mebibyte = 1024 * 1024;

/** OpenWhisk's own defaults; where it has none, those of the Java client (of its version 4 for `linger.ms`: before, it was 0). */
const producerDefaults = {
  ...{ acks: "1", "request.timeout.ms": "30000", "metadata.max.age.ms": "15000", "max.block.ms": "60000" },
  ...{ "max.request.size": String(mebibyte), "batch.size": "16384", "buffer.memory": String(64 * mebibyte) },
  "linger.ms": "5",
} satisfies KafkaProperties;

const consumerDefaults = {
  ...{ "session.timeout.ms": "30000", "heartbeat.interval.ms": "10000", "max.poll.interval.ms": "1800000" },
  ...{ "fetch.max.wait.ms": "500", "fetch.min.bytes": "1", "fetch.max.bytes": String(50 * mebibyte) },
  ...{ "max.partition.fetch.bytes": String(mebibyte), "metadata.max.age.ms": "300000" },
  "socket.connection.setup.timeout.ms": "10000",
} satisfies KafkaProperties;

/** Values that are what this bus does in any case; another one cannot be had. */
const fixed: KafkaProperties = {
  "enable.auto.commit": "false",
  "auto.offset.reset": "earliest",
  "enable.idempotence": "false",
  "compression.type": "none",
  "isolation.level": "read_uncommitted",
};

const acksByText: { readonly [text: string]: -1 | 0 | 1 | undefined } = { all: -1, "-1": -1, "0": 0, "1": 1 };

/** Pure but for the files of keys and certificates, which it reads. */
export function readKafkaSettings(blocks: KafkaBlocks): ReadKafkaSettings {
  const problems: string[] = [];
  const used = new Set(["acks"]);
  const common = propertiesOf(blocks.common);
  const producer: KafkaProperties = { ...producerDefaults, ...common, ...propertiesOf(blocks.producer) };
  const consumer: KafkaProperties = { ...consumerDefaults, ...common, ...propertiesOf(blocks.consumer) };
  const number = (block: KafkaProperties, name: string): number => {
    used.add(name);
    const value = Number(block[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    problems.push(`whisk.kafka: ${name} is "${block[name]}": give a whole number`);
    return 0;
  };
  const acks = acksByText[producer.acks ?? ""];
  if (acks === undefined) problems.push(`whisk.kafka.producer.acks is "${producer.acks}": give 0, 1 or all`);
  const requestMs = number(producer, "request.timeout.ms");
  const settings: KafkaSettings = {
    ...readSecurity(common, problems, used),
    brokers: readHosts(blocks.hosts, problems),
    connectMs: number(consumer, "socket.connection.setup.timeout.ms"),
    requestMs,
    producer: {
      acks: acks ?? 1,
      requestMs,
      metadataMaxAgeMs: number(producer, "metadata.max.age.ms"),
      maxRequestBytes: number(producer, "max.request.size"),
      batchBytes: number(producer, "batch.size"),
      lingerMs: number(producer, "linger.ms"),
      maxQueuedBytes: number(producer, "buffer.memory"),
      missingTopicMs: number(producer, "max.block.ms"),
    },
    consumer: {
      sessionMs: number(consumer, "session.timeout.ms"),
      heartbeatMs: number(consumer, "heartbeat.interval.ms"),
      rebalanceMs: number(consumer, "max.poll.interval.ms"),
      fetchMaxWaitMs: number(consumer, "fetch.max.wait.ms"),
      fetchMinBytes: number(consumer, "fetch.min.bytes"),
      fetchMaxBytes: number(consumer, "fetch.max.bytes"),
      partitionFetchBytes: number(consumer, "max.partition.fetch.bytes"),
      metadataMaxAgeMs: number(consumer, "metadata.max.age.ms"),
    },
  };
  if (settings.consumer.heartbeatMs >= settings.consumer.sessionMs) {
    problems.push("whisk.kafka.consumer: heartbeat-interval-ms must be below session-timeout-ms");
  }
  return {
    settings: problems.length === 0 ? settings : undefined,
    problems,
    notApplicable: findNotApplicable(blocks, used),
  };
}

function findNotApplicable(
  blocks: KafkaBlocks,
  used: ReadonlySet<string>,
): ReadKafkaSettings["notApplicable"] {
  const { common, producer, consumer } = blocks;
  return Object.entries({ common, producer, consumer }).flatMap(([block, settings]) =>
    Object.entries(settings).flatMap(([key, value]) => {
      const [name, text] = [dotted(key), String(value)];
      const isIgnored = !used.has(name) && text !== "" && fixed[name] !== text;
      return isIgnored ? [{ key: `whisk.kafka.${block}.${key}`, reason: reasonAgainst(name) }] : [];
    }),
  );
}

function reasonAgainst(name: string): string {
  return name in fixed
    ? `here it is always "${fixed[name]}"`
    : "a setting of Kafka's Java client that the client used here does not have";
}

/** As in stock, an empty value leaves the default in place. */
function propertiesOf(block: KafkaBlock): KafkaProperties {
  const pairs = Object.entries(block).map(([name, value]) => [dotted(name), String(value)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ""));
}

function dotted(name: string): string {
  return name.replaceAll("-", ".");
}

function readHosts(hosts: string, problems: string[]): string[] {
  const brokers = hosts
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
  const wrong = brokers.filter((broker) => {
    const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[^\s:]+):(\d{1,5})$/.exec(broker) ?? [];
    return port === undefined || Number(port) < 1 || Number(port) > 65_535;
  });
  if (brokers.length === 0)
    problems.push("KAFKA_HOSTS is empty: give host:port, several separated by commas");
  for (const broker of wrong)
    problems.push(`KAFKA_HOSTS has "${broker}": give host:port, with a port from 1 to 65535`);
  return brokers;
}
