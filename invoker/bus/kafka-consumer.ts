// One kafkajs consumer of one topic, from its start to the first fault, and who it is in its group.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Consumer } from "kafkajs";
import { Hold, within } from "../../pool/index.ts";
import { continueMembership, type KafkaClient, kafkajs } from "./kafka-client.ts";
import { isUnknownMember } from "./kafka-errors.ts";
import type { ConsumerSettings } from "./kafka-settings.ts";

export interface Life {
  readonly client: KafkaClient;
  readonly consumer: Consumer;
  /** Resolves with what ended it; with nothing where it was told to. */
  readonly ended: Promise<unknown>;
  readonly isOver: boolean;
  /** It has joined its group, and has a share in the topic. */
  readonly isReading: boolean;
  /** Idempotent: the first cause counts. */
  end(cause?: unknown): void;
  /** Takes leave of the group, so that nobody waits for this member. */
  leave(): Promise<void>;
}

/**
 * The id of a member of a group: whoever goes on with it takes the member's place at once. Kept in `file` if one is given, as
 * long as no other living process has it: two with one id would both be handed every message.
 */
export class Membership {
  readonly #file: string | undefined;
  #hold: Hold | undefined;
  #memberId: string | undefined;
  /** A disk that hangs keeps nobody from reading. */
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string | undefined) {
    this.#file = file;
  }

  get memberId(): string | undefined {
    return this.#memberId;
  }

  /** Before the group is joined. */
  async open(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      const lock = `${this.#file}.lock`;
      await writeFile(lock, "");
      this.#hold = await Hold.take(lock, "alone");
      if (this.#hold !== undefined) this.#memberId = await readFile(this.#file, "utf8");
    } catch {
      // None was left behind, or none can be: a new member then.
    }
  }

  remember(memberId: string | undefined): void {
    if (memberId === this.#memberId) return;
    this.#memberId = memberId;
    const file = this.#file;
    if (file === undefined || this.#hold === undefined) return;
    this.#writing = this.#writing
      .then(() => (memberId === undefined ? rm(file, { force: true }) : writeFile(file, memberId)))
      // A full disk only costs the next process a wait for the session of this one.
      .catch(() => undefined);
  }

  /** Once it is used no more. */
  async close(): Promise<void> {
    await within(longestWriteMs, this.#writing);
    await this.#hold?.release();
    this.#hold = undefined;
  }
}

const longestWriteMs = 1_000;
const firstRetryMs = 100;

/** Nothing is connected yet; the caller connects and runs `consumer`, and closes `client`. */
export function beginLife(
  client: KafkaClient,
  group: string,
  settings: ConsumerSettings,
  membership: Membership,
): Life {
  const consumer = client.kafka.consumer({
    groupId: group,
    sessionTimeout: settings.sessionMs,
    heartbeatInterval: settings.heartbeatMs,
    rebalanceTimeout: settings.rebalanceMs,
    maxWaitTimeInMs: settings.fetchMaxWaitMs,
    minBytes: settings.fetchMinBytes,
    maxBytes: settings.fetchMaxBytes,
    maxBytesPerPartition: settings.partitionFetchBytes,
    metadataMaxAge: settings.metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    readUncommitted: true,
    retry: { retries: 0, initialRetryTime: firstRetryMs, restartOnFailure: () => Promise.resolve(false) },
    partitionAssigners: [
      (assignment) => {
        continueMembership(assignment.cluster, membership);
        return kafkajs().PartitionAssigners.roundRobin(assignment);
      },
    ],
  });
  let isOver = false;
  let hasShare = false;
  let resolveEnded: (cause: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    resolveEnded = resolve;
  });
  const end = (cause?: unknown): void => {
    isOver = true;
    // Who joins under a name that the broker has forgotten is refused, again and again.
    if (isUnknownMember(cause)) membership.remember(undefined);
    resolveEnded(cause);
  };
  const { CRASH, GROUP_JOIN, REQUEST_TIMEOUT } = consumer.events;
  consumer.on(CRASH, ({ payload }) => end(payload.error));
  consumer.on(REQUEST_TIMEOUT, ({ payload }) => end(new Error(`${payload.broker} does not answer`)));
  consumer.on(GROUP_JOIN, ({ payload }) => {
    membership.remember(payload.memberId);
    hasShare = Object.values(payload.memberAssignment).some((partitions) => partitions.length > 0);
  });
  return {
    ...{ client, consumer, ended, end },
    get isOver() {
      return isOver;
    },
    get isReading() {
      return hasShare && !isOver;
    },
    async leave() {
      await consumer.disconnect().catch(() => undefined);
      // Nobody heard of a leave that was cut off: the next consumer takes the member's place.
      if (!client.isClosed) membership.remember(undefined);
    },
  };
}
