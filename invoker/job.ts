// What a container is given for one activation: environment, arguments, deadline, limits.

import {
  type ExchangeLimits,
  type Image,
  type InitFrame,
  type Job,
  type RewindPolicy,
  rewindPolicies,
} from "../pool/index.ts";
import { type AskedModules, modulesOfAnnotation, modulesOfSource } from "./asked-modules.ts";
import { type InvokerSettings, sizeBytes } from "./config/invoker-settings.ts";
import { unlockArguments } from "./locked-arguments.ts";
import type { StoredAction } from "./store/stores.ts";
import type { ActionDocument, ActionLimits, KeyValue } from "./wire/documents.ts";
import { ExactNumber, isJsonArray, isJsonObject, type Json, parseExact, printExact } from "./wire/json.ts";
import { memberTexts, objectText } from "./wire/json-text.ts";
import type { ActivationMessage } from "./wire/messages.ts";
import type { Order } from "./wire/orders.ts";

const bytesPerMB = 1024 * 1024;

/** An action ready to be run: its document's facts with all defaults in place. */
export interface RunnableAction {
  readonly stored: StoredAction;
  readonly kind: string;
  /** Absent: the kind has a runtime of ours. */
  readonly image?: Image | undefined;
  readonly limits: ActionLimits;
}

/** One activation as the pool and its container see it. */
export interface ActivationJob extends Job {
  readonly rewind: RewindPolicy;
  readonly concurrency: number;
  readonly logBytes: number;
  readonly exchange: ExchangeLimits;
  /** An answer to init is bounded by the system alone. */
  readonly initExchange: ExchangeLimits;
  /** The init frame at that moment (the deadline is part of it). */
  readonly initFrame: (nowMs: number) => InitFrame;
  /** The run body, as stock posts it to `/run`, at that moment. */
  readonly runBody: (nowMs: number) => string;
}

/** Throws LockedArgumentError. */
export function describeJob(order: Order, action: RunnableAction, settings: InvokerSettings): ActivationJob {
  const { message } = order;
  const { stored, kind, image, limits } = action;
  const { document, code, binary } = stored;
  const facts = factsOf(message, providesKey(document.annotations));
  const args = splitArguments(order, settings);
  const main = "main" in document.exec ? document.exec.main : undefined;
  const deadline = (nowMs: number): string => String(Math.floor(nowMs) + limits.timeout);
  const exchange = exchangeLimits(message, limits, settings);
  const asked = modulesAskedBy(action, settings);
  return {
    kind,
    ...asked,
    ...(image && { image, label: `${message.user.namespace.name}_${document.name}` }),
    memoryMB: limits.memory,
    owner: `${message.user.namespace.name} ${document._id} ${document._rev ?? document.version}`,
    rewind: rewindPolicy(document.annotations, settings.pool.rewind),
    concurrency: concurrencyOf(action),
    hasOwnInit: message.initArgs.length > 0,
    logBytes: settings.logStore === "none" ? 0 : limits.logs * bytesPerMB,
    exchange,
    initExchange: { ...exchange, maxBodyBytes: settings.payloadBytes },
    initFrame: (nowMs) => ({
      name: document.name,
      main: main ?? "main",
      binary,
      env: { ...args.env, ...environmentOf({ ...facts, deadline: deadline(nowMs) }) },
      code,
    }),
    runBody: (nowMs) => {
      const rest = printExact({ ...facts, deadline: deadline(nowMs) });
      return `{"value":${args.valueText},${rest.slice(1)}`;
    },
  };
}

/** The annotation by which an action's author says which modules may be there before it is loaded. */
export const librariesAnnotation = "libraries";

/** Of actions that stay in hand while they are used. */
const modulesOf = new WeakMap<StoredAction, AskedModules>();

/** Undefined where no container of the kind has any before it is loaded, nor will have. */
function modulesAskedBy(
  { stored, kind, image }: RunnableAction,
  { pool }: InvokerSettings,
): AskedModules | undefined {
  const hasAny = pool.learntMemoryMB > 0 || pool.libraries.some((set) => set.kind === kind);
  if (image !== undefined || !hasAny) return undefined;
  const known = modulesOf.get(stored);
  if (known !== undefined) return known;
  const { document, code, binary } = stored;
  const asked =
    modulesOfAnnotation(annotationOf(document.annotations, librariesAnnotation)) ??
    modulesOfSource(kind, binary ? "" : (code?.toString() ?? ""));
  modulesOf.set(stored, asked);
  return asked;
}

