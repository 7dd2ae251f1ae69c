// The documents that controllers and invokers keep in CouchDB, as they stand there.

import type { Json } from "./json.ts";
import type { ActivationRecord } from "./messages.ts";

export interface KeyValue {
  readonly key: string;
  readonly value: Json;
  /** True: goes to the environment at init instead of the run value. */
  readonly init?: boolean;
  readonly encryption?: string;
}

/** Limits of an action: milliseconds, megabytes, megabytes, activations at once in one container. */
export interface ActionLimits {
  readonly timeout: number;
  readonly memory: number;
  readonly logs: number;
  readonly concurrency: number;
  /** Means something to schedulers only. */
  readonly instances?: number;
}

/** Code kept beside the document (`couch:<uuid>`) or in the name itself (`mem:<base64url>`). */
export interface AttachedCode {
  readonly attachmentName: string;
  readonly attachmentType: string;
  readonly length?: number;
  readonly digest?: string;
}

export type Exec =
  | { readonly kind: "sequence"; readonly components: readonly string[] }
  | {
      readonly kind: string;
      readonly code?: string | AttachedCode;
      readonly main?: string;
      readonly binary?: boolean;
      readonly image?: string;
    };

export interface ActionDocument {
  /** `namespace[/package]/name` */
  readonly _id: string;
  readonly _rev?: string;
  /** `namespace[/package]` */
  readonly namespace: string;
  readonly name: string;
  readonly exec: Exec;
  readonly parameters: readonly KeyValue[];
  readonly limits: ActionLimits;
  readonly version: string;
  readonly publish: boolean;
  readonly annotations: readonly KeyValue[];
  /** Epoch milliseconds. */
  readonly updated: number;
  readonly entityType: "action";
  readonly _attachments?: { readonly [name: string]: unknown };
}

/** `_id` is `<namespace>/<activationId>`. */
export interface ActivationDocument extends ActivationRecord {
  readonly _id: string;
  readonly updated: number;
  readonly entityType: "activation";
}

/** A version of an action: `major.minor.patch`. */
export function isVersion(value: unknown): value is string {
  return typeof value === "string" && /^\d+\.\d+\.\d+$/.test(value);
}
