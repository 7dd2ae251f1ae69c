// Reads one topic as a member of its group: commits, then hands over, and goes on after any fault of the broker.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import { within } from "../../pool/index.ts";
import { foreseenBytes, type Subscription } from "./bus.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { beginLife, type Life, Membership } from "./kafka-consumer.ts";
import { isRefusal } from "./kafka-errors.ts";
import type { ConsumerSettings } from "./kafka-settings.ts";

export interface ReaderParts {
  readonly topic: string;
  /** Who shares the topic's messages with it. */
  readonly group: string;
  readonly settings: ConsumerSettings;
  readonly handle: (message: string) => Promise<void> | void;
  /** Hears of a message while it is being committed; whether it is handed over here is open. */
  readonly foresee: (message: string) => void;
  /** How many messages `handle` takes without waiting; what is more is not committed yet. */
  readonly room: () => number;
  /** Keeps the member id for the next process; a process killed without a goodbye then need not wait for its own session to end. */
  readonly memberFile: string | undefined;
  readonly openClient: () => KafkaClient;
  /** A message was read, so long after the date that it bears. */
  readonly onRead: (delayMs: number) => void;
  /** `handle` threw; the message counts as read. */
  readonly onFault: (error: unknown) => void;
  /** The consumer ended, and another one takes its place. */
  readonly onTrouble: (error: unknown) => void;
  /** The reader ends without knowing whether so many messages are its own: they are not handed over. */
  readonly onLeftInDoubt: (messages: number) => void;
}

/** Messages whose commit got no answer: ours if the broker has the tag, else still to be read. */
interface InDoubt {
  readonly partition: number;
  readonly tag: string;
  readonly messages: readonly KafkaMessage[];
}

const shortestPauseMs = 100;
const longestPauseMs = 1_000;
const longestGoodbyeMs = 2_000;
/** At the end, to learn of messages in doubt whose they are. */
const longestDoubtMs = 5_000;
const longestBetweenBeatsMs = 1_000;