/** The annotation by which an action's author chooses when its containers are rewound. */
export const rewindAnnotation = "rewind";

/** What the annotation says, else what is usual here. */
function rewindPolicy(annotations: readonly KeyValue[], usual: RewindPolicy): RewindPolicy {
  const chosen = annotationOf(annotations, rewindAnnotation);
  if (chosen === undefined) return usual;
  return rewindPolicies.find((policy) => policy === chosen) ?? strictPolicy(usual);
}

/** For an author who chose something that is none: no state lives on. */
function strictPolicy(usual: RewindPolicy): RewindPolicy {
  return usual === "on-change" ? "always" : usual;
}

/** What holds instead where the author wished for a policy that there is not; undefined: he did not. */
export function policyInstead(
  { annotations }: ActionDocument,
  usual: RewindPolicy,
): RewindPolicy | undefined {
  const chosen = annotationOf(annotations, rewindAnnotation);
  if (chosen === undefined || rewindPolicies.some((policy) => policy === chosen)) return undefined;
  return strictPolicy(usual);
}

/** Of our runtimes only nodejs runs an activation while another waits for something; what an image does is its own matter. */
function concurrencyOf({ kind, image, limits }: RunnableAction): number {
  return image !== undefined || kind.startsWith("nodejs:") ? limits.concurrency : 1;
}

/** How long each exchange may take, and how long a result may be for this user. */
function exchangeLimits(
  message: ActivationMessage,
  limits: ActionLimits,
  settings: InvokerSettings,
): ExchangeLimits {
  const { maxPayloadSize, truncationSize } = message.user.limits;
  const { payloadBytes, truncationBytes, namespaceDefaults: usual } = settings;
  return {
    timeoutMs: limits.timeout,
    maxBodyBytes: Math.min(sizeBytes(maxPayloadSize) ?? usual.payloadBytes ?? payloadBytes, payloadBytes),
    keptBodyBytes: Math.min(
      sizeBytes(truncationSize) ?? usual.truncationBytes ?? truncationBytes,
      truncationBytes,
    ),
  };
}

/** `authkey` may have fields of any sort. */
type Facts = { readonly [name: string]: Json };

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
    Object.entries(facts).map(([name, value]) => [
      `__OW_${name.toUpperCase()}`,
      environmentText(printExact(value)),
    ]),
  );
}

/** `provide-api-key` absent or truthy. */
function providesKey(annotations: readonly KeyValue[]): boolean {
  const value = annotationOf(annotations, "provide-api-key");
  return value === undefined || Boolean(value instanceof ExactNumber ? Number(value.text) : value);
}

function annotationOf(annotations: readonly KeyValue[], key: string): Json | undefined {
  return annotations.find((annotation) => annotation.key === key)?.value;
}

/** Arguments for the environment at init, and the JSON text of all others. */
function splitArguments(
  { message, contentText }: Order,
  { argumentKeys }: InvokerSettings,
): { readonly env: { readonly [name: string]: string }; readonly valueText: string } {
  if (contentText === undefined) return { env: {}, valueText: "{}" };
  const { initArgs, lockedArgs } = message;
  const text = unlockArguments(contentText, lockedArgs, argumentKeys);
  if (initArgs.length === 0 || !text.startsWith("{")) return { env: {}, valueText: text };
  const members = memberTexts(text);
  const env: { [name: string]: string } = {};
  for (const name of initArgs) {
    const member = members.get(name);
    if (member !== undefined) env[name] = environmentText(member);
    members.delete(name);
  }
  return { env, valueText: objectText(members) };
}

/** Strings as they are, null as nothing, numbers and booleans as written, the rest as compact JSON. */
function environmentText(text: string): string {
  const value = parseExact(text);
  if (typeof value === "string") return value;
  if (value === null) return "";
  return isJsonObject(value) || isJsonArray(value) ? printExact(value) : text;
}
