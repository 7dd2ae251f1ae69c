// The life of a container as one table, state by event; an event with no entry throws and taints.

export type ContainerState =
  | "starting"
  | "clean"
  | "running"
  | "warm"
  | "rewinding"
  | "tainted"
  | "removing"
  | "gone";

export type ContainerEvent =
  /** The runtime is ready and its checkpoint taken. */
  | "ready"
  /** A job got it. */
  | "assigned"
  /** A further job of the same owner got it as well. */
  | "joined"
  /** The job is done; the container goes back to its checkpoint. */
  | "finished"
  /** The job is done; live state stays for the same owner. */
  | "kept"
  /** The job is done; nothing can be rewound on this machine. */
  | "spent"
  /** It is about to change hands. */
  | "recycled"
  /** It equals its checkpoint. */
  | "rewound"
  /** It equals its action checkpoint. */
  | "returned"
  /** The job is done, and it has served long enough. */
  | "retired"
  /** Its place is needed, nobody has needed it for long, or nobody waits for it any more. */
  | "evicted"
  /** Anything went wrong. */
  | "failed"
  /** Its destruction has begun. */
  | "discarded"
  /** Nothing of it is left. */
  | "removed";

const lives = {
  starting: { ready: "clean", evicted: "removing", failed: "tainted" },
  clean: { assigned: "running", evicted: "removing", failed: "tainted" },
  running: {
    joined: "running",
    finished: "rewinding",
    kept: "warm",
    spent: "removing",
    retired: "removing",
    failed: "tainted",
  },
  warm: { assigned: "running", recycled: "rewinding", evicted: "removing", failed: "tainted" },
  rewinding: { rewound: "clean", returned: "warm", failed: "tainted" },
  tainted: { failed: "tainted", discarded: "removing" },
  removing: { failed: "removing", removed: "gone" },
  gone: { failed: "gone" },
} as const satisfies Record<ContainerState, Partial<Record<ContainerEvent, ContainerState>>>;

/** An event that the table does not know in this state: a fault of ours, and the container is not to be trusted. */
export class LifecycleError extends Error {
  readonly state: ContainerState;
  readonly event: ContainerEvent;
  constructor(state: ContainerState, event: ContainerEvent) {
    super(`a container that is ${state} cannot be ${event}`);
    this.name = "LifecycleError";
    this.state = state;
    this.event = event;
  }
}

/** The state after `event`, or undefined where the table has no entry. */
export function nextState(state: ContainerState, event: ContainerEvent): ContainerState | undefined {
  const row: Partial<Record<ContainerEvent, ContainerState>> = lives[state];
  return row[event];
}

/** One container's place in the table. */
export class Life {
  #state: ContainerState = "starting";

  get state(): ContainerState {
    return this.#state;
  }

  /** Moves by the table. Throws LifecycleError on an event with no entry, after tainting what is still in use. */
  apply(event: ContainerEvent): ContainerState {
    const before = this.#state;
    const next = nextState(before, event);
    this.#state = next ?? nextState(before, "failed") ?? "tainted";
    if (next === undefined) throw new LifecycleError(before, event);
    return next;
  }
}
