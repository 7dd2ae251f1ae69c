// Callers that wait for a result: told by the result ack, or by the database where no ack brings the result.

import type { AnyRecord } from "../store/records.ts";

export interface AnswersParts {
  /** The record, undefined where it is not in the database. */
  readonly look: (namespace: string, activationId: string) => Promise<AnyRecord | undefined>;
  /** `whisk.controller.activation.polling-from-db`: else only acks bring results. */
  readonly pollingFromDatabase: boolean;
  readonly onFault: (what: string, error: unknown) => void;
}

interface Waiting {
  readonly namespace: string;
  readonly activationId: string;
  readonly untilMs: number;
  readonly tell: (record: AnyRecord | undefined) => void;
  timer: NodeJS.Timeout | undefined;
}

/** After an ack without the result: at once, then as OpenWhisk does. */
const pausesMs = [0, 1_000, 3_000, 5_000, 7_000] as const;
/** Looks for the record of an activation that no ack has come for. */
const slowPauseMs = 15_000;

/** The promises of blocking activations, by activation id. */
export class Answers {
  readonly #parts: AnswersParts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /** Resolves with the record, or with undefined when it is not there in time or will not come. */
  wait(namespace: string, activationId: string, waitMs: number): Promise<AnyRecord | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        ...{ namespace, activationId, untilMs: performance.now() + waitMs, timer: undefined },
        tell: (record) => {
          clearTimeout(waiting.timer);
          this.#waiting.delete(activationId);
          resolve(record);
        },
      };
      this.#waiting.set(activationId, waiting);
      this.#sleep(waiting);
    });
  }

  /** A result ack has come: with the record, or with its id where the record was too large for the bus. */
  give(activationId: string, response: AnyRecord | string): void {
    const waiting = this.#waiting.get(activationId);
    if (waiting === undefined) {
      return;
    }
    if (typeof response === "object") {
      waiting.tell(response);
    } else if (this.#parts.pollingFromDatabase) {
      void this.#poll(waiting);
    }
  }

  /** No result will come. */
  fail(activationId: string): void {
    this.#waiting.get(activationId)?.tell(undefined);
  }

  /** Nobody waits any more. */
  close(): void {
    for (const waiting of [...this.#waiting.values()]) {
      waiting.tell(undefined);
    }
  }

  #sleep(waiting: Waiting): void {
    const leftMs = waiting.untilMs - performance.now();
    const look = (): void => {
      if (performance.now() >= waiting.untilMs || !this.#parts.pollingFromDatabase) {
        waiting.tell(undefined);
      } else {
        this.#sleep(waiting);
        void this.#look(waiting);
      }
    };
    const pauseMs = this.#parts.pollingFromDatabase ? Math.min(slowPauseMs, leftMs) : leftMs;
    waiting.timer = setTimeout(look, Math.max(0, pauseMs));
  }

  async #poll(waiting: Waiting): Promise<void> {
    for (const pauseMs of pausesMs) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
      if (!this.#waiting.has(waiting.activationId) || (await this.#look(waiting))) {
        return;
      }
    }
  }

  /** True when the record was there and has been told. */
  async #look(waiting: Waiting): Promise<boolean> {
    const { namespace, activationId } = waiting;
    try {
      const record = await this.#parts.look(namespace, activationId);
      if (record !== undefined) {
        waiting.tell(record);
      }
      return record !== undefined;
    } catch (error) {
      this.#parts.onFault(`looking for activation ${activationId}`, error);
      return false;
    }
  }
}
