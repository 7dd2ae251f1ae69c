// Running compositions: a conductor action decides step by step which action runs next, and is run again with what that gave.

import {
  isJsonObject,
  type Json,
  type JsonObject,
  printExact,
  type TransactionId,
} from "../invoker/index.ts";
import { requireActionsReadable } from "./access.ts";
import { readContinuation, readNextAction } from "./continuation.ts";
import { texts } from "./errors.ts";
import { childOf, newActivationId } from "./ids.ts";
import type { Invoked } from "./invoke.ts";
import { entityId, type QualifiedName } from "./names.ts";
import { failure, isConductor, type Order } from "./order.ts";
import { type ResolvedAction, resolveAction } from "./resolve.ts";
import { componentsOf } from "./sequence-check.ts";
import type { ControllerSettings } from "./settings.ts";
import type { EntityStore } from "./store/entities.ts";
import type { AnyRecord } from "./store/records.ts";
import { type Self, Summary, type SummaryRecords } from "./summary-records.ts";

export interface CompositionsParts {
  readonly entities: EntityStore;
  readonly records: SummaryRecords;
  readonly settings: ControllerSettings;
  /** Runs an action that is neither sequence nor composition, and waits for it. */
  readonly runSingle: (order: Order, cause: string) => Promise<Invoked>;
  readonly runSequence: (
    order: Order,
    components: readonly QualifiedName[],
    cause: string,
  ) => Promise<Invoked>;
  readonly onFault: (what: string, error: unknown) => void;
}

/** What has run so far: one count for a composition and all compositions in it. */
interface Counts {
  components: number;
  conductors: number;
}

interface Session {
  readonly order: Order;
  readonly self: Self;
  readonly summary: Summary;
  readonly counts: Counts;
}

/** What the conductor is run on, and the transaction that this run is a part of. */
interface Step {
  readonly transid: TransactionId;
  readonly payload: Json | undefined;
}

export class Compositions {
  readonly #parts: CompositionsParts;

  constructor(parts: CompositionsParts) {
    this.#parts = parts;
  }

  /** Runs the composition to its end and gives its own record; what fails inside becomes its response. */
  async run(
    order: Order,
    how: { readonly activationId: string; readonly cause: string | undefined; readonly counts?: Counts },
  ): Promise<AnyRecord> {
    const { activationId, cause, counts = { components: 0, conductors: 0 } } = how;
    const { limits } = order.action.document;
    const session: Session = {
      ...{ order, counts },
      self: { activationId, cause, start: Date.now() },
      summary: new Summary({ statusCode: 0 }, limits.memory),
    };
    session.summary.response = await this.#conduct(session);
    const marks = [{ key: "conductor", value: true }];
    return this.#parts.records.end(order, session.self, session.summary, marks);
  }

  /** Runs the conductor and what it names in turns; gives the response of the whole. */
  async #conduct(session: Session): Promise<AnyRecord["response"]> {
    const { order, counts } = session;
    const conductorsMax = 2 * this.#parts.settings.sequenceLength + 1;
    let step: Step = order;
    let state: JsonObject | undefined;
    for (;;) {
      if (counts.conductors >= conductorsMax) {
        return failure(1, texts.compositionTooLong);
      }
      counts.conductors++;
      const transid = childOf(step.transid);
      const conductor = { ...order, transid, payload: withState(step.payload, state) };
      const response = await this.#take(session, this.#parts.runSingle(conductor, session.self.activationId));
      if (response === undefined) {
        return session.summary.response;
      }
      const next = readContinuation(response.result);
      if (next.action === undefined) {
        return { statusCode: response.statusCode, result: next.params ?? response.result ?? {} };
      }
      state = next.state;
      const taken = await this.#takeNext(session, next.action, { transid, payload: next.params });
      if (taken === undefined) {
        return session.summary.response;
      }
      step = taken;
    }
  }

  /** Runs the named action; what it gave, or why it could not be run, is for the conductor. Undefined: the composition ends. */
  async #takeNext(session: Session, action: Json, { transid, payload }: Step): Promise<Step | undefined> {
    const { order, counts } = session;
    const refused = (error: string): Step => ({ transid, payload: { error } });
    const name = readNextAction(action, order.user.namespace.name);
    if (name === undefined) {
      return refused(`Failed to parse action name from json value ${printExact(action)} during composition.`);
    }
    if (counts.components >= this.#parts.settings.sequenceLength) {
      return refused(texts.compositionTooLong);
    }
    const part = childOf(transid);
    const found = await this.#find(order, name);
    if (typeof found === "string") {
      return { transid: part, payload: { error: found } };
    }
    const run = this.#runAny({ ...order, action: found, transid: part, payload }, session);
    const response = await this.#take(session, run);
    return response && { transid: part, payload: response.result ?? {} };
  }

  /** The action, or why it cannot be run. */
  async #find({ user }: Order, name: QualifiedName): Promise<ResolvedAction | string> {
    const { entities } = this.#parts;
    try {
      await requireActionsReadable(entities, user, [name]);
    } catch {
      return `Failed entitlement check for action with name '${entityId(name)}' during composition.`;
    }
    const action = await resolveAction(entities, name).catch(() => undefined);
    return action ?? `Failed to resolve action with name '${entityId(name)}' during composition.`;
  }

  async #runAny(order: Order, { self, counts }: Session): Promise<Invoked> {
    const { document } = order.action;
    const cause = self.activationId;
    if (isConductor(document)) {
      const activationId = newActivationId();
      return { activationId, record: await this.run(order, { activationId, cause, counts }) };
    }
    counts.components++;
    const components = componentsOf(document, order.user.namespace.name);
    return components === undefined
      ? await this.#parts.runSingle(order, cause)
      : await this.#parts.runSequence(order, components, cause);
  }

  /** Waits for one activation and notes it. Undefined: there is no outcome, and the composition has failed. */
  async #take(session: Session, running: Promise<Invoked>): Promise<AnyRecord["response"] | undefined> {
    const { summary, self } = session;
    try {
      const { activationId, record } = await running;
      if (record !== undefined) {
        summary.add(record);
        return record.response;
      }
      summary.activationIds.push(activationId);
      summary.response = failure(
        3,
        `Timeout reached when retrieving activation ${activationId} during composition.`,
      );
    } catch (error) {
      this.#parts.onFault(`a part of composition ${self.activationId}`, error);
      summary.response = failure(3, texts.compositionFailed);
    }
    return undefined;
  }
}

/** What is no object has no room for a state. */
function withState(payload: Json | undefined, state: JsonObject | undefined): Json | undefined {
  if (state === undefined) {
    return payload;
  }
  return payload === undefined || isJsonObject(payload) ? { ...payload, ...state } : payload;
}
