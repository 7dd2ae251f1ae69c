// Reads activation messages: what cannot be read is refused here, so that the rest may rely on its shape.

import { memberTexts } from "./json-text.ts";
import type { ActivationMessage } from "./messages.ts";

/** A message together with its arguments as they were written. */
export interface Order {
  readonly message: ActivationMessage;
  /** JSON text of `content`; undefined where the message has none. */
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

const required: { readonly [field in keyof ActivationMessage]?: (value: unknown) => boolean } = {
  transid: (value) => Array.isArray(value) && isString(value[0]) && typeof value[1] === "number",
  action: (value) => isObject(value) && isString(value.path) && isString(value.name),
  revision: (value) => value === null || isString(value),
  user: (value) =>
    isObject(value) &&
    isString(value.subject) &&
    isObject(value.namespace) &&
    isString(value.namespace.name) &&
    isObject(value.authkey) &&
    isObject(value.limits),
  activationId: isString,
  rootControllerIndex: (value) => isObject(value) && isString(value.asString),
  blocking: (value) => typeof value === "boolean",
  initArgs: (value) => Array.isArray(value) && value.every(isString),
  lockedArgs: isObject,
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
  for (const [field, isRight] of Object.entries(required)) {
    if (!isRight(message[field])) throw new UnreadableMessageError(`${field} is missing or of another type`);
  }
  const contentText = message.content === undefined ? undefined : memberTexts(text).get("content");
  return { message: message as unknown as ActivationMessage, contentText };
}
