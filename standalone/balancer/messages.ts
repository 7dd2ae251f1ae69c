// Reads what invokers send: pings and acknowledgements, with the fields that OpenWhisk's controllers insist on.

import {
  type AckMessage,
  type ActivationRecord,
  type InvokerInstance,
  isJsonObject,
  type Json,
  parseExact,
  sizeBytes,
} from "../../invoker/index.ts";

/** A message that no controller of OpenWhisk could read either. Its text names the field, never its value. */
export class UnreadableError extends Error {
  readonly code = "unreadable";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnreadableError";
  }
}

export interface Ping {
  readonly instance: InvokerInstance;
  readonly isEnabled: boolean;
}

/** Ids are dense: one far beyond any cluster would only fill the table with gaps. */
const lastInstance = 9_999;

type Check = (value: Json | undefined) => boolean;

const isString: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isInstance: Check = (value) => isJsonObject(value) && missingIn(value, instanceFields) === undefined;

const instanceFields = {
  instance: (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= lastInstance,
  userMemory: (value) => sizeBytes(value) !== undefined,
  instanceType: (value) => value === "invoker",
  tags: Array.isArray,
  dedicatedNamespaces: Array.isArray,
} as const satisfies { readonly [field: string]: Check };

const recordFields = {
  namespace: isString,
  name: isString,
  subject: isString,
  activationId: isString,
  start: isNumber,
  end: isNumber,
  response: (value) => isJsonObject(value) && isNumber(value.statusCode),
  logs: Array.isArray,
  version: isString,
  publish: (value) => typeof value === "boolean",
  annotations: Array.isArray,
} as const satisfies { readonly [field: string]: Check };

/** Reads a ping. Throws UnreadableError. */
export function readPing(text: string): Ping {
  const ping = readObject(text, "ping");
  if (!isInstance(ping.name)) {
    throw unreadable("ping", isJsonObject(ping.name) ? ping.name : {}, instanceFields);
  }
  return { instance: ping.name as unknown as InvokerInstance, isEnabled: ping.isEnabled !== false };
}

/** An acknowledgement, and the activation that it is about. */
export interface Ack extends AckMessage {
  readonly activationId: string;
}

/** Reads an acknowledgement of any of the three shapes. Throws UnreadableError. */
export function readAck(text: string): Ack {
  const ack = readObject(text, "ack");
  const { transid, response, instance } = ack;
  if (!Array.isArray(transid)) {
    throw new UnreadableError("an ack without transid");
  }
  if (instance !== undefined && !isInstance(instance)) {
    throw unreadable("ack, instance", isJsonObject(instance) ? instance : {}, instanceFields);
  }
  if (isJsonObject(response)) {
    const missing = missingIn(response, recordFields);
    if (missing !== undefined) {
      throw new UnreadableError(`an ack whose response has no ${missing}, or one of another type`);
    }
  }
  const activationId = activationOf(ack);
  if (activationId === undefined) {
    throw new UnreadableError("an ack that names no activation");
  }
  return { ...(ack as unknown as AckMessage), activationId };
}

function activationOf({ response, activationId, instance }: Fields): string | undefined {
  if (isJsonObject(response)) {
    return (response as unknown as ActivationRecord).activationId;
  }
  if (typeof response === "string") {
    return response;
  }
  return instance !== undefined && typeof activationId === "string" ? activationId : undefined;
}

type Fields = { readonly [field: string]: Json | undefined };

function readObject(text: string, what: string): Fields {
  let value: Json;
  try {
    value = parseExact(text);
  } catch (error) {
    throw new UnreadableError(`a message that is no JSON instead of a ${what}`, { cause: error });
  }
  if (!isJsonObject(value)) {
    throw new UnreadableError(`a message that is no object instead of a ${what}`);
  }
  return value;
}

function missingIn(value: Fields, fields: { readonly [field: string]: Check }): string | undefined {
  return Object.entries(fields).find(([field, isRight]) => !isRight(value[field]))?.[0];
}

function unreadable(
  what: string,
  value: Fields,
  fields: { readonly [field: string]: Check },
): UnreadableError {
  return new UnreadableError(`${what}: ${missingIn(value, fields)} is missing or of another type`);
}
