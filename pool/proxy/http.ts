// The action proxy of stock's images: init and run over HTTP, a new connection for each.

import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { deadline } from "../time.ts";
import type { ExchangeLimits, InitFrame } from "../types.ts";
import type { Answer } from "./exchange.ts";

/** Where stock's images listen. */
export const proxyPort = 8080;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What a request came to, as far as the connection can tell. */
export type HttpReply =
  | Answer
  | { readonly outcome: "timeout" }
  /** HTTP 503: the container is shutting down. */
  | { readonly outcome: "unavailable" }
  /** Nobody listens; nothing of the request was sent. */
  | { readonly outcome: "refused" }
  /** The connection ended before the answer did. */
  | { readonly outcome: "broken" }
  /** An answer, but none that says how long it is. */
  | { readonly outcome: "garbled"; readonly why: string };

const retryMs = 50;
const shuttingDown = 503;
const notListening = ["ECONNREFUSED", "EHOSTUNREACH"];

/** Asks until somebody listens, which a container that was just made needs a moment for. The limit is for all tries together. */
export async function postInit(
  endpoint: Endpoint,
  frame: InitFrame,
  limits: ExchangeLimits,
): Promise<HttpReply> {
  const body = Buffer.from(initBody(frame));
  const untilMs = performance.now() + limits.timeoutMs;
  for (;;) {
    const timeoutMs = untilMs - performance.now();
    if (timeoutMs <= 0) return { outcome: "timeout" };
    const reply = await post(endpoint, "/init", body, { ...limits, timeoutMs });
    if (reply.outcome !== "refused") return reply;
    await sleep(Math.max(0, Math.min(retryMs, untilMs - performance.now())));
  }
}

/** Asks once. `body` is the JSON text. */
export function postRun(endpoint: Endpoint, body: string, limits: ExchangeLimits): Promise<HttpReply> {
  return post(endpoint, "/run", Buffer.from(body), limits);
}

/** Code is text, or an archive in base64; an image that needs none is initialised without. */
function initBody({ name, main, binary, env, code }: InitFrame): string {
  const text = code?.toString(binary ? "base64" : "utf8");
  return JSON.stringify({ value: { name, main, binary, ...(text !== undefined && { code: text }), env } });
}

function post(endpoint: Endpoint, path: string, body: Buffer, limits: ExchangeLimits): Promise<HttpReply> {
  return new Promise((resolve) => {
    const headers = {
      "content-type": "application/json",
      accept: "application/json",
      "content-length": body.length,
    };
    // No agent that keeps connections: pausing a container breaks idle ones.
    const asked = request({ ...endpoint, path, method: "POST", agent: false, headers });
    const settle = (reply: HttpReply): void => {
      cancel();
      resolve(reply);
      asked.destroy();
    };
    const cancel = deadline(limits.timeoutMs, () => settle({ outcome: "timeout" }));
    asked.on("error", (error) => settle(failureOf(error)));
    asked.on("response", (response) => void readAnswer(response, limits).then(settle));
    asked.end(body);
  });
}

/** What the parser of HTTP stumbles over has a code of its own; all else is the end of the connection. */
function failureOf(error: Error & { readonly code?: string }): HttpReply {
  const { code = "" } = error;
  if (notListening.includes(code)) return { outcome: "refused" };
  return code.startsWith("HPE_") ? { outcome: "garbled", why: error.message } : { outcome: "broken" };
}

/** Reads all of the body, and keeps what the limits allow. Never rejects. */
async function readAnswer(response: IncomingMessage, limits: ExchangeLimits): Promise<HttpReply> {
  const { statusCode: status = 0, headers } = response;
  if (status === shuttingDown) return { outcome: "unavailable" };
  const bodyBytes = Number(headers["content-length"] ?? Number.NaN);
  if (!Number.isSafeInteger(bodyBytes) || hasNoBody(status)) {
    return { outcome: "garbled", why: `HTTP ${status} without a Content-Length` };
  }
  const cut = bodyBytes > limits.maxBodyBytes;
  let leftBytes = cut ? limits.keptBodyBytes : bodyBytes;
  const kept: Buffer[] = [];
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (leftBytes > 0) kept.push(piece.subarray(0, leftBytes));
      leftBytes -= Math.min(leftBytes, piece.length);
    }
  } catch {
    return { outcome: "broken" };
  }
  return { outcome: "answer", status, body: Buffer.concat(kept).toString("utf8"), bodyBytes, cut };
}

/** Such answers have none, whatever their head says (RFC 9110). */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}
