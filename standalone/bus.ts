// The message bus of one machine: topics in memory, messages in order, each handed over at most once.

import type { Bus, Subscription } from "../invoker/index.ts";

/** Messages of one topic that nobody has read yet, with constant-time taking from the front. */
class Topic {
  #messages: string[] = [];
  #head = 0;
  /** Set while the one subscriber waits for a message. */
  wake: (() => void) | undefined;

  push(message: string): void {
    this.#messages.push(message);
    this.wake?.();
  }

  take(): string | undefined {
    const message = this.#messages[this.#head];
    if (message === undefined) {
      return undefined;
    }
    this.#head++;
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }
}

/**
 * Gives a bus within this process. A topic has one reader at a time (a second throws); what is sent before it
 * subscribes waits. `onFault` hears of handlers that throw: the message counts as read, as it would on Kafka.
 */
export function createBus(onFault: (topic: string, error: unknown) => void): Bus {
  const topics = new Map<string, Topic>();
  const read = new Set<string>();
  const topicOf = (name: string): Topic => {
    const topic = topics.get(name) ?? new Topic();
    topics.set(name, topic);
    return topic;
  };
  return {
    send(topic, message) {
      topicOf(topic).push(message);
      return Promise.resolve();
    },
    subscribe(name, handle) {
      const topic = topicOf(name);
      if (read.has(name)) {
        throw new Error(`topic ${name} has a reader already`);
      }
      read.add(name);
      let stopping = false;
      const readOn = async (): Promise<void> => {
        while (!stopping) {
          const message = topic.take();
          if (message === undefined) {
            await new Promise<void>((resolve) => {
              topic.wake = resolve;
            });
            topic.wake = undefined;
            continue;
          }
          try {
            await handle(message);
          } catch (error) {
            onFault(name, error);
          }
        }
        read.delete(name);
      };
      const stopped = readOn();
      const subscription: Subscription = {
        stop() {
          stopping = true;
          topic.wake?.();
          return stopped;
        },
      };
      return subscription;
    },
  };
}
