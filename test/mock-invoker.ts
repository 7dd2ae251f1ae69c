// A mock of an invoker: it speaks the wire (pings, acks) over any bus, and runs nothing.

import type {
  ActivationMessage,
  ActivationRecord,
  Bus,
  InvokerInstance,
  Subscription,
} from "../invoker/index.ts";

/** What it sends for a message: in what order, and with what outcome. */
export type MockAnswer =
  | "result, completion"
  | "completion, result"
  | "combined"
  | "shrunk"
  | "system-error"
  | "result"
  | "nothing";

export interface MockInvokerOptions {
  readonly instance: number;
  readonly userMemoryMB?: number;
  readonly topicPrefix?: string;
}

export class MockInvoker {
  readonly #bus: Bus;
  readonly #prefix: string;
  readonly #subscription: Subscription;
  readonly instance: InvokerInstance;
  /** Health tests it got, in order. */
  readonly tests: ActivationMessage[] = [];
  /** All other activations it got, in order. */
  readonly messages: ActivationMessage[] = [];
  answersTests: MockAnswer = "completion, result";
  answers: MockAnswer = "result, completion";

  constructor(bus: Bus, { instance, userMemoryMB = 512, topicPrefix = "" }: MockInvokerOptions) {
    this.#bus = bus;
    this.#prefix = topicPrefix;
    this.instance = {
      ...{ instance, userMemory: `${userMemoryMB * 2 ** 20} B`, instanceType: "invoker" },
      ...{ tags: [], dedicatedNamespaces: [], uniqueName: String(instance) },
    };
    this.#subscription = bus.subscribe(`${topicPrefix}invoker${instance}`, async (text) => {
      const message = JSON.parse(text) as ActivationMessage;
      const isTest = message.transid[0] === "sid_invokerHealth";
      (isTest ? this.tests : this.messages).push(message);
      await this.answer(message, isTest ? this.answersTests : this.answers);
    });
  }

  async ping(isEnabled = true): Promise<void> {
    await this.#bus.send(`${this.#prefix}health`, JSON.stringify({ name: this.instance, isEnabled }));
  }

  /** Sends the acks of a message; non-blocking ones get no result. */
  async answer(message: ActivationMessage, answer: MockAnswer): Promise<void> {
    const { transid, activationId, blocking } = message;
    const { instance } = this;
    const isSystemError = answer === "system-error";
    const send = (ack: object) =>
      this.#bus.send(
        `${this.#prefix}completed${message.rootControllerIndex.asString}`,
        JSON.stringify({ transid, ...ack }),
      );
    const result = async () => {
      if (blocking) {
        await send({ response: recordOf(message) });
      }
    };
    const completion = () => send({ activationId, isSystemError, instance });
    switch (answer) {
      case "result, completion":
        await result();
        return await completion();
      case "completion, result":
        await completion();
        return await result();
      case "result":
        return await result();
      case "combined":
      case "system-error":
        return await send({ response: recordOf(message, isSystemError ? 3 : 0), isSystemError, instance });
      case "shrunk":
        return await send({ response: activationId, isSystemError, instance });
      case "nothing":
        return;
    }
  }

  async close(): Promise<void> {
    await this.#subscription.stop();
  }
}

/** The record of a run that gave back its arguments. */
export function recordOf(message: ActivationMessage, statusCode: 0 | 3 = 0): ActivationRecord {
  const { action, user, activationId } = message;
  return {
    ...{ namespace: user.namespace.name, name: action.name, subject: user.subject, activationId },
    ...{ start: 1_000, end: 1_005, duration: 5, logs: [], version: "0.0.1", publish: false },
    response: { statusCode, result: message.content ?? {}, size: 2 },
    annotations: [{ key: "path", value: `${action.path}/${action.name}` }],
  };
}
