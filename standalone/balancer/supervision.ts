// What a controller thinks of one invoker: a table of states and events, as OpenWhisk's invoker supervision has it.

/** By the names that `GET /invokers` shows: healthy, failing its work, not answering, silent. Only `up` gets work. */
export type InvokerState = "up" | "unhealthy" | "unresponsive" | "down";

/** What came of an activation: application and developer errors are successes of the invoker. */
export type Finish = "success" | "system-error" | "timeout";

/** `disabled` is a ping that says so, `silence` ten seconds without ping or completion, `minute` the time for a test. */
export type SupervisionEvent = Finish | "ping" | "disabled" | "silence" | "minute";

export interface Supervised {
  readonly state: InvokerState;
  /** The last ten, oldest first. */
  readonly finishes: readonly Finish[];
}

export interface Reaction {
  readonly supervised: Supervised;
  /** Test activations to be sent now. */
  readonly tests: number;
}

const remembered = 10;
const tolerated = 3;

/** Where an event leads: a state by name, or the one that the last ten finishes deserve. */
interface Cell {
  readonly to: InvokerState | "judged";
  readonly tests?: number;
}

const table: { readonly [state in InvokerState]: { readonly [event in SupervisionEvent]: Cell } } = {
  up: {
    ping: { to: "up" },
    disabled: { to: "down" },
    silence: { to: "down" },
    minute: { to: "up" },
    success: { to: "up" },
    "system-error": { to: "judged" },
    timeout: { to: "judged" },
  },
  unhealthy: {
    ping: { to: "unhealthy" },
    disabled: { to: "down" },
    silence: { to: "down" },
    minute: { to: "unhealthy", tests: 1 },
    // Success after success: the next test pushes the errors out of the memory.
    success: { to: "judged", tests: 1 },
    "system-error": { to: "judged" },
    timeout: { to: "judged" },
  },
  unresponsive: {
    ping: { to: "unresponsive" },
    disabled: { to: "down" },
    silence: { to: "down" },
    minute: { to: "unresponsive", tests: 1 },
    success: { to: "judged" },
    "system-error": { to: "judged" },
    timeout: { to: "judged" },
  },
  down: {
    ping: { to: "unhealthy" },
    disabled: { to: "down" },
    silence: { to: "down" },
    minute: { to: "down" },
    success: { to: "down" },
    "system-error": { to: "down" },
    timeout: { to: "down" },
  },
};

/** An invoker whose first ping has just come: it is tested at once. */
export const firstSeen: Reaction = { supervised: { state: "unhealthy", finishes: [] }, tests: 1 };

/** The state after the event, and the tests that follow from it. Entering a state that is tested is a reason for one. */
export function react({ state, finishes }: Supervised, event: SupervisionEvent): Reaction {
  const { to, tests = 0 } = table[state][event];
  const after = isFinish(event) ? [...finishes, event].slice(-remembered) : finishes;
  const next = to === "judged" ? judged(state, after, event) : to;
  const isEntered = next !== state && isTested(next);
  return { supervised: { state: next, finishes: after }, tests: tests + (isEntered ? 1 : 0) };
}

/** States in which a test is sent on entry and every minute. */
export function isTested(state: InvokerState): boolean {
  return state === "unhealthy" || state === "unresponsive";
}

function isFinish(event: SupervisionEvent): event is Finish {
  return event === "success" || event === "system-error" || event === "timeout";
}

function judged(state: InvokerState, finishes: readonly Finish[], event: SupervisionEvent): InvokerState {
  const isBeyondTolerance = (kind: Finish): boolean =>
    finishes.filter((finish) => finish === kind).length > tolerated;
  if (isBeyondTolerance("system-error")) {
    return "unhealthy";
  }
  if (isBeyondTolerance("timeout")) {
    return "unresponsive";
  }
  if (event === "success") {
    return "up";
  }
  if (finishes.length <= tolerated) {
    return event === "timeout" ? "unresponsive" : "unhealthy";
  }
  return state;
}
