// What an activation came to, as its record says it: pure functions of what the container answered.

import type { Answer, Exchange, Timed } from "../pool/index.ts";
import { isJsonArray, isJsonObject, type Json, parseExact, printExact } from "./wire/json.ts";
import { isNestedBeyond, memberTexts } from "./wire/json-text.ts";
import type { StatusCode } from "./wire/messages.ts";

export interface Outcome {
  readonly statusCode: StatusCode;
  readonly result: Json;
  /** The same as JSON text, its numbers as the action wrote them. */
  readonly resultText: string;
  /** Length of the answer's body: UTF-16 code units, or bytes where it was too long. */
  readonly size: number | undefined;
}

export interface OutcomeLimits {
  /** The action's time limit, for init and for run each. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** Deeper results are none: OpenWhisk's parser stops there, and printing them would overflow the stack of others. */
const nestingMax = 1000;

export const texts = {
  notFound: "Action could not be found or may have been deleted.",
  incompatible: "Action version is not compatible and cannot be invoked.",
  notFetched: "Action could not be fetched.",
  notProvisioned: "Failed to provision resources to run the action.",
  initExited: "The action did not initialize and exited unexpectedly.",
  runExited: "The action did not produce a valid response and exited unexpectedly.",
  outOfMemory: "The action exhausted its memory and was aborted.",
  initFailed: "The action failed during initialization",
  invalidResult: "The action did not produce a valid JSON or JSON Array response",
  developerErrorLogs: "The action did not initialize or run as expected. Log data might be missing.",
  initTimeout: (ms: number) =>
    `The action exceeded its time limits of ${ms} milliseconds during initialization.`,
  runTimeout: (ms: number) => `The action exceeded its time limits of ${ms} milliseconds.`,
  tooLong: (bytes: number, maxBytes: number, start: string) =>
    `The action produced a response that exceeded the allowed length: ${bytes} > ${maxBytes} bytes. The truncated response was: ${start}`,
} as const;

/** A failure: the result is `{"error": …}`. */
export function failure(statusCode: 1 | 2 | 3, error: Json, size?: number): Outcome {
  const result = { error };
  return { statusCode, result, resultText: JSON.stringify(result), size };
}

/** Undefined where the action is initialised; else what the activation came to. */
export function initOutcome(timed: Timed, limits: OutcomeLimits): Outcome | undefined {
  const { exchange } = timed;
  if (exchange.outcome === "answer" && exchange.status === 200 && !exchange.cut) return undefined;
  if (reachedLimit(timed, limits.timeoutMs)) return failure(2, texts.initTimeout(limits.timeoutMs));
  if (exchange.outcome !== "answer") return failure(2, lostText(exchange, texts.initExited));
  if (exchange.cut) return failure(2, tooLong(exchange, limits), exchange.bodyBytes);
  const error = reportedError(parsed(exchange.body), exchange.body);
  if (error !== undefined) return { ...error, statusCode: 2 };
  return failure(2, withBody(texts.initFailed, exchange.body), exchange.body.length);
}

/** What a run came to. */
export function runOutcome(timed: Timed, limits: OutcomeLimits): Outcome {
  const { exchange } = timed;
  if (reachedLimit(timed, limits.timeoutMs)) return failure(2, texts.runTimeout(limits.timeoutMs));
  if (exchange.outcome !== "answer") return failure(2, lostText(exchange, texts.runExited));
  if (exchange.cut) return failure(1, tooLong(exchange, limits), exchange.bodyBytes);
  const { status, body } = exchange;
  const result = parsed(body);
  const error = reportedError(result, body);
  if (error !== undefined) return { ...error, statusCode: status === 200 ? 1 : 2 };
  if (status === 200 && (isJsonObject(result) || isJsonArray(result))) {
    return { statusCode: 0, result, resultText: body, size: body.length };
  }
  return failure(2, withBody(texts.invalidResult, body), body.length);
}

/** True iff the interval reached the action's time limit. */
export function reachedLimit({ startMs, endMs, exchange }: Timed, timeoutMs: number): boolean {
  return exchange.outcome === "timeout" || endMs - startMs >= timeoutMs;
}

function lostText(exchange: Exclude<Exchange, Answer>, exited: string): string {
  return exchange.outcome === "gone" && exchange.oomKilled ? texts.outOfMemory : exited;
}

function tooLong(answer: Answer, limits: OutcomeLimits): string {
  return texts.tooLong(answer.bodyBytes, limits.maxBodyBytes, answer.body);
}

function withBody(text: string, body: string): string {
  return body === "" ? `${text}.` : `${text}: ${body}`;
}

/** The `error` field of a body that is an object with one; its other fields are lost, as in stock. */
function reportedError(value: Json | undefined, body: string): Omit<Outcome, "statusCode"> | undefined {
  if (!isJsonObject(value) || !Object.hasOwn(value, "error")) return undefined;
  const { error = null } = value;
  const errorText = memberTexts(body).get("error") ?? printExact(error);
  return { result: { error }, resultText: `{"error":${errorText}}`, size: body.length };
}

function parsed(body: string): Json | undefined {
  try {
    return isNestedBeyond(nestingMax, body) ? undefined : parseExact(body);
  } catch {
    return undefined;
  }
}
