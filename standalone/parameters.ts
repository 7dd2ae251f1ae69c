// Parameters and annotations: lists of key and value in documents and requests, objects in activations.

import {
  ExactNumber,
  isJsonArray,
  isJsonObject,
  type Json,
  type KeyValue,
  printExact,
} from "../invoker/index.ts";
import { malformed } from "./errors.ts";

/** Reads a list `[{key, value, init?, encryption?}]`; of equal keys the last counts. ApiError 400 otherwise. */
export function readParameters(value: unknown): readonly KeyValue[] {
  if (!Array.isArray(value)) {
    throw malformed(`parameters malformed could not read directly: ${abridged(value)}`);
  }
  return merged(
    value.map((item) => readParameter(item, value)),
    [],
  );
}

function readParameter(item: unknown, all: unknown): KeyValue {
  if (typeof item !== "object" || item === null || !("key" in item) || !("value" in item)) {
    throw malformed(`parameters malformed could not read directly: ${abridged(all)}`);
  }
  if (typeof item.key !== "string" || item.key.trim() === "") {
    throw malformed(`parameters malformed could not read directly: ${abridged(all)}`);
  }
  return {
    key: item.key,
    value: item.value as Json,
    ...("init" in item && item.init === true ? { init: true } : {}),
    ...("encryption" in item && typeof item.encryption === "string" ? { encryption: item.encryption } : {}),
  };
}

function abridged(value: unknown): string {
  const text = printExact(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** Both lists as one: keys of `later` replace those of `earlier` in their place, new ones follow. */
export function merged(earlier: readonly KeyValue[], later: readonly KeyValue[]): readonly KeyValue[] {
  const byKey = new Map<string, KeyValue>();
  for (const item of earlier) {
    byKey.set(item.key, item);
  }
  for (const item of later) {
    byKey.set(item.key, item);
  }
  return [...byKey.values()];
}

/** The value under a key, undefined when there is none. */
export function parameterValue(list: readonly KeyValue[], key: string): Json | undefined {
  return list.find((item) => item.key === key)?.value;
}

/** Is the value there, and neither false, 0, null nor the empty text? */
export function isTruthy(value: Json | undefined): boolean {
  return Boolean(value instanceof ExactNumber ? value.toJSON() : value);
}

/** Size as OpenWhisk counts it: bytes of keys and of values as JSON text. */
export function sizeBytes(list: readonly KeyValue[]): number {
  let bytes = 0;
  for (const item of list) {
    bytes += Buffer.byteLength(item.key) + Buffer.byteLength(printExact(item.value));
  }
  return bytes;
}

/** The arguments of one activation, as they go into the message for the invoker. */
export interface Arguments {
  readonly content: Json;
  readonly initArgs: readonly string[];
  readonly lockedArgs: { readonly [name: string]: string };
}

/**
 * Puts the stored parameters (package, binding and action already merged) and the caller's payload together, the
 * payload winning key by key; a payload that is an array replaces everything.
 */
export function argumentsOf(stored: readonly KeyValue[], payload: Json | undefined): Arguments {
  const object = isJsonObject(payload) ? payload : undefined;
  const content: { [key: string]: Json } = Object.create(null);
  const lockedArgs: { [name: string]: string } = {};
  for (const item of stored) {
    content[item.key] = item.value;
    if (item.encryption !== undefined && !(object !== undefined && Object.hasOwn(object, item.key))) {
      lockedArgs[item.key] = item.encryption;
    }
  }
  for (const [key, value] of Object.entries(object ?? {})) {
    content[key] = value;
  }
  return {
    content: isJsonArray(payload) ? payload : content,
    initArgs: stored.filter((item) => item.init === true).map((item) => item.key),
    lockedArgs,
  };
}

/** Does the payload set a key that the action declares final and has a value for? */
export function overridesFinal(
  annotations: readonly KeyValue[],
  stored: readonly KeyValue[],
  payload: Json | undefined,
): boolean {
  if (!isJsonObject(payload) || parameterValue(annotations, "final") !== true) {
    return false;
  }
  return stored.some((item) => item.value !== null && Object.hasOwn(payload, item.key));
}
