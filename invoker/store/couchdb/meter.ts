// What is counted and timed of the requests to the database; the words are stock's.

/** `saveDocument`: one record, from its hand-over until it is stored; `saveDocumentBulk`: one request with several. */
export type DatabaseOperation = (typeof databaseOperations)[number];
export const databaseOperations = [
  "getDocument",
  "getDocumentAttachment",
  "queryView",
  "saveDocument",
  "saveDocumentBulk",
] as const;

/** Must not throw. */
export interface DatabaseMeter {
  begun(operation: DatabaseOperation): void;
  ended(operation: DatabaseOperation, tookMs: number, isFailed: boolean): void;
  /** Of one request. */
  batchSent(records: number): void;
  /** An action was asked for by its revision. `isHit`: no request was made for it. */
  cacheAsked(isHit: boolean): void;
}

/** Counts and times a request; `isFailure` says of what it threw whether it is a failure or an answer. */
export async function metered<Answer>(
  meter: DatabaseMeter,
  operation: DatabaseOperation,
  ask: () => Promise<Answer>,
  isFailure: (error: unknown) => boolean,
): Promise<Answer> {
  const sinceMs = performance.now();
  const end = (isFailed: boolean): void => meter.ended(operation, performance.now() - sinceMs, isFailed);
  meter.begun(operation);
  try {
    const answer = await ask();
    end(false);
    return answer;
  } catch (error) {
    end(isFailure(error));
    throw error;
  }
}

export const noMeter: DatabaseMeter = {
  begun: () => undefined,
  ended: () => undefined,
  batchSent: () => undefined,
  cacheAsked: () => undefined,
};
