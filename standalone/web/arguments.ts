// From an HTTP request to the arguments of a web action: its parameters, and the request itself under reserved names.

import type { IncomingHttpHeaders } from "node:http";
import { type Identity, isJsonObject, type Json, type JsonObject } from "../../invoker/index.ts";
import { ApiError, entityTooLarge, texts } from "../errors.ts";
import { overridesFinal, parameterValue } from "../parameters.ts";
import { parseBody } from "../request.ts";
import type { ResolvedAction } from "../resolve.ts";
import { isJsonType, isTextType, parseMediaType } from "./media-types.ts";

/** A request as an action may see it. */
export interface WebRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** What follows the action in the path, as it was sent. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly body: Buffer;
}

const reserved = ["method", "headers", "path", "user", "query", "body"].map((name) => `__ow_${name}`);

/** Reads a body of limited size. ApiError 413 for a larger one, which is read all the same if its size was not announced. */
export async function readBody(
  request: AsyncIterable<Buffer> & { readonly headers: IncomingHttpHeaders },
  maxBytes: number,
): Promise<Buffer> {
  const announcedBytes = Number(request.headers["content-length"] ?? 0);
  if (announcedBytes > maxBytes) {
    throw entityTooLarge("Request", announcedBytes, maxBytes);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= maxBytes) {
      chunks.push(chunk);
    }
  }
  if (bytes > maxBytes) {
    throw entityTooLarge("Request", bytes, maxBytes);
  }
  return Buffer.concat(chunks);
}

/**
 * The arguments. Parameters of the body go over those of the query. ApiError 400 where the request sets what the action has made
 * final or what is reserved; an action that takes requests raw is asked nothing of this, and gets query and body as they are.
 */
export function webArguments(
  {
    annotations,
    parameters,
    caller,
  }: Pick<ResolvedAction, "parameters"> & {
    readonly annotations: ResolvedAction["document"]["annotations"];
    readonly caller: Identity | undefined;
  },
  request: WebRequest,
): JsonObject {
  const context = {
    __ow_method: request.method.toLowerCase(),
    __ow_headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
    __ow_path: request.path,
    ...(caller === undefined ? {} : { __ow_user: caller.namespace.name }),
  };
  if (parameterValue(annotations, "raw-http") === true) {
    return { ...context, __ow_query: request.query, __ow_body: opaqueBody(request) };
  }
  const body = readParametersOf(request);
  const given = {
    ...Object.fromEntries(new URLSearchParams(request.query)),
    ...(isJsonObject(body) ? body : {}),
  };
  const isReserved = reserved.some((name) => Object.hasOwn(given, name));
  if (isReserved || overridesFinal(annotations, parameters, given)) {
    throw new ApiError(400, texts.parametersNotAllowed);
  }
  return { ...context, ...given, ...(body === undefined || isJsonObject(body) ? {} : { __ow_body: body }) };
}

/** JSON and forms as what they say, anything else as a text; undefined: no body. ApiError 400 for malformed JSON. */
function readParametersOf(request: WebRequest): Json | undefined {
  const { body } = request;
  const type = typeOf(request);
  if (body.length === 0) {
    return undefined;
  }
  if (type !== undefined && isJsonType(type)) {
    return parseBody(body);
  }
  return type?.essence === "application/x-www-form-urlencoded"
    ? Object.fromEntries(new URLSearchParams(body.toString("utf8")))
    : opaqueBody(request);
}

/** Text as it is, all else in base64: `application/json` too, since actions have come to rely on that. */
function opaqueBody(request: WebRequest): string {
  const type = typeOf(request);
  const isText = type !== undefined && isTextType(type) && type.essence !== "application/json";
  return request.body.toString(isText ? "utf8" : "base64");
}

function typeOf({ headers }: WebRequest): ReturnType<typeof parseMediaType> {
  return parseMediaType(headers["content-type"] ?? "");
}
