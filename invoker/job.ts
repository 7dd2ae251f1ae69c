// What a container is given for one activation: environment, arguments, deadline, limits.

import type { ExchangeLimits, InitFrame, Job } from "../pool/index.ts";
import { type InvokerSettings, sizeBytes } from "./config.ts";
import type { StoredAction } from "./store/stores.ts";
import type { ActionLimits } from "./wire/documents.ts";
import { isJsonArray, isJsonObject, type Json, parseExact, printExact } from "./wire/json.ts";
import { memberTexts } from "./wire/json-text.ts";
import type { ActivationMessage } from "./wire/messages.ts";
import type { Order } from "./wire/orders.ts";

const bytesPerMB = 1024 * 1024;

/** An action ready to be run: its document's facts with all defaults in place. */
export interface RunnableAction {
  readonly stored: StoredAction;
  /** A kind that the pool has. */
  readonly kind: string;
  readonly limits: ActionLimits;
}

/** One activation as the pool and its container see it. */
export interface ActivationJob extends Job {
  readonly logBytes: number;
  readonly exchange: ExchangeLimits;
  /** The init frame at that moment (the deadline is part of it). */
  readonly initFrame: (nowMs: number) => InitFrame;
  /** The run body, as stock posts it to `/run`, at that moment. */
  readonly runBody: (nowMs: number) => string;
}

export function describeJob(order: Order, action: RunnableAction, settings: InvokerSettings): ActivationJob {
  const { message } = order;
  const { stored, kind, limits } = action;
  const { document, code, binary } = stored;
  const facts = factsOf(message, providesKey(document.annotations));
  const args = splitArguments(order);
  const main = "main" in document.exec ? document.exec.main : undefined;
  const deadline = (nowMs: number): string => String(Math.floor(nowMs) + limits.timeout);
  return {
    kind,
    memoryMB: limits.memory,
    owner: `${message.user.namespace.name} ${document._id} ${document._rev ?? document.version}`,
    logBytes: limits.logs * bytesPerMB,
    exchange: exchangeLimits(message, limits, settings),
    initFrame: (nowMs) => ({
      name: document.name,
      main: main ?? "main",
      binary,
      env: { ...args.env, ...environmentOf({ ...facts, deadline: deadline(nowMs) }) },
      code,
    }),
    runBody: (nowMs) => {
      const rest = JSON.stringify({ ...facts, deadline: deadline(nowMs) });
      return `{"value":${args.valueText},${rest.slice(1)}`;
    },
  };
}

/** How long each exchange may take, and how long a result may be for this user. */
function exchangeLimits(
  message: ActivationMessage,
  limits: ActionLimits,
  settings: InvokerSettings,
): ExchangeLimits {
  const { maxPayloadSize, truncationSize } = message.user.limits;
  return {
    timeoutMs: limits.timeout,
    maxBodyBytes: Math.min(sizeBytes(maxPayloadSize) ?? settings.payloadBytes, settings.payloadBytes),
    keptBodyBytes: Math.min(sizeBytes(truncationSize) ?? settings.truncationBytes, settings.truncationBytes),
  };
}

type Facts = { readonly [name: string]: string | null };

/** What the action may know about its activation, under the names of `/run`. */
function factsOf(message: ActivationMessage, withKey: boolean): Facts {
  const { user, action } = message;
  return {
    ...(withKey ? user.authkey : {}),
    namespace: user.namespace.name,
    action_name: `/${action.path}/${action.name}`,
    action_version: action.version ?? null,
    activation_id: message.activationId,
    transaction_id: message.transid[0],
  };
}

function environmentOf(facts: Facts): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`__OW_${name.toUpperCase()}`, value ?? ""]),
  );
}

/** `provide-api-key` absent or truthy. */
function providesKey(annotations: readonly { readonly key: string; readonly value: Json }[]): boolean {
  const annotation = annotations.find(({ key }) => key === "provide-api-key");
  return annotation === undefined || Boolean(annotation.value);
}

/** Arguments for the environment at init, and the JSON text of all others. */
function splitArguments({ message, contentText }: Order): {
  readonly env: { readonly [name: string]: string };
  readonly valueText: string;
} {
  const { content, initArgs } = message;
  if (content === undefined || contentText === undefined) return { env: {}, valueText: "{}" };
  if (!isJsonObject(content) || initArgs.length === 0) {
    return { env: {}, valueText: contentText };
  }
  const members = memberTexts(contentText);
  const env: { [name: string]: string } = {};
  for (const name of initArgs) {
    const text = members.get(name);
    if (text !== undefined) env[name] = environmentText(text);
    members.delete(name);
  }
  const rest = Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`);
  return { env, valueText: `{${rest.join(",")}}` };
}

/** Strings as they are, null as nothing, numbers and booleans as written, the rest as compact JSON. */
function environmentText(text: string): string {
  const value = parseExact(text);
  if (typeof value === "string") return value;
  if (value === null) return "";
  return isJsonObject(value) || isJsonArray(value) ? printExact(value) : text;
}
