// What an activation came to, as its record says it: pure functions of what the container answered.

import { type Answer, type Exchange, isLoaded, type PoolError, type Timed } from "../pool/index.ts";
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
  blocked: "The action was not invoked due to a blacklisted namespace.",
  notProvisioned: "Failed to provision resources to run the action.",
  notPulled: (image: string) => `Failed to pull container image '${image}'.`,
  notExecutable: (image: string) => `executable file not found in image ${image}`,
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

/** The container takes no work any more and has not begun this: another one may. */
export function isUnavailable(exchange: Exchange): boolean {
  if (exchange.outcome !== "unloaded") return exchange.outcome === "unavailable";
  return exchange.init !== undefined && isUnavailable(exchange.init.exchange);
}

/** What a job came to that got no container: the fault of the image that its action named, or of the machine. */
export function unplacedOutcome({ code, image = "" }: PoolError): Outcome {
  if (code === "pull-failed") return failure(2, texts.notPulled(image));
  if (code === "no-executable") return failure(2, texts.notExecutable(image));
  return failure(3, texts.notProvisioned);
}

/** Undefined where the action is initialised; else what the activation came to. */
export function initOutcome(timed: Timed, limits: OutcomeLimits): Outcome | undefined {
  const { exchange } = timed;
  if (isLoaded(exchange)) return undefined;
  if (reachedLimit(timed, limits.timeoutMs)) return failure(2, texts.initTimeout(limits.timeoutMs));
  if (exchange.outcome !== "answer") return lostOutcome(exchange, texts.initExited);
  if (exchange.cut) return failure(2, tooLong(exchange, limits), exchange.bodyBytes);
  const error = reportedError(parsed(exchange.body), exchange.body);
  if (error !== undefined) return { ...error, statusCode: 2 };
  return failure(2, withBody(texts.initFailed, exchange.body), exchange.body.length);
}

/** What a run came to. */
export function runOutcome(timed: Timed, limits: OutcomeLimits): Outcome {
  const { exchange } = timed;
  if (exchange.outcome === "unloaded") return unloadedOutcome(exchange.init, limits);
  if (reachedLimit(timed, limits.timeoutMs)) return failure(2, texts.runTimeout(limits.timeoutMs));
  if (exchange.outcome !== "answer") return lostOutcome(exchange, texts.runExited);
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

/** Who waited for another activation's init has its failure, as in stock; and a whisk error where there never was one. */
function unloadedOutcome(init: Timed | undefined, limits: OutcomeLimits): Outcome {
  const refusal = init === undefined ? undefined : initOutcome(init, limits);
  return refusal ?? failure(3, texts.runExited);
}

/** True iff the interval reached the action's time limit. */
export function reachedLimit({ startMs, endMs, exchange }: Timed, timeoutMs: number): boolean {
  return exchange.outcome === "timeout" || endMs - startMs >= timeoutMs;
}

/** There was no answer: by the action's own doing, unless the pool has ended it. */
function lostOutcome(exchange: Exclude<Exchange, Answer>, exited: string): Outcome {
  if (exchange.outcome === "stopped") return failure(3, texts.runExited);
  return failure(2, exchange.outcome === "gone" && exchange.oomKilled ? texts.outOfMemory : exited);
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
