// What keeps an invoker from its id: apart, since who has an id need not load the client of ZooKeeper.

export type InstanceIdFailure = "unreachable" | "bad-hosts" | "damaged" | "cannot-overwrite";

/** Why there is no id; the message says what to do. */
export class InstanceIdError extends Error {
  readonly code: InstanceIdFailure;
  constructor(code: InstanceIdFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InstanceIdError";
    this.code = code;
  }
}
