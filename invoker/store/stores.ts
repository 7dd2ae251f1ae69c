// What the invoker needs of the database: actions by revision, and a place for records.

import type { ActionDocument, ActivationDocument } from "../wire/documents.ts";

/** A document with its code in hand. */
export interface StoredAction {
  readonly document: ActionDocument;
  /** UTF-8 source, or the raw archive when `binary`. Undefined for an action without code. */
  readonly code: Buffer | undefined;
  readonly binary: boolean;
}

export type ActionFetchFailure = "not-found" | "unreadable" | "unavailable";

/** Why an action could not be had; `code` decides the whisk error, the message is for operators. */
export class ActionFetchError extends Error {
  readonly code: ActionFetchFailure;
  constructor(code: ActionFetchFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ActionFetchError";
    this.code = code;
  }
}

export interface ActionStore {
  /**
   * The action `id` (`namespace[/package]/name`) at `revision`, or whatever is current where that revision is gone or null.
   * Throws ActionFetchError.
   */
  fetch(id: string, revision: string | null): Promise<StoredAction>;
}

/** Where a cluster keeps code that is not in its database. */
export interface AttachmentStore {
  /** What names of its attachments begin with, as in `s3:<name>`. */
  readonly scheme: string;
  /** The attachment `name`, without the scheme, of the action `id`. Throws ActionFetchError. */
  read(id: string, name: string): Promise<Buffer>;
  close(): Promise<void>;
}

export interface ActivationStore {
  /** Keeps the record. Resolves when the end of this process loses it no more. */
  store(document: ActivationDocument): Promise<void>;
}

export interface BlockedNamespaces {
  /** True: no activation of the namespace is to be run. */
  isBlocked(namespace: string): boolean;
}
