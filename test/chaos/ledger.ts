// The books of a chaos run: all that is known of its activations, each from where it cannot be wrong.

/** What an invocation through the API came to. Its token stands in the activation's arguments, result and log. */
export interface Request {
  readonly token: number;
  /** Undefined: the connection ended without an answer. */
  readonly status: number | undefined;
  readonly activationId: string | undefined;
  /** What is wrong with the result in the answer; undefined: nothing, or there was none in it. */
  readonly fault: string | undefined;
}

/** A message of the invoker's topic. A test activation of the balancer's has no token. */
export interface Sent {
  readonly offset: number;
  readonly activationId: string;
  readonly token: number | undefined;
  readonly isBlocking: boolean;
}

/** A message of the controller's topic. */
export interface Ack {
  readonly activationId: string;
  readonly freesSlot: boolean;
  readonly hasResult: boolean;
  /** When the invoker sent it. */
  readonly atMs: number;
}

/** Up to where a process had read: messages below `next` are its own, or of lives before. */
export interface Commit {
  readonly life: string;
  readonly next: number;
  readonly atMs: number;
}

/** One process of the invoker. */
export interface Life {
  readonly name: string;
  readonly endedMs: number;
  /** By kill -9, from outside. */
  readonly isKilled: boolean;
}

export interface StoredRecord {
  readonly activationId: string;
  /** As CouchDB counts: `1-…` has been written once. */
  readonly revision: string;
  readonly isSuccess: boolean;
  readonly fault: string | undefined;
}

/** All that a run has left. Times are in ms since 1970. */
export interface Ledger {
  readonly requests: readonly Request[];
  readonly sent: readonly Sent[];
  readonly acks: readonly Ack[];
  /** In the order in which the broker took them. */
  readonly commits: readonly Commit[];
  readonly lives: readonly Life[];
  /** How often an action was seen outside of its container, by token. */
  readonly runs: ReadonlyMap<number, number>;
  readonly records: readonly StoredRecord[];
  /** Activations that the balancer completed itself because nobody else did in time. */
  readonly forced: ReadonlySet<string>;
  /** Slots that the balancer holds at the end. */
  readonly slotsHeld: number;
  /** Messages whose first answer was lost, so that they may be there twice. */
  readonly sentAgain: { readonly orders: number; readonly acks: number };
}
