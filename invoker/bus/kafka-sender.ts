// Sends messages to Kafka in the order given, per topic, however long the broker is away; what waits is bounded in bytes.

import { setTimeout as sleep } from "node:timers/promises";
import type { Producer } from "kafkajs";
import { within } from "../../pool/index.ts";
import { countWithin } from "../batches.ts";
import { MessageTooLargeError, type SendOptions } from "./bus.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { isRefusal, judge, KafkaBusError, rootCause } from "./kafka-errors.ts";
import type { ProducerSettings } from "./kafka-settings.ts";

export interface SenderParts {
  readonly settings: ProducerSettings;
  readonly openClient: () => KafkaClient;
  readonly openProducer: (client: KafkaClient) => Producer;
  /** Nobody knows whether so many messages arrived: they are sent a second time. */
  readonly onSentAgain: (topic: string, messages: number) => void;
}

interface Queued {
  readonly message: string;
  readonly sizeBytes: number;
  /** As in SendOptions. */
  readonly company: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Connected {
  readonly client: KafkaClient;
  readonly producer: Producer;
}

/** A producer, or none at present. */
interface Way {
  connected?: Promise<Connected> | undefined;
  /** Of `connected`, from before it has connected. */
  client?: KafkaClient;
}

const shortestPauseMs = 100;
const longestPauseMs = 1_000;

/** Topics to which nothing can be sent at present may have so much of what may wait: one part of this many. */
const doubtfulPart = 4;

/** What a record batch and its one record add to the value at most: Kafka's own estimate. */
const recordOverheadBytes = 88;
const recordBytes = ({ sizeBytes }: Queued): number => sizeBytes + recordOverheadBytes;

/**
 * One kafkajs producer, replaced whenever a request on it fails, so that no state of it outlives a fault. Per topic one request is
 * on its way at a time, with all that was sent meanwhile; the next one waits a moment for company that is expected. A request whose
 * answer was lost is sent again: its messages may arrive twice.
 * A topic that is not there, or may not be written to, has a producer of its own from its first failure on: kafkajs has all others fail with it.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #lanes = new Map<string, Queued[]>();
  readonly #pumps = new Set<Promise<void>>();
  /** By topic: ends its waiting for company. */
  readonly #gathering = new Map<string, () => void>();
  readonly #closing = new AbortController();
  readonly #main: Way = {};
  /** For doubtful topics. */
  readonly #trial: Way = {};
  readonly #doubtful = new Set<string>();
  #queuedBytes = 0;
  #sentAgain = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Bytes of messages the broker has not taken yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Messages sent a second time because nobody knows whether the first arrived. */
  get sentAgain(): number {
    return this.#sentAgain;
  }

