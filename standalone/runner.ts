// Running actions of every kind: single ones go to an invoker, sequences and compositions are run here.

import { within } from "../invoker/index.ts";
import type { Background } from "./background.ts";
import { Compositions } from "./compositions.ts";
import { newActivationId } from "./ids.ts";
import type { Invocations, Invoked } from "./invoke.ts";
import { componentWaitMs, isConductor, type Order } from "./order.ts";
import { componentsOf } from "./sequence-check.ts";
import { Sequences } from "./sequences.ts";
import type { ControllerSettings } from "./settings.ts";
import type { EntityStore } from "./store/entities.ts";
import type { AnyRecord } from "./store/records.ts";
import type { SummaryRecords } from "./summary-records.ts";

export interface RunnerParts {
  readonly entities: EntityStore;
  readonly records: SummaryRecords;
  readonly invocations: Invocations;
  readonly background: Background;
  readonly settings: ControllerSettings;
  readonly onFault: (what: string, error: unknown) => void;
}

export class Runner {
  readonly #parts: RunnerParts;
  readonly #sequences: Sequences;
  readonly #compositions: Compositions;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    const { entities, records, settings, onFault } = parts;
    const runSingle = (order: Order, cause: string): Promise<Invoked> => {
      const waitMs = componentWaitMs(order.action.document);
      return parts.invocations.invoke({ ...order, waitMs, cause });
    };
    const shared = { entities, records, settings, onFault };
    this.#compositions = new Compositions({
      ...{ ...shared, runSingle },
      runSequence: async (order, components, cause) => {
        const activationId = newActivationId();
        const { record } = await this.#sequences.run(order, components, {
          ...{ activationId, cause, countBefore: 0 },
        });
        return { activationId, record };
      },
    });
    this.#sequences = new Sequences({
      ...shared,
      runOther: async (order, cause) => {
        if (!isConductor(order.action.document)) {
          return await runSingle(order, cause);
        }
        const activationId = newActivationId();
        return { activationId, record: await this.#compositions.run(order, { activationId, cause }) };
      },
    });
  }

  /** Invokes the action, whatever it is; with `waitMs` the result comes along if it is there in time. */
  async invoke(order: Order): Promise<Invoked> {
    const { document } = order.action;
    const components = componentsOf(document, order.user.namespace.name);
    const how = { activationId: newActivationId(), cause: undefined };
    if (components !== undefined) {
      const run = this.#sequences.run(order, components, { ...how, countBefore: 0 });
      return await this.#await(
        order,
        how.activationId,
        run.then(({ record }) => record),
      );
    }
    if (isConductor(document)) {
      return await this.#await(order, how.activationId, this.#compositions.run(order, how));
    }
    return await this.#parts.invocations.invoke({ ...order, cause: undefined });
  }

  /** It runs on, whether somebody waits for it or not. */
  async #await(order: Order, activationId: string, run: Promise<AnyRecord>): Promise<Invoked> {
    this.#parts.background.track(`${order.action.document._id} as ${activationId}`, run);
    if (order.waitMs === undefined) {
      return { activationId };
    }
    const ended = run.catch(() => undefined);
    const record = await within(order.waitMs, ended);
    return record === undefined ? { activationId } : { activationId, record };
  }
}
