// A request as the handlers see it, a reply as they give it, and how query and body are read.

import {
  type Identity,
  isJsonArray,
  isJsonObject,
  isNestedBeyond,
  type Json,
  parseExact,
  type TransactionId,
} from "../invoker/index.ts";
import { ApiError, malformed, malformedQuery, texts } from "./errors.ts";

/** HEAD arrives as GET: the server leaves out the body by itself. */
export type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface ApiRequest {
  readonly method: Method;
  readonly user: Identity;
  readonly transid: TransactionId;
  readonly query: URLSearchParams;
  /** Without parameters, lower case; undefined when the header is absent. */
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON; undefined sends none. */
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/** 200 with a JSON body. */
export function ok(body: unknown): Reply {
  return { status: 200, body };
}

/**
 * Deeper JSON is refused here, with a clear text, instead of failing later: Python's parser stops a little below 1000 levels,
 * where OpenWhisk's own does, and printing it again would overflow the stack.
 */
const nestingMax = 950;
const listMax = 200;
const listDefault = 30;

/** The JSON body, undefined when there is none. ApiError 400 or 415 when it is not JSON. */
export function readJson(request: ApiRequest): Json | undefined {
  if (request.body.length === 0) {
    return undefined;
  }
  if (request.contentType !== "application/json") {
    const given = request.contentType === undefined ? "" : ` [${request.contentType}]`;
    throw new ApiError(
      415,
      `The request's Content-Type${given} is not supported. Expected:\napplication/json`,
    );
  }
  return parseBody(request.body);
}

/** The JSON that a body holds. ApiError 400 when it holds none. */
export function parseBody(body: Buffer): Json {
  const text = body.toString("utf8");
  if (isNestedBeyond(nestingMax, text)) {
    throw malformed(`JSON input nested too deeply, the limit is ${nestingMax} levels`);
  }
  try {
    return parseExact(text);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "no JSON");
  }
}

/** The JSON body, which must be an object. ApiError 400 otherwise. */
export function readObject(request: ApiRequest): { readonly [field: string]: Json | undefined } {
  const value = readJson(request);
  if (value === undefined) {
    throw new ApiError(400, texts.bodyExpected);
  }
  if (!isJsonObject(value)) {
    throw malformed("Object expected");
  }
  return value;
}

/** The arguments of an invocation: nothing, an object, or an array. ApiError 400 otherwise. */
export function readPayload(request: ApiRequest): Json | undefined {
  const value = readJson(request);
  if (value !== undefined && !isJsonObject(value) && !isJsonArray(value)) {
    throw malformed("JSON object expected");
  }
  return value;
}

/** A boolean parameter. ApiError 400 when it is something else. */
export function readFlag(query: URLSearchParams, name: string, absent: boolean): boolean {
  const text = query.get(name)?.toLowerCase();
  switch (text) {
    case undefined:
      return absent;
    case "true":
    case "yes":
    case "on":
    case "1":
      return true;
    case "false":
    case "no":
    case "off":
    case "0":
      return false;
    default:
      throw malformedQuery(name, `'${text}' is not a valid Boolean value`);
  }
}

/** Which part of a list is asked for, and whether only its length is. */
export interface ListQuery {
  readonly skip: number;
  readonly limit: number;
  readonly count: boolean;
}

/** `skip`, `limit` (0 means the most there can be, 200) and `count`. ApiError 400 when one is out of range. */
export function readListQuery(query: URLSearchParams, collection: string): ListQuery {
  const skip = readInteger(query, "skip", collection) ?? 0;
  const limit = readInteger(query, "limit", collection) ?? listDefault;
  if (skip < 0) {
    throw malformedQuery("skip", `The value '${skip}' is not greater than or equal to 0 for ${collection}.`);
  }
  if (limit < 0 || limit > listMax) {
    throw malformedQuery(
      "limit",
      `The value '${limit}' is not in the range of 0 to ${listMax} for ${collection}.`,
    );
  }
  return { skip, limit: limit === 0 ? listMax : limit, count: readFlag(query, "count", false) };
}

function readInteger(query: URLSearchParams, name: string, collection: string): number | undefined {
  const text = query.get(name);
  if (text === null) {
    return undefined;
  }
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || Math.abs(value) > 0x7fffffff) {
    throw malformedQuery(name, `The value '${text}' is not an integer for ${collection}.`);
  }
  return value;
}

/** Cuts the asked part out of a list already in order, or counts it. */
export function listReply(list: readonly unknown[], query: ListQuery, collection: string): Reply {
  return query.count
    ? ok({ [collection]: Math.max(0, list.length - query.skip) })
    : ok(list.slice(query.skip, query.skip + query.limit));
}
