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

export interface ActivationStore {
  /** Keeps the record. Resolves when it is stored. */
  store(document: ActivationDocument): Promise<void>;
}
