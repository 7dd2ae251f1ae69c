// The messages that controllers and invokers exchange, as they stand on the bus (JSON text).

import type { Json, JsonObject } from "./json.ts";

/** `[id, startMs]`, `[id, startMs, true]`, either followed by a parent of the same form. Echoed unchanged in acks. */
export type TransactionId = readonly [id: string, startMs: number, ...rest: readonly unknown[]];

/** Who invokes: the namespace the activation is recorded and billed in. */
export interface Identity {
  readonly subject: string;
  readonly namespace: { readonly name: string; readonly uuid: string };
  /** All fields are exported to the action; with basic authentication exactly `api_key`. */
  readonly authkey: { readonly [field: string]: string };
  readonly rights: readonly string[];
  readonly limits: JsonObject;
}

/** A controller's order to run one action once (core/connector ActivationMessage). */
export interface ActivationMessage {
  readonly transid: TransactionId;
  readonly action: {
    /** `namespace` or `namespace/package`, the action's real place. */
    readonly path: string;
    readonly name: string;
    readonly version?: string;
    /** `namespace/package` of the binding it was reached through. */
    readonly binding?: string;
  };
  /** Document revision the controller saw; null means the latest, past any cache. */
  readonly revision: string | null;
  readonly user: Identity;
  /** 32 lower-case hex digits. */
  readonly activationId: string;
  readonly rootControllerIndex: { readonly asString: string; readonly instanceType?: string };
  readonly blocking: boolean;
  readonly content?: Json;
  /** Names of arguments that go to the environment instead of the run value. */
  readonly initArgs: readonly string[];
  /** Names of encrypted arguments and their algorithm. */
  readonly lockedArgs: { readonly [name: string]: string };
  readonly cause?: string;
  readonly traceContext?: { readonly [key: string]: string };
}

/** The invoker as named in acks and pings. */
export interface InvokerInstance {
  readonly instance: number;
  /** A size with its unit, such as `2147483648 B`. */
  readonly userMemory: string;
  readonly instanceType: "invoker";
  readonly tags: readonly string[];
  readonly dedicatedNamespaces: readonly string[];
  readonly uniqueName?: string;
  readonly displayedName?: string;
}

/** 0 success, 1 application error, 2 action developer error, 3 whisk internal error. */
export type StatusCode = 0 | 1 | 2 | 3;

/** An activation as it stands in an ack (no document fields). */
export interface ActivationRecord {
  readonly namespace: string;
  readonly name: string;
  readonly subject: string;
  readonly activationId: string;
  readonly cause?: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** Milliseconds: init and run, without the gap between. */
  readonly duration: number;
  readonly response: { readonly statusCode: StatusCode; readonly result?: Json; readonly size?: number };
  readonly logs: readonly string[];
  readonly version: string;
  readonly publish: boolean;
  readonly annotations: readonly { readonly key: string; readonly value: Json }[];
}

/** Three shapes told apart only by the fields present: result, completion, combined. */
export interface AckMessage {
  readonly transid: TransactionId;
  /** A record, or only its id where the record was too large or nobody waits. */
  readonly response?: ActivationRecord | string;
  readonly activationId?: string;
  readonly isSystemError?: boolean;
  readonly instance?: InvokerInstance;
}
