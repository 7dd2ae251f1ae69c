// What operators hear of the database: each event once, when things change.

export type StoreEvent =
  /** No record can be stored now; all are kept until one can. */
  | { readonly event: "database-away"; readonly reason: string }
  | { readonly event: "database-back"; readonly waiting: number }
  /** There was no room for the record any more, neither on disk nor in memory. `dropped`: how many so far. */
  | { readonly event: "record-dropped"; readonly id: string; readonly dropped: number }
  /** The database will never take this record. `refused`: how many so far. */
  | {
      readonly event: "record-refused";
      readonly id: string;
      readonly reason: string;
      readonly refused: number;
    }
  /** Records that are not stored yet lie in memory alone: they end with this process. */
  | { readonly event: "spool-failed"; readonly reason: string }
  | { readonly event: "spool-works-again" }
  /** The end of a spool file was not written completely when the former life ended; that record was not kept. */
  | { readonly event: "spool-torn"; readonly file: string; readonly lostBytes: number }
  /** A spool file stays as it is until the next life. */
  | { readonly event: "spool-unreadable"; readonly reason: string }
  /** The namespaces blocked so far stay blocked, and no others are. */
  | { readonly event: "blocked-namespaces-unread"; readonly reason: string };

/** Hears of events. Must not throw. */
export type TellEvent = (event: StoreEvent) => void;

/** The first words that say something: of an error, of what caused it, or of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
