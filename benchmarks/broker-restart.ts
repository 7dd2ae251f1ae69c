// The broker is killed while messages wait for the invoker, and started again: how soon they go on, and whether each of them is
// answered exactly once.

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, Kafka, Partitioners } from "kafkajs";
import { within } from "../test/within.ts";
import { orderText } from "./caller.ts";
import type { ClusterMachine } from "./cluster-machine.ts";

/** Waiting before the broker is killed, and how many are answered then. */
const messages = 600;
const answeredBefore = 100;
const lookEveryMs = 10;
const patienceMs = 30_000;

/** Whose acks are stamped by the broker as they come. */
const controller = "2";
const topic = `completed${controller}`;

export interface Restart {
  /** From the first connection that the broker accepts to the first answer to a message that nobody had read before. */
  readonly recoveredMs: number;
  readonly lost: number;
  /** Answers and freed slots beyond the first of an activation. */
  readonly doubled: number;
}

interface Ack {
  readonly stampMs: number;
  readonly id: string;
  readonly startMs: number | undefined;
  readonly freesSlot: boolean;
}

export async function prepareRestarts({ kafka }: ClusterMachine): Promise<void> {
  const configEntries = [{ name: "message.timestamp.type", value: "LogAppendTime" }];
  await kafka.admin((admin) => admin.createTopics({ topics: [{ topic, configEntries }] }));
}

/** `round` tells its activations from those of other rounds; the action is any that has been run before. */
export async function restartBroker(
  machine: ClusterMachine,
  round: number,
  action: { readonly name: string; readonly revision: string },
): Promise<Restart> {
  const { kafka } = machine;
  const ids = Array.from({ length: messages }, (_, i) =>
    `${round}${String(i).padStart(7, "0")}`.padStart(32, "b"),
  );
  const before = await endOf(machine);
  await sendAll(
    machine,
    ids.map((id) => orderText(id, action, controller)),
  );
  await within(patienceMs, async () => (await endOf(machine)) - before >= answeredBefore || undefined);
  await kafka.broker.kill("SIGKILL");
  const accepting = acceptsConnections(machine.bootstrap);
  await kafka.startAgain();
  const acceptedMs = await accepting;

  const acks: Ack[] = [];
  const stopReading = await readAcks(machine, (ack) => acks.push(ack));
  await within(patienceMs, () => isComplete(ids, acks) || undefined).catch(() => undefined);
  await stopReading();

  const recovered = acks.filter(({ startMs = 0, stampMs }) => startMs >= acceptedMs && stampMs >= acceptedMs);
  const count = (id: string, of: (ack: Ack) => boolean): number =>
    acks.filter((ack) => ack.id === id && of(ack)).length;
  const counts = ids.flatMap((id) => [
    count(id, ({ startMs }) => startMs !== undefined),
    count(id, ({ freesSlot }) => freesSlot),
  ]);
  return {
    recoveredMs: Math.min(...recovered.map(({ stampMs }) => stampMs)) - acceptedMs,
    lost: counts.filter((found) => found === 0).length,
    doubled: counts.reduce((sum, found) => sum + Math.max(0, found - 1), 0),
  };
}

/** How many acks have come so far. */
function endOf({ kafka }: ClusterMachine): Promise<number> {
  return kafka.admin(async (admin: Admin) => Number((await admin.fetchTopicOffsets(topic))[0]?.high ?? 0));
}

async function sendAll({ bootstrap }: ClusterMachine, texts: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrap], logCreator: () => () => undefined });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic: "invoker0", messages: texts.map((value) => ({ value })) });
  await producer.disconnect();
}

/** Resolves with the time, in ms since 1970, at which it is possible again to connect. */
async function acceptsConnections(bootstrap: string): Promise<number> {
  const [host = "", port = ""] = bootstrap.split(":");
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port: Number(port) });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return Date.now();
    await sleep(lookEveryMs);
  }
}

/** Hands over all acks of this controller, from the first on; gives what ends it. */
async function readAcks(
  { bootstrap }: ClusterMachine,
  hand: (ack: Ack) => void,
): Promise<() => Promise<void>> {
  const kafka = new Kafka({ brokers: [bootstrap], logCreator: () => () => undefined });
  const consumer = kafka.consumer({ groupId: `bench-acks-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const { activationId, response, instance } = JSON.parse(String(message.value)) as AckText;
      const id = activationId ?? response?.activationId ?? "";
      const stampMs = Number(message.timestamp);
      hand({ stampMs, id, startMs: response?.start, freesSlot: instance !== undefined });
      return Promise.resolve();
    },
  });
  return () => consumer.disconnect();
}

/** As much of an ack as matters here. */
interface AckText {
  readonly activationId?: string;
  readonly response?: { readonly activationId: string; readonly start: number };
  readonly instance?: object;
}

/** Is each activation answered, and its slot free? */
function isComplete(ids: readonly string[], acks: readonly Ack[]): boolean {
  const answered = new Set(acks.flatMap(({ id, startMs }) => (startMs === undefined ? [] : [id])));
  const freed = new Set(acks.flatMap(({ id, freesSlot }) => (freesSlot ? [id] : [])));
  return ids.every((id) => answered.has(id) && freed.has(id));
}
