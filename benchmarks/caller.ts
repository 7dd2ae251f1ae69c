// What stands for a controller in the benchmarks: sends messages over any bus, and finds the reply to each.

import { Kafka, Partitioners } from "kafkajs";
import { messageFields } from "../test/unit/invoker/orders.ts";

/** The controller whose acks a caller reads; "0" is another's. */
export const fromController = "1";

/** As much of a reply as matters here: an ack of the invoker, or a message of the bare loop in the same form. */
interface Reply {
  readonly activationId?: string;
  readonly response?: { readonly activationId: string; readonly response: { readonly statusCode: number } };
  readonly instance?: object;
}

interface Waiting {
  readonly resolve: (answeredMs: number) => void;
  readonly reject: (error: Error) => void;
  readonly sentMs: number;
}

/** The message for a blocking call of `guest/<name>`, as a controller writes it. */
export function orderText(
  activationId: string,
  { name, revision }: { readonly name: string; readonly revision: string },
  controller = fromController,
): string {
  return JSON.stringify(
    messageFields({
      ...{ activationId, revision, transid: [activationId, Date.now()] },
      action: { path: "guest", name, version: "0.0.1" },
      rootControllerIndex: { asString: controller, instanceType: "controller" },
    }),
  );
}

export class Caller {
  readonly #send: (topic: string, message: string) => Promise<unknown>;
  readonly #waiting = new Map<string, Waiting>();
  /** Activations whose slot is not free yet. */
  readonly #slots = new Set<string>();
  #onIdle: () => void = () => undefined;
  #count = 0;

  constructor(send: (topic: string, message: string) => Promise<unknown>) {
    this.#send = send;
  }

  newId(): string {
    return (++this.#count).toString(16).padStart(32, "0");
  }

  /** Sends a message and resolves with the milliseconds until its reply is here. */
  async exchange(topic: string, id: string, message: string): Promise<number> {
    const answered = new Promise<number>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, sentMs: performance.now() });
    });
    await this.#send(topic, message);
    return await answered;
  }

  /** The same for an activation: until its result ack is here. Its slot may be free later, see `idle`. */
  invoke(action: { readonly name: string; readonly revision: string }): Promise<number> {
    const id = this.newId();
    this.#slots.add(id);
    return this.exchange("invoker0", id, orderText(id, action));
  }

  /** Resolves when no activation has a slot. */
  async idle(): Promise<void> {
    while (this.#slots.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  heard(text: string): void {
    const nowMs = performance.now();
    const { activationId, response, instance } = JSON.parse(text) as Reply;
    const id = activationId ?? response?.activationId ?? "";
    if (instance !== undefined && this.#slots.delete(id) && this.#slots.size === 0) this.#onIdle();
    const waiting = this.#waiting.get(id);
    // A completion may come before the result.
    if (waiting === undefined || response === undefined) return;
    this.#waiting.delete(id);
    if (response.response.statusCode === 0) waiting.resolve(nowMs - waiting.sentMs);
    else waiting.reject(new Error(`the benchmark's action failed: ${text}`));
  }
}

/** A caller over Kafka, by bare kafkajs with its defaults, that reads `topic` from its beginning. */
export async function connectCaller(
  bootstrap: string,
  topic: string,
): Promise<{ readonly caller: Caller; readonly close: () => Promise<void> }> {
  const kafka = new Kafka({ brokers: [bootstrap], logCreator: () => () => undefined });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: `bench-${topic}` });
  const caller = new Caller((to, value) => producer.send({ topic: to, messages: [{ value }] }));
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    eachMessage: ({ message }) => {
      caller.heard(String(message.value));
      return Promise.resolve();
    },
  });
  await joined;
  return {
    caller,
    async close() {
      await producer.disconnect();
      await consumer.disconnect();
    },
  };
}
