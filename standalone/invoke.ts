// An order to run one action: the limits it has to keep, and the message to an invoker that it becomes.

import {
  type ActivationMessage,
  type Identity,
  type Json,
  printExact,
  type TransactionId,
} from "../invoker/index.ts";
import type { Balancer } from "./balancer/balancer.ts";
import { ApiError, texts } from "./errors.ts";
import { newActivationId } from "./ids.ts";
import type { Manifest } from "./manifest.ts";
import { argumentsOf } from "./parameters.ts";
import type { ResolvedAction } from "./resolve.ts";
import type { ControllerSettings } from "./settings.ts";
import type { AnyRecord } from "./store/records.ts";

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

/** Takes orders as long as the server does. */
export class Invocations {
  readonly #balancer: Balancer;
  readonly #settings: ControllerSettings;
  readonly #manifest: Manifest;
  #isClosed: boolean = false;

  constructor(parts: {
    readonly balancer: Balancer;
    readonly settings: ControllerSettings;
    readonly manifest: Manifest;
  }) {
    this.#manifest = parts.manifest;
    this.#balancer = parts.balancer;
    this.#settings = parts.settings;
  }

  /** How many activations the invokers have not let go of. */
  get inFlight(): number {
    return this.#balancer.inFlight;
  }

  /** Resolves when the invokers have let go of every activation. */
  idle(): Promise<void> {
    return this.#balancer.idle();
  }

  /**
   * Invokes a single action. ApiError 413 when the merged arguments are too large, 503 after `close` and when no invoker is
   * healthy.
   */
  async invoke(invocation: Invocation): Promise<Invoked> {
    if (this.#isClosed) {
      throw new ApiError(503, texts.overloaded);
    }
    const { payloadBytes, serdesOverheadBytes, controller } = this.#settings;
    const activationId = newActivationId();
    const message = activationMessage(invocation, activationId, controller);
    const text = printExact(message);
    if (Buffer.byteLength(text) > payloadBytes + serdesOverheadBytes) {
      throw new ApiError(413, texts.tooLarge);
    }
    const { waitMs } = invocation;
    const action = invocation.action.document;
    const { exec } = action;
    const isBlackbox = "image" in exec && exec.image !== undefined && !this.#manifest.isTrusted(exec.image);
    const record = await this.#balancer.publish(message, text, { action, isBlackbox, waitMs });
    return record === undefined ? { activationId } : { activationId, record };
  }

  /** Takes no more orders; callers that still wait get the activation id. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#balancer.close();
  }
}

/** The message as a controller of OpenWhisk writes it. */
export function activationMessage(
  invocation: Invocation,
  activationId: string,
  controller: string,
): ActivationMessage {
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
    rootControllerIndex: { asString: controller, instanceType: "controller" },
    blocking: waitMs !== undefined,
    ...argumentsOf(action.parameters, payload),
    ...(cause === undefined ? {} : { cause }),
  };
}
