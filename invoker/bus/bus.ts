// What the invoker needs of a message bus: topics with ordered messages, read at most once.

/** A running subscription; messages not yet handed over stay on the bus. */
export interface Subscription {
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

export interface Bus {
  /** Appends one message. Resolves when the bus has taken it. Throws MessageTooLargeError; anything else is a fault. */
  send(topic: string, message: string): Promise<void>;
  /**
   * Hands over the topic's messages one by one, in order, each before it is run (at most once). The next one is
   * read only after `handle` has resolved: that is how a full pool holds the bus back.
   */
  subscribe(topic: string, handle: (message: string) => Promise<void> | void): Subscription;
}
