// The controller's side of an activation: a message to the invoker, and the acknowledgements that come back.

import { randomUUID } from "node:crypto";
import {
  type AckMessage,
  type ActivationMessage,
  type Bus,
  type Identity,
  type Json,
  parseExact,
  printExact,
  type TransactionId,
} from "../invoker/index.ts";
import { ApiError, texts } from "./errors.ts";
import { argumentsOf } from "./parameters.ts";
import type { ResolvedAction } from "./resolve.ts";
import type { ControllerSettings } from "./settings.ts";
import type { ActivationRecords, AnyRecord } from "./store/records.ts";

export interface Invocation {
  readonly user: Identity;
  readonly transid: TransactionId;
  readonly action: ResolvedAction;
  readonly payload: Json | undefined;
  /** How long to wait for the result; undefined: not at all. */
  readonly waitMs: number | undefined;
  /** The sequence this is a part of. */
  readonly cause: string | undefined;
}

/** The activation, or just its id when its result was not wanted or not there in time. */
export type Invoked = { readonly activationId: string; readonly record?: AnyRecord };

interface InFlight {
  readonly namespace: string;
  readonly giveUp: NodeJS.Timeout;
  /** Hears of the result; undefined when nobody waits. */
  answer: ((record: AnyRecord | undefined) => void) | undefined;
}

/** A new activation id: 32 hexadecimal digits. */
export function newActivationId(): string {
  return randomUUID().replaceAll("-", "");
}

const controllerName = "0";
const invokerTopic = "invoker0";

/** Sends activations to the invoker and matches its acknowledgements to them. */
export class Invocations {
  readonly #bus: Bus;
  readonly #records: ActivationRecords;
  readonly #settings: ControllerSettings;
  readonly #onFault: (what: string, error: unknown) => void;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #perNamespace = new Map<string, number>();
  readonly #subscription: { stop(): Promise<void> };
  #isClosed: boolean = false;
  #released: (() => void) | undefined;

  constructor(parts: {
    readonly bus: Bus;
    readonly records: ActivationRecords;
    readonly settings: ControllerSettings;
    readonly onFault: (what: string, error: unknown) => void;
  }) {
    this.#bus = parts.bus;
    this.#records = parts.records;
    this.#settings = parts.settings;
    this.#onFault = parts.onFault;
    this.#subscription = parts.bus.subscribe(`completed${controllerName}`, (message) =>
      this.#acknowledged(message),
    );
  }

  /** How many activations the invoker has not let go of. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Resolves when the invoker has let go of every activation. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) {
      await new Promise<void>((resolve) => {
        this.#released = resolve;
      });
    }
  }

  /**
   * Invokes a single action. ApiError 413 when the merged arguments are too large, 429 when too many are under way, 503
   * after `close`.
   */
  async invoke(invocation: Invocation): Promise<Invoked> {
    if (this.#isClosed) {
      throw new ApiError(503, texts.overloaded);
    }
    const namespace = invocation.user.namespace.name;
    const count = (this.#perNamespace.get(namespace) ?? 0) + 1;
    const allowed = this.#settings.concurrentInvocations;
    if (count > allowed) {
      throw new ApiError(
        429,
        `Too many concurrent requests in flight (count: ${count}, allowed: ${allowed}).`,
      );
    }
    const activationId = newActivationId();
    const message = printExact(activationMessage(invocation, activationId));
    if (Buffer.byteLength(message) > this.#settings.payloadBytes + this.#settings.serdesOverheadBytes) {
      throw new ApiError(413, texts.tooLarge);
    }
    this.#perNamespace.set(namespace, count);
    const timeoutMs = Math.max(invocation.action.document.limits.timeout, this.#settings.timeoutMs.std);
    const forcedMs =
      timeoutMs * this.#settings.loadBalancerTimeoutFactor + this.#settings.loadBalancerTimeoutAddonMs;
    const entry: InFlight = {
      namespace,
      giveUp: setTimeout(() => this.#release(activationId), forcedMs),
      answer: undefined,
    };
    this.#inFlight.set(activationId, entry);
    const answered = invocation.waitMs === undefined ? undefined : waitFor(entry, invocation.waitMs);
    await this.#bus.send(invokerTopic, message);
    const record = await answered;
    return record === undefined ? { activationId } : { activationId, record };
  }

  /** Stops listening; callers that still wait get the activation id. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const activationId of [...this.#inFlight.keys()]) {
      this.#release(activationId);
    }
    await this.#subscription.stop();
  }

  async #acknowledged(text: string): Promise<void> {
    let ack: AckMessage;
    try {
      ack = parseExact(text) as unknown as AckMessage;
    } catch (error) {
      this.#onFault("an acknowledgement is no JSON", error);
      return;
    }
    const { response } = ack;
    const activationId =
      ack.activationId ?? (typeof response === "string" ? response : response?.activationId);
    const entry = activationId === undefined ? undefined : this.#inFlight.get(activationId);
    if (activationId === undefined || entry === undefined) {
      return;
    }
    this.#records.expect(entry.namespace, activationId);
    if (typeof response === "object") {
      entry.answer?.(response);
    } else if (typeof response === "string" && entry.answer !== undefined) {
      // The result was too large to be sent: it is in the database.
      const { answer } = entry;
      this.#records.get(entry.namespace, activationId).then(answer, () => answer(undefined));
      entry.answer = undefined;
    }
    if (ack.instance !== undefined) {
      this.#release(activationId);
    }
  }

  #release(activationId: string): void {
    const entry = this.#inFlight.get(activationId);
    if (entry === undefined) {
      return;
    }
    this.#inFlight.delete(activationId);
    clearTimeout(entry.giveUp);
    entry.answer?.(undefined);
    this.#released?.();
    const left = (this.#perNamespace.get(entry.namespace) ?? 1) - 1;
    if (left > 0) {
      this.#perNamespace.set(entry.namespace, left);
    } else {
      this.#perNamespace.delete(entry.namespace);
    }
  }
}

function waitFor(entry: InFlight, waitMs: number): Promise<AnyRecord | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => answer(undefined), waitMs);
    const answer = (record: AnyRecord | undefined): void => {
      clearTimeout(timer);
      entry.answer = undefined;
      resolve(record);
    };
    entry.answer = answer;
  });
}

/** The message as a controller of OpenWhisk writes it. */
export function activationMessage(invocation: Invocation, activationId: string): ActivationMessage {
  const { user, transid, action, payload, waitMs, cause } = invocation;
  const { document, binding } = action;
  return {
    transid,
    action: {
      path: document.namespace,
      name: document.name,
      version: document.version,
      ...(binding === undefined ? {} : { binding }),
    },
    revision: document._rev ?? null,
    user,
    activationId,
    rootControllerIndex: { asString: controllerName, instanceType: "controller" },
    blocking: waitMs !== undefined,
    ...argumentsOf(action.parameters, payload),
    ...(cause === undefined ? {} : { cause }),
  };
}
