// What the invoker needs of a message bus: topics with ordered messages, read at most once.

/** A running subscription; messages not yet handed over stay on the bus. */
export interface Subscription {
  /** False: none can be read now, for want of the broker or of a share in the topic. Absent: they always can. */
  readonly isReading?: boolean;
  /** Stops reading; resolves when the last handler call has returned. Idempotent. */
  stop(): Promise<void>;
}

/** The bus does not take messages of this length. */
export class MessageTooLargeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MessageTooLargeError";
  }
}

/** Of longer messages nobody hears ahead: reading them twice takes longer than is won. */
export const foreseenBytes = 64 * 1024;

export interface SubscriptionOptions {
  /** How many messages `handle` would take without waiting, for a bus that takes several off the topic at once. */
  readonly room?: () => number;
  /** Every group of readers gets all messages, and each message goes to one reader of a group. By default the topic's name. */
  readonly group?: string;
  /** Hears of a message as soon as it is read, while it is still being taken off the topic: it may yet go to another reader. */
  readonly foresee?: (message: string) => void;
}

export interface SendOptions {
  /**
   * So many messages to the topic, this one among them, are worth a request: a bus whose requests cost more than what is in them may
   * keep it back for a moment until there are as many. Absent: it goes at once.
   */
  readonly company?: number;
}

export interface Bus {
  /** Appends one message. Resolves when the bus has taken it. Throws MessageTooLargeError; anything else is a fault. */
  send(topic: string, message: string, how?: SendOptions): Promise<void>;
  /**
   * Hands over the topic's messages one by one, in order, each before it is run (at most once). The next one is
   * read only after `handle` has resolved: that is how a full pool holds the bus back.
   */
  subscribe(
    topic: string,
    handle: (message: string) => Promise<void> | void,
    how?: SubscriptionOptions,
  ): Subscription;
}
