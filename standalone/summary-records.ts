// The records that a controller writes itself: of sequences and compositions, summing up what ran in them.

import { isJsonObject, type KeyValue } from "../invoker/index.ts";
import type { Background } from "./background.ts";
import { entityId } from "./names.ts";
import type { Order } from "./order.ts";
import type { ControllerSettings } from "./settings.ts";
import { type ActivationRecords, type AnyRecord, recordDocument } from "./store/records.ts";
import type { UserEvents } from "./user-events.ts";

/** Who a sequence or composition is. */
export interface Self {
  readonly activationId: string;
  /** The sequence or composition around it; undefined: none. */
  readonly cause: string | undefined;
  /** Epoch milliseconds. */
  readonly start: number;
}

/** What has run in it so far, and what came of the last. */
export class Summary {
  readonly activationIds: string[] = [];
  durationMs: number = 0;
  /** The largest of what ran. */
  memoryMB: number | undefined;
  response: AnyRecord["response"];

  constructor(response: AnyRecord["response"], memoryMB?: number) {
    this.response = response;
    this.memoryMB = memoryMB;
  }

  /** Adds what ran, as the last. */
  add(record: AnyRecord): void {
    this.activationIds.push(record.activationId);
    this.durationMs += record.duration ?? record.end - record.start;
    this.memoryMB = largest(this.memoryMB, memoryOf(record));
    this.response = record.response;
  }
}

export interface SummaryRecordsParts {
  readonly records: ActivationRecords;
  readonly background: Background;
  readonly events: Pick<UserEvents, "activation">;
  readonly settings: Pick<ControllerSettings, "concurrency">;
}

export class SummaryRecords {
  readonly #parts: SummaryRecordsParts;

  constructor(parts: SummaryRecordsParts) {
    this.#parts = parts;
  }

  /** Ends it now: makes its record, tells of it and stores it, unless its namespace wants no records. */
  end(order: Order, self: Self, summary: Summary, marks: readonly KeyValue[] = []): AnyRecord {
    const { records, background, events } = this.#parts;
    const record = this.#record(order, self, summary, marks);
    events.activation(order.user, record);
    if (order.user.limits.storeActivations !== false) {
      records.expect(record.namespace, record.activationId);
      const stored = records.store(recordDocument(record, Date.now()));
      background.track(`record of ${record.activationId}`, stored);
    }
    return record;
  }

  #record(order: Order, self: Self, summary: Summary, marks: readonly KeyValue[]): AnyRecord {
    const { user, transid, action } = order;
    const { document, binding } = action;
    const { activationId, cause, start } = self;
    const { timeout, logs } = document.limits;
    const { memoryMB: memory } = summary;
    const limits = { timeout, memory, logs, concurrency: this.#parts.settings.concurrency.std };
    return {
      namespace: user.namespace.name,
      name: document.name,
      subject: user.subject,
      activationId,
      ...(cause === undefined ? {} : { cause }),
      start,
      end: Date.now(),
      duration: summary.durationMs,
      response: summary.response,
      logs: summary.activationIds,
      version: document.version,
      publish: false,
      annotations: [
        { key: "topmost", value: cause === undefined },
        { key: "path", value: entityId({ path: document.namespace, name: document.name }) },
        { key: "kind", value: "sequence" },
        ...marks,
        ...(cause === undefined ? [] : [{ key: "causedBy", value: "sequence" }]),
        { key: "waitTime", value: Math.max(0, start - transid[1]) },
        ...(binding === undefined ? [] : [{ key: "binding", value: binding }]),
        ...(memory === undefined ? [] : [{ key: "limits", value: { ...limits, memory } }]),
      ],
    };
  }
}

function memoryOf(record: AnyRecord): number | undefined {
  const limits = record.annotations.find((annotation) => annotation.key === "limits")?.value;
  return isJsonObject(limits) && typeof limits.memory === "number" ? limits.memory : undefined;
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
