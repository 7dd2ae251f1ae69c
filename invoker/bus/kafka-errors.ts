// What an error of kafkajs means for a message that was to be sent or read, and the errors of the bus itself.

/**
 * `queue-full`: more bytes wait for an unreachable broker than may be kept. `closed`: the bus is being closed.
 * `refused`: the broker does not take it, and will not. `topic`: a topic is not there and could not be made.
 */
export type KafkaFailure = "queue-full" | "closed" | "refused" | "topic";

export class KafkaBusError extends Error {
  readonly code: KafkaFailure;

  constructor(code: KafkaFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "KafkaBusError";
    this.code = code;
  }
}

/** The properties by which kafkajs tells its errors apart. */
interface KafkajsError extends Error {
  /** The broker's own answer, such as `MESSAGE_TOO_LARGE`. */
  readonly type?: string;
  readonly errors?: readonly unknown[];
}

/** The error at the bottom: kafkajs wraps what ended its tries. */
export function rootCause(error: unknown): KafkajsError {
  if (!(error instanceof Error)) return new Error(String(error));
  const inner = error.cause ?? (error as KafkajsError).errors?.[0];
  return inner instanceof Error ? rootCause(inner) : error;
}

/** Does the broker itself say that nothing was done? Else nobody knows: the answer got lost, or the replicas were late. */
export function isRefusal(error: unknown): boolean {
  const { type } = rootCause(error);
  return type !== undefined && !unclear.has(type);
}

const unclear: ReadonlySet<string> = new Set(["REQUEST_TIMED_OUT", "UNKNOWN"]);

/** The member's session has ended, or its group is gone. kafkajs keeps no more than the text of such an error when it gives up. */
export function isUnknownMember(error: unknown): boolean {
  const { type, message } = rootCause(error);
  return type === "UNKNOWN_MEMBER_ID" || message.includes("The coordinator is not aware of this member");
}

const tooLarge: ReadonlySet<string> = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/** In the leader's log, only not on as many replicas as wished: sending it again would double it. */
const appended: ReadonlySet<string> = new Set(["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "REQUEST_TIMED_OUT"]);

const hopeless: ReadonlySet<string> = new Set([
  ...["TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "INVALID_TOPIC_EXCEPTION"],
  ...["INVALID_REQUIRED_ACKS", "INVALID_RECORD", "POLICY_VIOLATION", "UNSUPPORTED_FOR_MESSAGE_FORMAT"],
]);

/** What to do with messages whose sending failed. `missing`: there is no such topic, at least not yet. */
export type Verdict = "too-large" | "taken" | "refused" | "missing" | "again";

export function judge(error: unknown): Verdict {
  const { type = "" } = rootCause(error);
  if (tooLarge.has(type)) return "too-large";
  if (appended.has(type)) return "taken";
  if (hopeless.has(type)) return "refused";
  return type === "UNKNOWN_TOPIC_OR_PARTITION" ? "missing" : "again";
}