  /** As `Bus.send`. Throws KafkaBusError as well. */
  send(topic: string, message: string, { company = 1 }: SendOptions = {}): Promise<void> {
    const sizeBytes = Buffer.byteLength(message);
    const { maxRequestBytes, maxQueuedBytes } = this.#parts.settings;
    if (sizeBytes + recordOverheadBytes > maxRequestBytes) {
      return Promise.reject(
        new MessageTooLargeError(
          `a message of ${sizeBytes} bytes to ${topic} is over max.request.size (${maxRequestBytes})`,
        ),
      );
    }
    if (this.#closing.signal.aborted) return Promise.reject(closedError(topic));
    const doubtfulBytes = this.#doubtful.has(topic) ? this.#doubtfulBytes() : 0;
    const isFull =
      (this.#queuedBytes > 0 && this.#queuedBytes + sizeBytes > maxQueuedBytes) ||
      (doubtfulBytes > 0 && doubtfulBytes + sizeBytes > maxQueuedBytes / doubtfulPart);
    if (isFull) {
      return Promise.reject(
        new KafkaBusError(
          "queue-full",
          `${this.#queuedBytes} bytes wait for Kafka already: a message to ${topic} is dropped; see why no broker takes them`,
        ),
      );
    }
    this.#queuedBytes += sizeBytes;
    return new Promise((resolve, reject) => {
      this.#enqueue(topic, { message, sizeBytes, company, resolve, reject });
    });
  }

  /** Waits up to `graceMs` for what is queued, then fails it, what a broker has in hand too. */
  async close(graceMs: number): Promise<void> {
    await within(graceMs, this.#flushed());
    this.#closing.abort();
    const ways = [this.#main, this.#trial];
    if (this.#pumps.size > 0) for (const { client } of ways) client?.close();
    await this.#flushed();
    for (const way of ways) this.#discard(way, way.connected);
  }

  #doubtfulBytes(): number {
    return [...this.#lanes]
      .filter(([topic]) => this.#doubtful.has(topic))
      .reduce((sum, [, lane]) => lane.reduce((all, { sizeBytes }) => all + sizeBytes, sum), 0);
  }

  async #flushed(): Promise<void> {
    while (this.#pumps.size > 0) await Promise.all(this.#pumps);
  }

  #enqueue(topic: string, queued: Queued): void {
    const lane = this.#lanes.get(topic);
    if (lane !== undefined) {
      lane.push(queued);
      if (isWorthIt(lane)) this.#gathering.get(topic)?.();
      return;
    }
    const opened = [queued];
    this.#lanes.set(topic, opened);
    const pump = this.#pump(topic, opened).finally(() => this.#pumps.delete(pump));
    this.#pumps.add(pump);
  }

  /** Works off a topic's queue, and ends with it. */
  async #pump(topic: string, lane: Queued[]): Promise<void> {
    await Promise.resolve();
    const { batchBytes, lingerMs, missingTopicMs } = this.#parts.settings;
    let failingSinceMs: number | undefined;
    let pauseMs = shortestPauseMs;
    let alone = 0;
    while (lane.length > 0) {
      if (lingerMs > 0 && !isWorthIt(lane)) await this.#gather(topic);
      const batch = lane.slice(0, alone > 0 ? 1 : countWithin(batchBytes, lane, recordBytes));
      const error = this.#closing.signal.aborted ? closedError(topic) : await this.#attempt(topic, batch);
      const verdict =
        error === undefined ? "taken" : error instanceof KafkaBusError ? "refused" : judge(error);
      if (verdict === "taken") this.#doubtful.delete(topic);
      if (verdict === "missing" || verdict === "refused") this.#doubtful.add(topic);
      failingSinceMs = verdict === "missing" ? (failingSinceMs ?? performance.now()) : undefined;
      const isGivenUp = failingSinceMs !== undefined && performance.now() - failingSinceMs >= missingTopicMs;
      if (verdict === "again" || (verdict === "missing" && !isGivenUp)) {
        await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        continue;
      }
      pauseMs = shortestPauseMs;
      if (verdict === "too-large" && batch.length > 1) {
        alone = batch.length;
        continue;
      }
      alone = Math.max(0, alone - 1);
      lane.splice(0, batch.length);
      for (const queued of batch) {
        this.#queuedBytes -= queued.sizeBytes;
        if (verdict === "taken") queued.resolve();
        else queued.reject(failure(topic, verdict, error));
      }
    }
    this.#lanes.delete(topic);
  }

  /** Resolves when there is enough for a request, or it has been waited for long enough. */
  #gather(topic: string): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#gathering.delete(topic);
        resolve();
      };
      const timer = setTimeout(end, this.#parts.settings.lingerMs);
      this.#gathering.set(topic, end);
    });
  }

  /** Gives the error of one request, undefined where the broker took it. */
  async #attempt(topic: string, batch: readonly Queued[]): Promise<Error | undefined> {
    const way = this.#doubtful.has(topic) ? this.#trial : this.#main;
    way.connected ??= this.#connect(way);
    const { connected } = way;
    let isOnItsWay = false;
    try {
      const { producer } = await connected;
      const { acks, requestMs } = this.#parts.settings;
      const messages = batch.map(({ message }) => ({ key: null, value: message }));
      isOnItsWay = true;
      await producer.send({ topic, acks, timeout: requestMs, messages });
      if (way === this.#trial) this.#discard(way, connected);
      return undefined;
    } catch (error) {
      if (judge(error) !== "too-large") this.#discard(way, connected);
      if (isOnItsWay && judge(error) === "again" && !isRefusal(error)) {
        this.#sentAgain += batch.length;
        this.#parts.onSentAgain(topic, batch.length);
      }
      return rootCause(error);
    }
  }

  async #connect(way: Way): Promise<Connected> {
    const client = this.#parts.openClient();
    way.client = client;
    const producer = this.#parts.openProducer(client);
    try {
      await producer.connect();
      return { client, producer };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Not used again; requests of other topics that are on their way on it may end. */
  #discard(way: Way, connected: Promise<Connected> | undefined): void {
    if (connected === undefined || way.connected !== connected) return;
    way.connected = undefined;
    connected
      .then(({ client, producer }) =>
        within(this.#parts.settings.requestMs, producer.disconnect()).finally(() => client.close()),
      )
      .catch(() => undefined);
  }
}

/** One that waits for no company goes at once, with all others. */
function isWorthIt(lane: readonly Queued[]): boolean {
  return lane.some(({ company }) => company <= lane.length);
}

function closedError(topic: string): KafkaBusError {
  return new KafkaBusError("closed", `the bus is closed: a message to ${topic} is dropped`);
}

function failure(
  topic: string,
  verdict: "too-large" | "refused" | "missing",
  cause: Error | undefined,
): Error {
  if (cause instanceof KafkaBusError) return cause;
  if (verdict === "too-large") {
    return new MessageTooLargeError(`a message to ${topic} is over the topic's max.message.bytes`, { cause });
  }
  const remedy =
    verdict === "missing"
      ? `there is no topic ${topic}: its reader creates it at its start`
      : `Kafka does not take messages to ${topic} (${cause?.message}): see its access rules`;
  return new KafkaBusError("refused", remedy, { cause });
}
