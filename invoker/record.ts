// The record of an activation, as acks carry it and as the database keeps it.

import { type Lease, modulesOf } from "../pool/index.ts";
import type { InvokerSettings, StoreLevel } from "./config/invoker-settings.ts";
import type { RunnableAction } from "./job.ts";
import type { Outcome } from "./outcome.ts";
import type { ActivationDocument } from "./wire/documents.ts";
import type { Json } from "./wire/json.ts";
import type { ActivationMessage, ActivationRecord, StatusCode } from "./wire/messages.ts";
import { wantsExtraLogging } from "./wire/orders.ts";

/** What was done in a container and how long it took; epoch milliseconds. */
export interface Work {
  readonly outcome: Outcome;
  /** Of init and run together, without the gap between them. */
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined where the action was loaded already. */
  readonly initMs: number | undefined;
  /** When init, or else run, was sent. */
  readonly begunMs: number;
  readonly timedOut: boolean;
}

type Annotation = { readonly key: string; readonly value: Json };

/**
 * The record of an activation that got as far as a container. Stock's, and where it began if that is given; clients read cold or
 * warm from `initTime` as ever.
 */
export function recordOf(
  message: ActivationMessage,
  action: RunnableAction,
  work: Work,
  began?: Pick<Lease, "place" | "libraries">,
): ActivationRecord {
  const { document } = action.stored;
  const { timeout, memory, logs, concurrency, instances } = action.limits;
  const annotations: Annotation[] = [
    { key: "path", value: `${document.namespace}/${document.name}` },
    { key: "waitTime", value: Math.max(0, work.begunMs - message.transid[1]) },
    { key: "kind", value: action.kind },
    { key: "timeout", value: work.timedOut },
    {
      key: "limits",
      value: { timeout, memory, logs, concurrency, ...(instances === undefined ? {} : { instances }) },
    },
    ...(work.initMs === undefined ? [] : [{ key: "initTime", value: work.initMs }]),
    ...commonAnnotations(message),
    ...(began === undefined ? [] : startOf(began)),
  ];
  return {
    ...commonFields(message, work.outcome),
    name: document.name,
    version: document.version,
    start: work.startMs,
    end: work.endMs,
    duration: work.endMs - work.startMs,
    annotations,
  };
}

/** The annotations of our own (`rewhisk.start-annotation`). */
function startOf({ place, libraries }: Pick<Lease, "place" | "libraries">): Annotation[] {
  const start = { key: "start", value: place };
  return libraries === undefined ? [start] : [start, { key: "libraries", value: [...modulesOf(libraries)] }];
}

/** The record of an activation for which no container was even looked for. */
export function fallbackRecord(
  message: ActivationMessage,
  outcome: Outcome,
  nowMs: number,
): ActivationRecord {
  const { path, name, version } = message.action;
  return {
    ...commonFields(message, outcome),
    name,
    version: version ?? "0.0.1",
    start: nowMs,
    end: nowMs,
    duration: 0,
    annotations: [
      { key: "path", value: `${path}/${name}` },
      { key: "kind", value: "unknown" },
      ...causedBy(message),
    ],
  };
}

function commonFields(
  message: ActivationMessage,
  outcome: Outcome,
): Omit<ActivationRecord, "name" | "version" | "start" | "end" | "duration" | "annotations"> {
  const { statusCode, result, size } = outcome;
  return {
    namespace: message.user.namespace.name,
    subject: message.user.subject,
    activationId: message.activationId,
    ...(message.cause ? { cause: message.cause } : {}),
    response: { statusCode, result, ...(size === undefined ? {} : { size }) },
    logs: [],
    publish: false,
  };
}

function commonAnnotations(message: ActivationMessage): Annotation[] {
  const { binding } = message.action;
  return [...causedBy(message), ...(binding ? [{ key: "binding", value: binding }] : [])];
}

function causedBy(message: ActivationMessage): Annotation[] {
  return message.cause ? [{ key: "causedBy", value: "sequence" }] : [];
}

/** The record as a document of the database. */
export function documentOf(
  record: ActivationRecord,
  logs: readonly string[],
  nowMs: number,
): ActivationDocument {
  const _id = `${record.namespace}/${record.activationId}`;
  return { _id, ...record, logs, updated: nowMs, entityType: "activation" };
}

/** Whether the namespace and the settings want this record kept. */
export function isStored(
  message: ActivationMessage,
  statusCode: StatusCode,
  settings: Pick<InvokerSettings, "storeBlocking" | "storeNonBlocking">,
): boolean {
  if (message.user.limits.storeActivations === false) return false;
  const level = message.blocking ? settings.storeBlocking : settings.storeNonBlocking;
  return wantsExtraLogging(message) || allows(level, statusCode);
}

function allows(level: StoreLevel, statusCode: StatusCode): boolean {
  switch (level) {
    case "STORE_ALWAYS":
      return true;
    case "STORE_FAILURES":
      return statusCode !== 0;
    case "STORE_FAILURES_NOT_APPLICATION_ERRORS":
      return statusCode >= 2;
  }
}
