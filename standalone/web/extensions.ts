// From the result of a web action to an HTTP response: one way for each extension of the action's name.

import { isJsonArray, isJsonObject, type Json } from "../../invoker/index.ts";
import { ApiError, texts } from "../errors.ts";
import { httpResponse } from "./http-response.ts";
import { printPretty, type WebReply } from "./reply.ts";

/** Makes the response. ApiError 400 or 404 where the result is not what the extension promises. */
export type Transcoder = (result: Json) => WebReply;

const transcoders: { readonly [extension: string]: Transcoder } = {
  ".http": httpResponse,
  ".json": (result) => {
    if (!isJsonObject(result) && !isJsonArray(result)) {
      throw invalidMedia("application/json");
    }
    return success("application/json", printPretty(result));
  },
  ".html": (result) => success("text/html; charset=UTF-8", textOf(result, "html", "text/html")),
  ".svg": (result) => success("image/svg+xml", textOf(result, "svg", "image/svg+xml")),
  ".text": (result) => {
    const value = contentOf(result, "text");
    if (value === undefined) {
      throw new ApiError(404, texts.propertyMissing);
    }
    return success("text/plain; charset=UTF-8", typeof value === "string" ? value : printPretty(value));
  },
};

/** Splits the name in a path from its extension; one without a known extension has `.http`. */
export function splitExtension(segment: string): { readonly name: string; readonly transcode: Transcoder } {
  const found = Object.entries(transcoders).find(([extension]) => segment.endsWith(extension));
  return found === undefined
    ? { name: segment, transcode: httpResponse }
    : { name: segment.slice(0, -found[0].length), transcode: found[1] };
}

function success(type: string, body: string): WebReply {
  return { status: 200, headers: [], content: { type, body } };
}

/** What is shown of an object is its `body`, else the field of the extension's name. */
function contentOf(result: Json, field: string): Json | undefined {
  if (!isJsonObject(result)) {
    return result;
  }
  return result.body === undefined ? result[field] : result.body;
}

function textOf(result: Json, field: string, type: string): string {
  const value = contentOf(result, field);
  if (typeof value !== "string") {
    throw invalidMedia(type);
  }
  return value;
}

function invalidMedia(type: string): ApiError {
  return new ApiError(400, `Response is not valid '${type}'.`);
}
