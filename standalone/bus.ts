// The message bus of one machine: topics in memory, messages in order, each handed over at most once.

import type { Bus, Subscription } from "../invoker/index.ts";

/** Messages that one group has not read yet, with constant-time taking from the front. */
class Queue {
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
 * Gives a bus within this process. Every group of readers gets all messages of a topic, and has one reader at a time (a
 * second throws); what is sent before any group subscribes waits for the first. `onFault` hears of handlers that throw:
 * the message counts as read, as it would on Kafka.
 */
export function createBus(onFault: (topic: string, error: unknown) => void): Bus {
  const topics = new Map<string, Map<string, Queue>>();
  const read = new Set<Queue>();
  const groupsOf = (topic: string): Map<string, Queue> => {
    const groups = topics.get(topic) ?? new Map<string, Queue>();
    topics.set(topic, groups);
    return groups;
  };
  const queueOf = (topic: string, group: string): Queue => {
    const groups = groupsOf(topic);
    const queue = groups.get(group) ?? takeUnclaimed(groups) ?? new Queue();
    groups.set(group, queue);
    return queue;
  };
  return {
    send(topic, message) {
      const groups = groupsOf(topic);
      if (groups.size === 0) {
        groups.set(unclaimed, new Queue());
      }
      for (const queue of groups.values()) {
        queue.push(message);
      }
      return Promise.resolve();
    },
    subscribe(topic, handle, { group = topic } = {}) {
      const queue = queueOf(topic, group);
      if (read.has(queue)) {
        throw new Error(`topic ${topic} has a reader already`);
      }
      read.add(queue);
      let stopping = false;
      const readOn = async (): Promise<void> => {
        while (!stopping) {
          const message = queue.take();
          if (message === undefined) {
            await new Promise<void>((resolve) => {
              queue.wake = resolve;
            });
            queue.wake = undefined;
            continue;
          }
          try {
            await handle(message);
          } catch (error) {
            onFault(topic, error);
          }
        }
        read.delete(queue);
      };
      const stopped = readOn();
      const subscription: Subscription = {
        stop() {
          stopping = true;
          queue.wake?.();
          return stopped;
        },
      };
      return subscription;
    },
  };
}

/** The name of no group: its queue holds what was sent before any group came. */
const unclaimed = "";

function takeUnclaimed(groups: Map<string, Queue>): Queue | undefined {
  const queue = groups.get(unclaimed);
  groups.delete(unclaimed);
  return queue;
}
