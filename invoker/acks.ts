// Acknowledges one activation: its result at most once, its slot exactly once, whatever happens.

import type { Bus } from "./bus/bus.ts";
import { MessageTooLargeError } from "./bus/bus.ts";
import type { Observer } from "./observe.ts";
import type { Outcome } from "./outcome.ts";
import { type AckResponse, combinedAck, completionAck, resultAck } from "./wire/acks.ts";
import type { ActivationMessage, ActivationRecord, InvokerInstance, StatusCode } from "./wire/messages.ts";

export interface AckParts {
  readonly bus: Bus;
  readonly instance: InvokerInstance;
  readonly topicPrefix: string;
  readonly observer: Observer;
}

type Shape = "result" | "completion" | "combined";

/** The acks of one activation. No method rejects: a bus that does not take them is reported. */
export class Acks {
  readonly #message: ActivationMessage;
  readonly #parts: AckParts;
  #isSlotFreed: boolean = false;
  /** Settles when the bus has taken the result or refused it: a completion must not overtake it. */
  #result: Promise<void> | undefined;

  constructor(message: ActivationMessage, parts: AckParts) {
    this.#message = message;
    this.#parts = parts;
  }

  /**
   * As soon as the outcome is known. Who waits gets it here; with `withSlot` (nothing is left to collect) it frees the slot
   * as well. Resolves when the bus has it.
   */
  answer(record: ActivationRecord, outcome: Outcome, withSlot: boolean): Promise<void> {
    const { blocking } = this.#message;
    if (!blocking) return Promise.resolve();
    if (withSlot) return this.#combined({ record, resultText: outcome.resultText }, outcome.statusCode);
    const response = { record, resultText: outcome.resultText };
    this.#result = this.#send("result", response, (ack) => resultAck(this.#message.transid, ack));
    return this.#result;
  }

  /** The slot is free, unless that has been said already. */
  async complete(statusCode: StatusCode): Promise<void> {
    await this.#result;
    if (!this.#freeSlot()) return;
    const { transid, activationId } = this.#message;
    const ack = completionAck(transid, activationId, statusCode === 3, this.#parts.instance);
    await this.#send("completion", activationId, () => ack);
  }

  /** Nothing has run: result and slot at once, or only what has not been said yet. */
  async fail(record: ActivationRecord, outcome: Outcome): Promise<void> {
    const { blocking, activationId } = this.#message;
    if (this.#result !== undefined) return this.complete(outcome.statusCode);
    const response = blocking ? { record, resultText: outcome.resultText } : activationId;
    await this.#combined(response, outcome.statusCode);
  }

  async #combined(response: AckResponse, statusCode: StatusCode): Promise<void> {
    if (!this.#freeSlot()) return;
    const { transid } = this.#message;
    const { instance } = this.#parts;
    await this.#send("combined", response, (ack) => combinedAck(transid, ack, statusCode === 3, instance));
  }

  /** True once. */
  #freeSlot(): boolean {
    if (this.#isSlotFreed) return false;
    this.#isSlotFreed = true;
    return true;
  }

  /** A record that is too large for the bus is sent as its id: the controller then asks the database. */
  async #send(shape: Shape, response: AckResponse, text: (response: AckResponse) => string): Promise<void> {
    const { bus, topicPrefix, observer } = this.#parts;
    const { activationId, rootControllerIndex } = this.#message;
    const topic = `${topicPrefix}completed${rootControllerIndex.asString}`;
    try {
      try {
        await bus.send(topic, text(response));
      } catch (error) {
        if (!(error instanceof MessageTooLargeError)) throw error;
        await bus.send(topic, text(activationId));
      }
      observer.acked(shape);
    } catch (error) {
      observer.ackFailed(shape, this.#message, error);
    }
  }
}
