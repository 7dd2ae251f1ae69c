// User events of a controller: of the records it writes itself, and of the limits of namespaces.

import { activationEvent, type Bus, type Identity, type MetricName, metricEvent } from "../invoker/index.ts";
import type { ControllerSettings } from "./settings.ts";
import type { AnyRecord } from "./store/records.ts";

/** Sends them where they are switched on. What cannot be sent is a fault that nobody waits for. */
export class UserEvents {
  readonly #send: (text: string) => void;
  readonly #source: string;

  constructor(parts: {
    readonly bus: Bus;
    readonly settings: ControllerSettings;
    readonly onFault: (what: string, error: unknown) => void;
  }) {
    const { bus, settings, onFault } = parts;
    const { userEvents, controller } = settings;
    this.#source = `controller${controller}`;
    this.#send = (text) => {
      if (userEvents !== undefined) {
        const sent = bus.send(`${userEvents.topicPrefix}events`, text);
        sent.catch((error: unknown) => onFault("a user event", error));
      }
    };
  }

  /** A sequence or composition has ended. */
  activation(user: Identity, record: AnyRecord): void {
    this.#send(activationEvent(this.#origin(user), record));
  }

  metric(user: Identity, name: MetricName, value: number): void {
    this.#send(metricEvent(this.#origin(user), name, value));
  }

  #origin(user: Identity): { source: string; user: Identity; nowMs: number } {
    return { source: this.#source, user, nowMs: Date.now() };
  }
}
