// What came of one INIT or RUN, as a value.

import type { Exit } from "../lean/factory.ts";

/** What the runtime said. */
export interface Answer {
  readonly outcome: "answer";
  /** As the stock runtime's HTTP status. */
  readonly status: number;
  /** The whole body, or its first part where `cut`. */
  readonly body: string;
  /** Length of the whole body. */
  readonly bodyBytes: number;
  readonly cut: boolean;
}

export type Exchange =
  | Answer
  | { readonly outcome: "timeout" }
  /** The runtime ended, or closed its channel. */
  | { readonly outcome: "gone"; readonly exit: Exit | undefined; readonly oomKilled: boolean }
  /** Something came over the channel that is no answer to what was asked. */
  | { readonly outcome: "garbled"; readonly why: string };

/** An exchange with the epoch milliseconds of its start and end. */
export interface Timed {
  readonly startMs: number;
  readonly endMs: number;
  readonly exchange: Exchange;
}