/** One reader of a topic, over as many consumers as it takes. */
export class Reader implements Subscription {
  readonly #parts: ReaderParts;
  readonly #membership: Membership;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #handing: Promise<void> = Promise.resolve();
  /** The batch that is worked off, as far as it is committed. */
  #taking: Promise<void> = Promise.resolve();
  #life: Life | undefined;
  #nextOffset: bigint | undefined;
  #inDoubt: InDoubt | undefined;
  #settling: Promise<void> | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#membership = new Membership(parts.memberFile);
    this.#ended = this.#read();
  }

  /**
   * Hands over what is committed, in doubt too, leaves the group, and resolves. What was fetched beyond is not committed: the next reader
   * gets it.
   */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#ended;
  }

  get isReading(): boolean {
    return this.#life?.isReading === true;
  }

  /** Where the next message of the first partition is to be read; undefined before the first one. */
  get nextOffset(): bigint | undefined {
    return this.#nextOffset;
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #read(): Promise<void> {
    await this.#membership.open();
    await this.#readUntil(this.#stopping.signal, () => false);
    await this.#readUntil(AbortSignal.timeout(longestDoubtMs), () => this.#inDoubt === undefined);
    if (this.#inDoubt !== undefined) this.#parts.onLeftInDoubt(this.#inDoubt.messages.length);
    await this.#handing;
    await this.#membership.close();
  }

  async #readUntil(end: AbortSignal, isEnough: () => boolean): Promise<void> {
    let pauseMs = shortestPauseMs;
    while (!end.aborted && !isEnough()) {
      const hadJoined = await this.#live(end);
      pauseMs = hadJoined ? shortestPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      await sleep(pauseMs, undefined, { signal: end }).catch(() => undefined);
    }
  }

  /** Until a fault or the end; where the reader stops, until nothing is in doubt. Gives whether the group was joined. */
  async #live(end: AbortSignal): Promise<boolean> {
    const { topic, group, settings, openClient, onTrouble } = this.#parts;
    const life = beginLife(openClient(), group, settings, this.#membership);
    this.#life = life;
    let hasJoined = false;
    const start = async (): Promise<void> => {
      await life.consumer.connect();
      await life.consumer.subscribe({ topic, fromBeginning: true });
      await life.consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => {
          const taking = this.#take(payload, life);
          this.#taking = taking.catch(() => undefined);
          return taking;
        },
      });
      if (life.isOver) return;
      await this.#settle(life);
      hasJoined = true;
      if (this.#isStopping) life.end();
    };
    const endLife = (): void => life.end();
    end.addEventListener("abort", endLife, { once: true });
    start().catch((error: unknown) => life.end(error));
    const trouble = await life.ended;
    end.removeEventListener("abort", endLife);
    if (trouble === undefined) {
      await this.#handing;
      await within(longestGoodbyeMs, life.leave());
    } else {
      onTrouble(trouble);
    }
    life.client.close();
    // A commit that was still to be answered is in doubt from now on.
    await within(longestGoodbyeMs, this.#taking);
    return hasJoined;
  }

  /** Works off one fetched batch in portions of which each fits at once. */
  async #take(
    { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary }: EachBatchPayload,
    life: Life,
  ): Promise<void> {
    await this.#settle(life);
    for (let at = 0; at < batch.messages.length; ) {
      while (
        !(await within(
          this.#betweenBeatsMs,
          this.#handing.then(() => true),
        ))
      ) {
        if (life.isOver) return;
        await heartbeat();
      }
      if (life.isOver || this.#isStopping) return;
      const messages = batch.messages.slice(at, at + Math.max(1, this.#parts.room()));
      const { offset } = messages.at(-1) as KafkaMessage;
      for (const message of messages)
        if ((message.value?.length ?? 0) <= foreseenBytes) this.#parts.foresee(textOf(message));
      await this.#commit(
        commitOffsetsIfNecessary,
        { partition: batch.partition, tag: randomUUID(), messages },
        life,
      );
      resolveOffset(offset);
      this.#handOver(messages);
      at += messages.length;
    }
  }

  get #betweenBeatsMs(): number {
    return Math.min(longestBetweenBeatsMs, this.#parts.settings.heartbeatMs / 3);
  }

  async #commit(
    commit: EachBatchPayload["commitOffsetsIfNecessary"],
    portion: InDoubt,
    life: Life,
  ): Promise<void> {
    const { partition, tag: metadata, messages } = portion;
    const next = BigInt(messages.at(-1)?.offset ?? "-1") + 1n;
    const partitions = [{ partition, offset: String(next), metadata }];
    try {
      await commit({ topics: [{ topic: this.#parts.topic, partitions }] });
      if (partition === 0) this.#nextOffset = next;
    } catch (error) {
      if (!isRefusal(error)) {
        this.#inDoubt = portion;
        life.end(error);
      }
      throw error;
    }
  }

  /** Finds out whether a commit that got no answer was made. The group was joined anew since: it cannot be made any more. */
  #settle(life: Life): Promise<void> {
    if (this.#inDoubt === undefined) return Promise.resolve();
    this.#settling ??= this.#askForTag(life, this.#inDoubt).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #askForTag({ client, isOver }: Life, inDoubt: InDoubt): Promise<void> {
    if (isOver) throw new Error("this consumer is over");
    const { topic, group } = this.#parts;
    const admin = client.kafka.admin();
    try {
      await admin.connect();
      await admin.fetchTopicMetadata({ topics: [topic] }); // without it kafkajs knows no broker to ask
      const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const found = committed?.partitions.find(({ partition }) => partition === inDoubt.partition);
      this.#inDoubt = undefined;
      if (found?.metadata === inDoubt.tag) this.#handOver(inDoubt.messages);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  /** In order, each awaited. They are committed: nothing keeps them from being handed over but the end of this process. */
  #handOver(messages: readonly KafkaMessage[]): void {
    const { handle, onRead, onFault } = this.#parts;
    const nowMs = Date.now();
    for (const { timestamp } of messages) onRead(nowMs - Number(timestamp));
    this.#handing = this.#handing.then(async () => {
      for (const message of messages) {
        try {
          await handle(textOf(message));
        } catch (error) {
          onFault(error);
        }
      }
    });
  }
}

function textOf({ value }: KafkaMessage): string {
  return value?.toString() ?? "";
}
