// What operators hear of the cluster around the invoker: its broker, its database, settings without effect.

import type { DockerFactoryOptions } from "../pool/index.ts";
import type { KafkaBus, KafkaObserver } from "./bus/kafka.ts";
import { type LagWatch, watchLag } from "./bus/kafka-lag.ts";
import type { Notice } from "./config/notices.ts";
import type { Observer } from "./observe.ts";
import { reasonOf, type StoreEvent, type TellEvent } from "./store/couchdb/events.ts";
import type { SpanTeller } from "./tracing-zipkin.ts";

/** Once for each setting that has no effect here. */
export function tellNotices(observer: Observer, notices: readonly Notice[]): void {
  for (const { code, setBy, key, text } of notices) {
    observer.noted("info", { event: `setting-${code}`, setBy, key }, text);
  }
}

/** What the client library itself has to say is for who looks for a fault. */
export function kafkaObserver(observer: Observer): KafkaObserver {
  return {
    log: ({ level, message, fields }) =>
      observer.noted("debug", { ...fields, event: `kafka-client-${level}` }, message),
    connectionChanged: ({ isConnected, queuedBytes }) => {
      if (isConnected) observer.noted("info", { event: "kafka-connected" }, "there is a connection to Kafka");
      else observer.noted("error", { event: "kafka-lost", queuedBytes }, "there is no connection to Kafka");
    },
    readingInterrupted: (topic, error) => {
      const fields = { event: "reading-interrupted", topic, reason: reasonOf(error) };
      observer.noted("warn", fields, "the reading of a topic begins anew");
    },
    handlerFailed: (topic, error) => {
      const fields = { event: "message-failed", topic, reason: reasonOf(error) };
      observer.noted("error", fields, "a message was not worked off");
    },
    leftInDoubt: (topic, messages) => {
      const fields = { event: "messages-in-doubt", topic, messages };
      observer.noted(
        "error",
        fields,
        "Kafka does not say whether messages were taken: they may be run by nobody",
      );
    },
    messageRead: (topic, delayMs) => observer.metrics.stock.read(topic, delayMs),
    sentAgain: (topic, messages) => {
      const fields = { event: "kafka-sent-again", topic, messages };
      observer.noted("warn", fields, "an answer of Kafka got lost: messages may be there twice");
    },
  };
}

/** That Docker's daemon does not answer, and that it does again. */
export function dockerTeller(observer: Observer): NonNullable<DockerFactoryOptions["onReach"]> {
  let isAway = false;
  return (failure) => {
    if (failure !== undefined) {
      const fields = { event: "docker-away", reason: failure.message };
      observer.noted("error", fields, "what needs Docker is refused until Docker answers");
    } else if (isAway) observer.noted("info", { event: "docker-back" }, "Docker answers again");
    isAway = failure !== undefined;
  };
}

/** That the databases do not answer when they are asked, and that they do again. */
export function databaseTeller(observer: Observer): (reason: string | undefined) => void {
  return (reason) => {
    if (reason === undefined) observer.noted("info", { event: "database-fit" }, "the databases answer again");
    else observer.noted("error", { event: "database-unfit", reason }, "a database is waited for");
  };
}

export function spanTeller(observer: Observer): SpanTeller {
  const count = (result: string, spans: number): void => observer.metrics.spans.inc({ result }, spans);
  return {
    sent: (spans) => count("sent", spans),
    dropped: (spans) => count("dropped", spans),
    zipkinChanged: (failure) => {
      if (failure === undefined) {
        observer.noted("info", { event: "zipkin-back" }, "Zipkin takes spans again");
        return;
      }
      const fields = { event: "zipkin-away", reason: reasonOf(failure) };
      observer.noted("warn", fields, "Zipkin takes no spans: they are dropped until it does");
    },
  };
}

/** How far the reading of a topic is behind. Nothing depends on its being known. */
export function followLag(
  observer: Observer,
  bus: Pick<KafkaBus, "lag">,
  topic: string,
  everyMs: number,
  afterMs?: number,
): LagWatch {
  const known = (messages: number): void => observer.metrics.stock.lagging(topic, messages);
  const unknown = (error: unknown): void => {
    const fields = { event: "lag-unknown", topic, reason: reasonOf(error) };
    observer.noted("info", fields, "the broker does not say how many messages wait");
  };
  return watchLag(bus, topic, everyMs, { known, unknown }, afterMs);
}

const storeTexts: { readonly [event in StoreEvent["event"]]: readonly ["info" | "warn" | "error", string] } =
  {
    "database-away": ["error", "the database takes no records: they are kept until it does"],
    "database-back": ["info", "the database takes records again"],
    "record-dropped": ["error", "there was no room any more for a record that the database did not take"],
    "record-refused": ["error", "the database will never take this record"],
    "spool-failed": ["error", "records that wait are in memory alone: they end with this process"],
    "spool-works-again": ["info", "records that wait are on disk again"],
    "spool-torn": ["warn", "the last record of a spool file was not written completely"],
    "spool-unreadable": ["error", "a spool file cannot be read: it stays until the next start"],
    "blocked-namespaces-unread": ["warn", "which namespaces are blocked is not known anew"],
  };

const losses: { readonly [event in StoreEvent["event"]]?: string } = {
  "record-dropped": "dropped",
  "record-refused": "refused",
};

export function storeTeller(observer: Observer): TellEvent {
  return (event) => {
    const why = losses[event.event];
    if (why !== undefined) observer.metrics.recordsLost.inc({ why });
    const [level, text] = storeTexts[event.event];
    observer.noted(level, event, text);
  };
}
