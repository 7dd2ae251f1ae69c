// Running sequences: one component after the other, each with what the one before has given.

import { isJsonObject, type Json } from "../invoker/index.ts";
import { texts } from "./errors.ts";
import { childOf, newActivationId } from "./ids.ts";
import type { Invoked } from "./invoke.ts";
import { entityId, type QualifiedName } from "./names.ts";
import { failure, type Order } from "./order.ts";
import { resolveAction } from "./resolve.ts";
import { componentsOf } from "./sequence-check.ts";
import type { ControllerSettings } from "./settings.ts";
import type { EntityStore } from "./store/entities.ts";
import type { AnyRecord } from "./store/records.ts";
import { type Self, Summary, type SummaryRecords } from "./summary-records.ts";

export interface SequencesParts {
  readonly entities: EntityStore;
  readonly records: SummaryRecords;
  readonly settings: ControllerSettings;
  /** Runs whatever is no sequence, and waits for it. */
  readonly runOther: (order: Order, cause: string) => Promise<Invoked>;
  readonly onFault: (what: string, error: unknown) => void;
}

/** What is known of a sequence under way. */
interface Progress {
  readonly self: Self;
  readonly summary: Summary;
  /** Actions run so far that are no sequences, those of the sequences around it included. */
  count: number;
}

export class Sequences {
  readonly #parts: SequencesParts;

  constructor(parts: SequencesParts) {
    this.#parts = parts;
  }

  /**
   * Runs the components and ends with the sequence's own record; what fails inside becomes its response. `countBefore` actions
   * have run in the sequences around it.
   */
  async run(
    order: Order,
    components: readonly QualifiedName[],
    how: { readonly activationId: string; readonly cause: string | undefined; readonly countBefore: number },
  ): Promise<{ readonly record: AnyRecord; readonly count: number }> {
    const { activationId, cause, countBefore } = how;
    const { payload } = order;
    const progress: Progress = {
      self: { activationId, cause, start: Date.now() },
      summary: new Summary({ statusCode: 1, ...(payload === undefined ? {} : { result: payload }) }),
      count: countBefore,
    };
    let input = payload;
    for (const component of components) {
      if (!(await this.#runComponent(order, component, input, progress))) {
        break;
      }
      input = progress.summary.response.result;
    }
    return {
      record: this.#parts.records.end(order, progress.self, progress.summary),
      count: progress.count,
    };
  }

  /** Runs one component and notes what came of it. False: the sequence ends here. */
  async #runComponent(
    order: Order,
    name: QualifiedName,
    payload: Json | undefined,
    progress: Progress,
  ): Promise<boolean> {
    const { entities, settings, onFault } = this.#parts;
    const { summary } = progress;
    if (progress.count >= settings.sequenceLength) {
      summary.response = failure(1, texts.sequenceTooLong);
      return false;
    }
    try {
      const action = await resolveAction(entities, name);
      if (action === undefined) {
        summary.response = failure(1, texts.sequenceComponentMissing);
        return false;
      }
      const part = { ...order, transid: childOf(order.transid), action, payload };
      const { activationId, record } = await this.#runAny(part, progress);
      if (record === undefined) {
        summary.activationIds.push(activationId);
        summary.response = failure(
          3,
          `Timeout reached when retrieving activation ${activationId} for sequence component.`,
        );
        return false;
      }
      summary.add(record);
      if (progress.count > settings.sequenceLength) {
        summary.response = failure(1, texts.sequenceTooLong);
        return false;
      }
      return !(isJsonObject(record.response.result) && Object.hasOwn(record.response.result, "error"));
    } catch (error) {
      onFault(`component ${entityId(name)} of a sequence`, error);
      summary.response = failure(3, texts.sequenceFailed);
      return false;
    }
  }

  async #runAny(order: Order, progress: Progress): Promise<Invoked> {
    const cause = progress.self.activationId;
    const components = componentsOf(order.action.document, order.user.namespace.name);
    if (components === undefined) {
      const invoked = await this.#parts.runOther(order, cause);
      progress.count++;
      return invoked;
    }
    const activationId = newActivationId();
    const inner = await this.run(order, components, { activationId, cause, countBefore: progress.count });
    progress.count = inner.count;
    return { activationId, record: inner.record };
  }
}
