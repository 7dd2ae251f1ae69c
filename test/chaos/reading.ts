// Reads what a chaos run has left in the broker and in the database: the books that are balanced at the end.

import { Kafka, type KafkaMessage } from "kafkajs";
import type { Ack, Commit, Sent, StoredRecord } from "./ledger.ts";
import type { LifeStory } from "./lives.ts";
import { faultOf, type Outcome } from "./load.ts";

const offsetsTopic = "__consumer_offsets";

/** All messages of a topic's only partition. Throws where the broker has dropped any of them already. */
async function readTopic(kafka: Kafka, topic: string): Promise<readonly KafkaMessage[]> {
  const admin = kafka.admin();
  await admin.connect();
  const [bounds] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const [low, high] = [Number(bounds?.low ?? 0), Number(bounds?.high ?? 0)];
  if (low > 0) throw new Error(`the broker has dropped the first ${low} messages of ${topic}`);
  // By offset: kafkajs begins again where a broker that was held up is not the leader for a moment.
  const found = new Map<string, KafkaMessage>();
  if (high === 0) return [];
  const consumer = kafka.consumer({ groupId: `look-${topic}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const each = ({ message }: { readonly message: KafkaMessage }): Promise<void> => {
      // Beyond `high` are the marks of this reading itself.
      if (Number(message.offset) < high) found.set(message.offset, message);
      if (Number(message.offset) >= high - 1) resolve();
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachMessage: ({ message }) => each({ message }) }).catch(reject);
  });
  await consumer.disconnect();
  return [...found.values()];
}

interface Order {
  readonly activationId: string;
  readonly blocking: boolean;
  readonly content?: { readonly token?: number };
}

interface AckText {
  readonly activationId?: string;
  readonly response?: string | { readonly activationId: string };
  readonly instance?: unknown;
}

/** What stands in the broker's logs. */
export async function readBroker(
  address: string,
  lives: readonly LifeStory[],
): Promise<{
  readonly sent: readonly Sent[];
  readonly acks: readonly Ack[];
  readonly commits: readonly Commit[];
}> {
  const kafka = new Kafka({ brokers: [address], logCreator: () => () => {} });
  const sent = (await readTopic(kafka, "invoker0")).map(({ offset, value }) => {
    const { activationId, blocking, content } = JSON.parse(String(value)) as Order;
    return { offset: Number(offset), activationId, token: content?.token, isBlocking: blocking };
  });
  const acks = (await readTopic(kafka, "completed0")).map(({ value, timestamp }) => {
    const { activationId = "", response, instance } = JSON.parse(String(value)) as AckText;
    return {
      activationId: typeof response === "object" ? response.activationId : (response ?? activationId),
      freesSlot: instance !== undefined,
      hasResult: typeof response === "object",
      atMs: Number(timestamp),
    };
  });
  return { sent, acks, commits: commitsOf(await readTopic(kafka, offsetsTopic), "invoker0", lives) };
}

/**
 * The commits of a group. Whose one is stands in the group's own messages between them: a commit that a killed process has left in
 * the network is taken as long as nobody else has joined.
 */
function commitsOf(
  messages: readonly KafkaMessage[],
  group: string,
  lives: readonly LifeStory[],
): readonly Commit[] {
  const commits: Commit[] = [];
  let life = lives[0]?.name ?? "";
  for (const { key, value, timestamp } of messages) {
    if (key === null || value === null) continue;
    const keyVersion = key.readInt16BE(0);
    const groupLength = key.readInt16BE(2);
    if (key.toString("utf8", 4, 4 + groupLength) !== group) continue;
    if (keyVersion === 2) {
      life = lives.findLast(({ startedMs }) => startedMs <= Number(timestamp))?.name ?? life;
    } else {
      commits.push({ life, next: Number(value.readBigInt64BE(2)), atMs: Number(timestamp) });
    }
  }
  return commits;
}

interface Row {
  readonly id: string;
  readonly value: { readonly rev: string };
  readonly doc: { readonly activationId: string; readonly response: Outcome };
}

/** All records of activations. `url` has name and password. */
export async function readRecords(
  url: string,
  database: string,
  tokenOf: (activationId: string) => number | undefined,
): Promise<readonly StoredRecord[]> {
  const { origin, username, password } = new URL(url);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(`${origin}/${database}/_all_docs?include_docs=true`, {
    headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
  });
  const { rows } = (await response.json()) as { readonly rows: readonly Row[] };
  return rows
    .filter(({ id }) => !id.startsWith("_design/"))
    .map(({ value, doc }) => ({
      activationId: doc.activationId,
      revision: value.rev,
      isSuccess: doc.response.statusCode === 0,
      fault: faultOf(doc.response, tokenOf(doc.activationId)),
    }));
}
