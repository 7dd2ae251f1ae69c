// Tells the other controllers of a cluster what to forget, and forgets what they tell.

import { type Bus, isJsonObject, parseExact, type Subscription } from "../../invoker/index.ts";
import type { ControllerSettings } from "../settings.ts";
import type { EntityStore } from "../store/entities.ts";

/** One message for every entity that this controller changes or removes, on a topic that all controllers read. */
export class CacheInvalidation {
  readonly #subscription: Subscription;

  constructor(parts: {
    readonly bus: Bus;
    readonly entities: EntityStore;
    readonly settings: ControllerSettings;
    readonly onFault: (what: string, error: unknown) => void;
  }) {
    const { bus, entities, settings, onFault } = parts;
    const topic = `${settings.topicPrefix}cacheInvalidation`;
    const own = `controller${settings.controller}`;
    entities.onChange((id) => {
      const message = JSON.stringify({ key: { mainId: id }, instanceId: own });
      bus.send(topic, message).catch((error: unknown) => onFault(`telling of the change of ${id}`, error));
    });
    const forget = (text: string): void => {
      try {
        const message = parseExact(text);
        if (!isJsonObject(message) || message.instanceId === own || !isJsonObject(message.key)) {
          return;
        }
        entities.forget(String(message.key.mainId));
      } catch (error) {
        onFault("a message of another controller", error);
      }
    };
    this.#subscription = bus.subscribe(topic, forget, { group: `${topic}${own}` });
  }

  /** Stops listening. */
  async close(): Promise<void> {
    await this.#subscription.stop();
  }
}
