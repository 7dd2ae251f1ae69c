// Reads activation messages: what cannot be read is refused here, so that the rest may rely on its shape.

import { isVersion } from "./documents.ts";
import { withoutNulls } from "./json.ts";
import { memberTexts } from "./json-text.ts";
import type { ActivationMessage, TransactionId } from "./messages.ts";

/** A message together with its arguments as they were written. */
export interface Order {
  /** Without `content`: as long as its record waits, and arguments may be long. */
  readonly message: ActivationMessage;
  /** JSON text of `content`, an object or an array; undefined where the message has none. */
  readonly contentText: string | undefined;
}

/** The message is no activation message. Its text names the field, never its value. */
export class UnreadableMessageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnreadableMessageError";
  }
}

type Fields = { readonly [name: string]: unknown };

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isString = (value: unknown): boolean => typeof value === "string";
const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const isOptionalString = (value: unknown): boolean => isAbsent(value) || isString(value);
const isActivationId = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
const leastSubject = 5;

const required: { readonly [field in keyof ActivationMessage]?: (value: unknown) => boolean } = {
  transid: (value) => value !== undefined,
  action: (value) =>
    isObject(value) &&
    isString(value.path) &&
    isString(value.name) &&
    (isAbsent(value.version) || isVersion(value.version)) &&
    isOptionalString(value.binding),
  revision: (value) => value === null || isString(value),
  user: (value) =>
    isObject(value) &&
    typeof value.subject === "string" &&
    value.subject.length >= leastSubject &&
    isObject(value.namespace) &&
    isString(value.namespace.name) &&
    isString(value.namespace.uuid) &&
    isObject(value.authkey) &&
    isObject(value.limits),
  activationId: isActivationId,
  rootControllerIndex: (value) => isObject(value) && isString(value.asString),
  blocking: (value) => typeof value === "boolean",
  content: (value) => isAbsent(value) || typeof value === "object",
  initArgs: (value) => Array.isArray(value) && value.every(isString),
  lockedArgs: isObject,
  cause: (value) => isAbsent(value) || isActivationId(value),
};

/** Throws UnreadableMessageError. Unknown fields are ignored. */
export function readOrder(text: string): Order {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw new UnreadableMessageError("the message is not JSON", { cause: error });
  }
  if (!isObject(message)) throw new UnreadableMessageError("the message is not an object");
  if ("whiskActionMetaData" in message) {
    throw new UnreadableMessageError(
      "the message is a scheduler's: this invoker serves controllers with ShardingContainerPoolBalancer",
    );
  }
  for (const [field, isRight] of Object.entries(required)) {
    if (!isRight(message[field])) throw new UnreadableMessageError(`${field} is missing or malformed`);
  }
  const contentText = isAbsent(message.content) ? undefined : memberTexts(text).get("content");
  return { message: unified(message as unknown as ActivationMessage), contentText };
}

/** A field that is null is unset. Only a revision that is null says something. */
function unified({ content: _, ...message }: ActivationMessage): ActivationMessage {
  const { transid, action, revision, user, rootControllerIndex } = message;
  return {
    ...withoutNulls(message),
    ...{ transid: readTransid(transid), action: withoutNulls(action), revision },
    user: { ...user, limits: withoutNulls(user.limits) },
    rootControllerIndex: withoutNulls(rootControllerIndex),
  };
}

/** What stock makes of an id of another shape. */
const unknownTransid: TransactionId = ["sid_unknown", Date.now()];

function readTransid(value: unknown): TransactionId {
  return isTransid(value) ? value : unknownTransid;
}

/** `[id, startMs]`, then `true` or not, then a parent or not. */
function isTransid(value: unknown): value is TransactionId {
  if (!Array.isArray(value) || !isString(value[0]) || typeof value[1] !== "number") return false;
  const rest = value.slice(value[2] === true ? 3 : 2) as unknown[];
  return rest.length === 0 || (rest.length === 1 && isTransid(rest[0]));
}

/** Asked for by the caller (`X-OW-EXTRA-LOGGING`): all lines of this transaction, and its record in any case. */
export function wantsExtraLogging({ transid }: ActivationMessage): boolean {
  return transid[2] === true;
}

/** The id of the outermost transaction that this one is part of; its own where it is none's. */
export function rootId(transid: TransactionId): string {
  const parent = transid.at(-1);
  return transid.length > 2 && Array.isArray(parent)
    ? rootId(parent as unknown as TransactionId)
    : transid[0];
}
