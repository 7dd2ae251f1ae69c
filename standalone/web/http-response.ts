// The response that a web action makes itself: `statusCode`, `headers` and `body` of its result.

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import { ExactNumber, isJsonArray, isJsonObject, type Json } from "../../invoker/index.ts";
import { ApiError, texts } from "../errors.ts";
import { isBinaryCode } from "../exec.ts";
import { contentTypeOf, isJsonType, isTextType, parseMediaType } from "./media-types.ts";
import { printPretty, type WebReply } from "./reply.ts";

type Content = NonNullable<WebReply["content"]>;

/** The server's own: an action has no say in how its response travels. */
const ownHeaders: ReadonlySet<string> = new Set([
  ...[
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ],
]);

/** Makes the response. ApiError 400 where the result is no object, or its fields make no response. */
export function httpResponse(result: Json): WebReply {
  if (!isJsonObject(result)) {
    throw invalidResponse();
  }
  const all = readHeaders(result.headers);
  const headers = all.filter(([name]) => name.toLowerCase() !== "content-type");
  const status = readStatus(result.statusCode);
  const { body } = result;
  if (body === undefined || body === null || body === "") {
    return { status: status ?? 204, headers };
  }
  const declared = all.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  const content = typeof body === "string" ? textContent(body, declared) : jsonContent(body, declared);
  return { status: status ?? 200, headers, content };
}

/** Whole numbers and texts of them that HTTP knows as the status of a final response. */
function readStatus(value: Json | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const isText = typeof value === "string" && /^\+?\d+$/.test(value);
  const status = typeof value === "number" || isText ? Number(value) : Number.NaN;
  if (STATUS_CODES[status] === undefined || status < 200) {
    throw invalidResponse();
  }
  return status;
}

function readHeaders(value: Json | undefined): WebReply["headers"] {
  if (value === undefined) {
    return [];
  }
  if (!isJsonObject(value)) {
    throw invalidResponse();
  }
  const headers = Object.entries(value).flatMap(([name, given]) => headerLines(name, given));
  return headers.filter(([name]) => !ownHeaders.has(name.toLowerCase()));
}

/** A list makes one line of each of its items. */
function headerLines(name: string, value: Json | undefined): readonly (readonly [string, string])[] {
  if (isJsonArray(value)) {
    return value.flatMap((item) => headerLines(name, item));
  }
  if (value === undefined || value === null || isJsonObject(value)) {
    throw invalidResponse();
  }
  const text = value instanceof ExactNumber ? value.text : String(value);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, text);
  } catch {
    throw invalidResponse();
  }
  return [[name, text]];
}

/** A text is HTML unless its type is declared. Of a binary type it is base64, and of JSON may be. */
function textContent(text: string, declared: string | undefined): Content {
  const type = parseMediaType(declared ?? "text/html");
  if (type === undefined) {
    throw new ApiError(400, texts.contentTypeUnknown);
  }
  const isText = isTextType(type) && !(isJsonType(type) && isBinaryCode(text));
  if (!isText && !base64.test(text)) {
    throw new ApiError(400, texts.contentTypeWrong);
  }
  return { type: contentTypeOf(type), body: isText ? text : Buffer.from(text, "base64") };
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Anything that is no text is JSON, and has to be declared as such if its type is. */
function jsonContent(body: Json, declared: string | undefined): Content {
  const type = parseMediaType(declared ?? "application/json");
  if (type === undefined || !isJsonType(type)) {
    throw new ApiError(400, texts.contentTypeWrong);
  }
  return { type: `${type.essence}${type.parameters}`, body: printPretty(body) };
}

function invalidResponse(): ApiError {
  return new ApiError(400, "Response is not valid 'message/http'.");
}
