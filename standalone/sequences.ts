// Running actions: single ones go to the invoker, sequences are run here, one component after the other.

import { type Identity, isJsonObject, type Json, type TransactionId, within } from "../invoker/index.ts";
import type { Background } from "./background.ts";
import { texts } from "./errors.ts";
import { type Invocations, type Invoked, newActivationId } from "./invoke.ts";
import { entityId, type QualifiedName } from "./names.ts";
import { type ResolvedAction, resolveAction } from "./resolve.ts";
import { componentsOf } from "./sequence-check.ts";
import type { ControllerSettings } from "./settings.ts";
import type { EntityStore } from "./store/entities.ts";
import { type ActivationRecords, type AnyRecord, recordDocument } from "./store/records.ts";

/** An order to run an action of any kind. */
export interface Order {
  readonly user: Identity;
  readonly transid: TransactionId;
  readonly action: ResolvedAction;
  readonly payload: Json | undefined;
  /** How long to wait for the result; undefined: not at all. */
  readonly waitMs: number | undefined;
}

/** What is known of a sequence under way. */
interface Progress {
  readonly activationIds: string[];
  /** Single actions run so far, those of inner sequences included. */
  count: number;
  durationMs: number;
  memoryMB: number | undefined;
  response: AnyRecord["response"];
}

const componentGraceMs = 60_000;

/** Runs actions, sequences among them. */
export class Runner {
  readonly #entities: EntityStore;
  readonly #records: ActivationRecords;
  readonly #invocations: Invocations;
  readonly #settings: ControllerSettings;
  readonly #background: Background;
  readonly #onFault: (what: string, error: unknown) => void;

  constructor(parts: {
    readonly entities: EntityStore;
    readonly records: ActivationRecords;
    readonly invocations: Invocations;
    readonly background: Background;
    readonly settings: ControllerSettings;
    readonly onFault: (what: string, error: unknown) => void;
  }) {
    this.#entities = parts.entities;
    this.#records = parts.records;
    this.#invocations = parts.invocations;
    this.#background = parts.background;
    this.#settings = parts.settings;
    this.#onFault = parts.onFault;
  }

  /** Invokes the action, whatever it is; with `waitMs` the result comes along if it is there in time. */
  async invoke(order: Order): Promise<Invoked> {
    const components = componentsOf(order.action.document, order.user.namespace.name);
    if (components === undefined) {
      return await this.#invocations.invoke({ ...order, cause: undefined });
    }
    const activationId = newActivationId();
    const run = this.#runSequence(order, components, { activationId, cause: undefined, countBefore: 0 });
    this.#background.track(`sequence ${activationId}`, run);
    if (order.waitMs === undefined) {
      return { activationId };
    }
    const ended = run.then(
      ({ record }) => record,
      () => undefined,
    );
    const record = await within(order.waitMs, ended);
    return record === undefined ? { activationId } : { activationId, record };
  }

  /** Runs the components and stores the sequence's own record; what fails inside becomes its response. */
  async #runSequence(
    order: Order,
    components: readonly QualifiedName[],
    self: { readonly activationId: string; readonly cause: string | undefined; readonly countBefore: number },
  ): Promise<{ readonly record: AnyRecord; readonly count: number }> {
    const start = Date.now();
    const progress: Progress = {
      activationIds: [],
      count: self.countBefore,
      durationMs: 0,
      memoryMB: undefined,
      response: { statusCode: 1, ...(order.payload === undefined ? {} : { result: order.payload }) },
    };
    let input = order.payload;
    for (const component of components) {
      if (!(await this.#runComponent(order, component, input, progress, self.activationId))) {
        break;
      }
      input = progress.response.result;
    }
    const record = sequenceRecord(order, progress, self, { start, end: Date.now() });
    this.#records.expect(record.namespace, record.activationId);
    const stored = this.#records.store(recordDocument(record, Date.now()));
    this.#background.track(`record of sequence ${self.activationId}`, stored);
    return { record, count: progress.count };
  }

  /** Runs one component and notes what came of it. False: the sequence ends here. */
  async #runComponent(
    order: Order,
    name: QualifiedName,
    payload: Json | undefined,
    progress: Progress,
    cause: string,
  ): Promise<boolean> {
    if (progress.count >= this.#settings.sequenceLength) {
      progress.response = failure(1, texts.sequenceTooLong);
      return false;
    }
    try {
      const action = await resolveAction(this.#entities, name);
      if (action === undefined) {
        progress.response = failure(1, texts.sequenceComponentMissing);
        return false;
      }
      const { activationId, record } = await this.#runAny({ ...order, action, payload }, progress, cause);
      progress.activationIds.push(activationId);
      if (record === undefined) {
        progress.response = failure(
          3,
          `Timeout reached when retrieving activation ${activationId} for sequence component.`,
        );
        return false;
      }
      progress.durationMs += record.duration ?? 0;
      progress.memoryMB = largest(progress.memoryMB, memoryOf(record));
      progress.response = record.response;
      if (progress.count > this.#settings.sequenceLength) {
        progress.response = failure(1, texts.sequenceTooLong);
        return false;
      }
      return !(isJsonObject(record.response.result) && Object.hasOwn(record.response.result, "error"));
    } catch (error) {
      this.#onFault(`component ${entityId(name)} of a sequence`, error);
      progress.response = failure(3, texts.sequenceFailed);
      return false;
    }
  }

  async #runAny(order: Order, progress: Progress, cause: string): Promise<Invoked> {
    const { document } = order.action;
    const components = componentsOf(document, order.user.namespace.name);
    if (components === undefined) {
      const invoked = await this.#invocations.invoke({
        ...order,
        waitMs: document.limits.timeout + componentGraceMs,
        cause,
      });
      progress.count++;
      return invoked;
    }
    const activationId = newActivationId();
    const inner = await this.#runSequence(order, components, {
      activationId,
      cause,
      countBefore: progress.count,
    });
    progress.count = inner.count;
    return { activationId, record: inner.record };
  }
}

function failure(statusCode: 1 | 3, error: string): AnyRecord["response"] {
  return { statusCode, result: { error } };
}

function memoryOf(record: AnyRecord): number | undefined {
  const limits = record.annotations.find((annotation) => annotation.key === "limits")?.value;
  return isJsonObject(limits) && typeof limits.memory === "number" ? limits.memory : undefined;
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function sequenceRecord(
  order: Order,
  progress: Progress,
  self: { readonly activationId: string; readonly cause: string | undefined },
  time: { readonly start: number; readonly end: number },
): AnyRecord {
  const { document } = order.action;
  const { memoryMB } = progress;
  return {
    namespace: order.user.namespace.name,
    name: document.name,
    subject: order.user.subject,
    activationId: self.activationId,
    ...(self.cause === undefined ? {} : { cause: self.cause }),
    ...time,
    duration: progress.durationMs,
    response: progress.response,
    logs: progress.activationIds,
    version: document.version,
    publish: false,
    annotations: [
      { key: "topmost", value: self.cause === undefined },
      { key: "path", value: entityId({ path: document.namespace, name: document.name }) },
      { key: "kind", value: "sequence" },
      ...(self.cause === undefined ? [] : [{ key: "causedBy", value: "sequence" }]),
      ...(memoryMB === undefined ? [] : [{ key: "limits", value: { ...document.limits, memory: memoryMB } }]),
    ],
  };
}
