// The message bus over Kafka: what the invoker needs of it, and what an operator wants to know of it.

import { join } from "node:path";
import type { Bus } from "./bus.ts";
import { type KafkaClient, type KafkaLogLine, kafkajs, openClient } from "./kafka-client.ts";
import { Reader } from "./kafka-reader.ts";
import { Sender } from "./kafka-sender.ts";
import type { KafkaSettings } from "./kafka-settings.ts";
import { endOffset, ensureTopic, type TopicSettings } from "./kafka-topics.ts";

export { KafkaBusError, type KafkaFailure } from "./kafka-errors.ts";
export {
  type KafkaBlock,
  type KafkaBlocks,
  type KafkaProperties,
  type KafkaSettings,
  type ReadKafkaSettings,
  readKafkaSettings,
} from "./kafka-settings.ts";
export type { KafkaLogLine, TopicSettings };
export { kafkajs };

export interface KafkaStatus {
  /** Is there a connection to any broker? */
  readonly isConnected: boolean;
  /** When that last changed, in ms since 1970. */
  readonly sinceMs: number;
  /** Bytes of messages that no broker has taken yet. */
  readonly queuedBytes: number;
  /** Messages sent a second time because the answer to the first got lost: they may be there twice. */
  readonly sentAgain: number;
}

export interface KafkaObserver {
  /** Lines of the client library. */
  log(line: KafkaLogLine): void;
  /** The first connection was made, or the last one lost. */
  connectionChanged(status: KafkaStatus): void;
  /** The consumer of a topic ended by a fault; another one takes its place. */
  readingInterrupted(topic: string, error: unknown): void;
  /** A handler threw; its message counts as read. */
  handlerFailed(topic: string, error: unknown): void;
  /** A message was read so long after its producer, or the broker, had dated it. Absent: nobody counts. */
  messageRead?(topic: string, delayMs: number): void;
  /** A reader has ended before it could learn whether so many messages were its own to run: they are run by its successor or by nobody. */
  leftInDoubt?(topic: string, messages: number): void;
  /** The answer to so many messages got lost: they are sent again, and may be there twice. */
  sentAgain(topic: string, messages: number): void;
}

export interface KafkaBusParts {
  readonly settings: KafkaSettings;
  /** Names the producers to the broker. */
  readonly clientId: string;
  /** Most messages that are committed at once: OpenWhisk's maxPeek. */
  readonly maxPeek: number;
  /**
   * A folder of this process alone, made where it is missing and kept over its restarts. With it, a process that takes the place of a killed one reads at once;
   * without, only when the killed one's session has run out (`session.timeout.ms`).
   */
  readonly memberFolder?: string;
  readonly observer: KafkaObserver;
}

export interface KafkaBus extends Bus {
  /** Creates a topic unless it is there. Throws KafkaBusError with code `topic`. */
  ensureTopic(topic: string, settings: TopicSettings): Promise<void>;
  /** A way of its own to the broker: what is sent there waits for nothing sent elsewhere. It ends with the bus. */
  openSender(maxRequestBytes: number): Pick<Bus, "send">;
  /** How many messages of the topic's first partition a subscription here has not taken; undefined before the first. Throws. */
  lag(topic: string): Promise<number | undefined>;
  status(): KafkaStatus;
  /** Ends all reading, waits up to `graceMs` for what is to be sent, and closes all connections. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/** Connects when it is used. While no broker is there, messages to be sent wait in order, up to a bound in bytes. */
export function openKafkaBus(parts: KafkaBusParts): KafkaBus {
  const { settings, clientId, maxPeek, memberFolder, observer } = parts;
  const senders: Sender[] = [];
  const readers: { readonly topic: string; readonly reader: Reader }[] = [];
  let connections = 0;
  let sinceMs = Date.now();
  const sum = (of: (sender: Sender) => number): number =>
    senders.reduce((all, sender) => all + of(sender), 0);
  const status = (): KafkaStatus => ({
    isConnected: connections > 0,
    sinceMs,
    queuedBytes: sum((sender) => sender.queuedBytes),
    sentAgain: sum((sender) => sender.sentAgain),
  });
  const onConnection = (change: 1 | -1): void => {
    const before = connections;
    connections += change;
    if (before > 0 === connections > 0) return;
    sinceMs = Date.now();
    observer.connectionChanged(status());
  };
  const log: KafkaObserver["log"] = (line) => observer.log(line);
  const open = (name: string) => (): KafkaClient =>
    openClient({ settings, clientId: name, log, onConnection });
  /** For a question in between: its end is no loss of the connection. */
  const openBriefly = (): KafkaClient =>
    openClient({ settings, clientId, log, onConnection: () => undefined });
  const openSender = (maxRequestBytes: number): Sender => {
    const sender = new Sender({
      settings: { ...settings.producer, maxRequestBytes },
      openClient: open(clientId),
      onSentAgain: (topic, messages) => observer.sentAgain(topic, messages),
      openProducer: ({ kafka }) =>
        kafka.producer({
          createPartitioner: kafkajs().Partitioners.DefaultPartitioner,
          metadataMaxAge: settings.producer.metadataMaxAgeMs,
          allowAutoTopicCreation: false,
          retry: { retries: 0 },
        }),
    });
    senders.push(sender);
    return sender;
  };
  const main = openSender(settings.producer.maxRequestBytes);
  let closed: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(readers.map(({ reader }) => reader.stop()));
    await Promise.all(senders.map((sender) => sender.close(graceMs)));
  };
  return {
    send: (topic, message, how) => main.send(topic, message, how),
    subscribe(topic, handle, { room = () => maxPeek, group = topic, foresee = () => undefined } = {}) {
      const reader = new Reader({
        ...{ topic, group, handle, foresee, settings: settings.consumer },
        room: () => Math.min(maxPeek, room()),
        memberFile: memberFolder && join(memberFolder, `${group}.member`),
        openClient: open(`consumer-${topic}`),
        onRead: (delayMs) => observer.messageRead?.(topic, delayMs),
        onFault: (error) => observer.handlerFailed(topic, error),
        onTrouble: (error) => observer.readingInterrupted(topic, error),
        onLeftInDoubt: (messages) => observer.leftInDoubt?.(topic, messages),
      });
      readers.push({ topic, reader });
      return reader;
    },
    ensureTopic: (topic, of) => ensureTopic(openBriefly, topic, of),
    openSender,
    async lag(topic) {
      const next = readers.findLast((one) => one.topic === topic)?.reader.nextOffset;
      if (next === undefined) return undefined;
      return Number((await endOffset(openBriefly, topic)) - next);
    },
    status,
    close(graceMs) {
      closed ??= close(graceMs);
      return closed;
    },
  };
}
