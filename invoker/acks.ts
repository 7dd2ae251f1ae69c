// Acknowledges one activation: its result at most once, its slot exactly once, whatever happens.

import { type Clock, toldMs } from "../pool/index.ts";
import type { Background } from "./background.ts";
import type { Bus } from "./bus/bus.ts";
import { MessageTooLargeError } from "./bus/bus.ts";
import type { WireSettings } from "./config/wire-settings.ts";
import { activationEvent } from "./events.ts";
import { shortName } from "./instance.ts";
import type { Observer } from "./observe.ts";
import type { Outcome } from "./outcome.ts";
import { type AckResponse, combinedAck, completionAck, resultAck } from "./wire/acks.ts";
import type { ActivationMessage, ActivationRecord, InvokerInstance } from "./wire/messages.ts";

export interface AckParts {
  readonly bus: Bus;
  /** Activations whose slot is not free yet: they will have acks to send, too. */
  readonly underWay: () => number;
  readonly instance: InvokerInstance;
  readonly topicPrefix: string;
  readonly settings: Pick<WireSettings, "userEvents">;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly background: Background;
}

/** Of so many activations under way one has an ack to send within milliseconds; with fewer nobody waits for another's. */
const underWayPerAck = 4;

/** What the caller is told, and the record of it. */
export interface Told {
  readonly record: ActivationRecord;
  readonly outcome: Outcome;
}

type Shape = "result" | "completion" | "combined";

/** The acks of one activation. A bus that does not take them is reported: no method rejects for it. */
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
  answer(told: Told, withSlot: boolean): Promise<void> {
    const { blocking, transid } = this.#message;
    if (!blocking) return Promise.resolve();
    if (withSlot) return this.#combined(told, responseOf(told));
    this.#result = this.#send("result", responseOf(told), (response) => resultAck(transid, response));
    return this.#result;
  }

  /** The slot is free, unless that has been said already. Without `told` the invoker is at fault: a whisk error. */
  async complete(told?: Told): Promise<void> {
    // Its failure is whoever's who awaits `answer`.
    await this.#result?.catch(() => undefined);
    if (!this.#freeSlot(told)) return;
    const { transid, activationId } = this.#message;
    const isSystemError = told === undefined || told.outcome.statusCode === 3;
    const ack = completionAck(transid, activationId, isSystemError, this.#parts.instance);
    await this.#send("completion", activationId, () => ack);
  }

  /** Nothing has run: result and slot at once, or only what has not been said yet. */
  async fail(told: Told): Promise<void> {
    if (this.#result !== undefined) return this.complete(told);
    const { blocking, activationId } = this.#message;
    await this.#combined(told, blocking ? responseOf(told) : activationId);
  }

  /** Nothing has run, and nothing is recorded: even who waits is told no more than the id. */
  async failByIdOnly(told: Told): Promise<void> {
    await this.#combined(told, this.#message.activationId);
  }

  async #combined(told: Told, response: AckResponse): Promise<void> {
    if (!this.#freeSlot(told)) return;
    const { transid } = this.#message;
    const { instance } = this.#parts;
    const isSystemError = told.outcome.statusCode === 3;
    await this.#send("combined", response, (ack) => combinedAck(transid, ack, isSystemError, instance));
  }

  /** True once; the event goes out with it. */
  #freeSlot(told: Told | undefined): boolean {
    if (this.#isSlotFreed) return false;
    this.#isSlotFreed = true;
    if (told !== undefined) this.#announce(told.record);
    return true;
  }

  #announce(record: ActivationRecord): void {
    const { bus, settings, instance, clock, background } = this.#parts;
    const { userEvents } = settings;
    if (userEvents === undefined) return;
    background.track("user-event", this.#message, () => {
      const source = shortName(instance);
      const { user } = this.#message;
      const event = activationEvent({ source, user, nowMs: Math.floor(toldMs(clock)) }, record);
      return bus.send(`${userEvents.topicPrefix}events`, event);
    });
  }

  /** A record that is too large for the bus is sent as its id: the controller then asks the database. */
  async #send(shape: Shape, response: AckResponse, text: (response: AckResponse) => string): Promise<void> {
    const { bus, underWay, topicPrefix, observer } = this.#parts;
    const { activationId, rootControllerIndex } = this.#message;
    const topic = `${topicPrefix}completed${rootControllerIndex.asString}`;
    const how = { company: Math.ceil(underWay() / underWayPerAck) };
    try {
      try {
        await bus.send(topic, text(response), how);
      } catch (error) {
        if (!(error instanceof MessageTooLargeError)) throw error;
        await bus.send(topic, text(activationId), how);
      }
      observer.acked(shape);
    } catch (error) {
      observer.ackFailed(shape, this.#message, error);
    }
  }
}

function responseOf({ record, outcome }: Told): AckResponse {
  return { record, resultText: outcome.resultText };
}
