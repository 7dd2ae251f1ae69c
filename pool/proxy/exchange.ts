// What came of one INIT or RUN, as a value.

import type { Exit } from "../lean/sandbox.ts";

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
  /** The pool has closed and ended the container: the fault is not the action's. */
  | { readonly outcome: "stopped" }
  /** Something came over the channel that is no answer to what was asked. */
  | { readonly outcome: "garbled"; readonly why: string }
  /** The container takes no work any more and has not begun this: another one may. */
  | { readonly outcome: "unavailable" }
  | Unloaded;

/** Nothing was asked: the action was to be loaded by another activation, whose init failed or (undefined) never was. */
export interface Unloaded {
  readonly outcome: "unloaded";
  readonly init: Timed | undefined;
}

/** An exchange with the epoch milliseconds of its start and end. */
export interface Timed {
  readonly startMs: number;
  readonly endMs: number;
  readonly exchange: Exchange;
}

/** What INIT must come to, so that RUN may follow. */
export function isLoaded(exchange: Exchange): boolean {
  return exchange.outcome === "answer" && exchange.status === 200 && !exchange.cut;
}
