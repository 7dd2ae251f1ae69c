// An order to run an action of any kind, and the marks of actions that a controller runs itself.

import type { ActionDocument, Identity, Json, TransactionId } from "../invoker/index.ts";
import { isTruthy, parameterValue } from "./parameters.ts";
import type { ResolvedAction } from "./resolve.ts";
import type { AnyRecord } from "./store/records.ts";

export interface Order {
  readonly user: Identity;
  readonly transid: TransactionId;
  readonly action: ResolvedAction;
  readonly payload: Json | undefined;
  /** How long to wait for the result; undefined: not at all. */
  readonly waitMs: number | undefined;
}

const componentGraceMs = 60_000;

/** How long a sequence or composition waits for one activation of the action. */
export function componentWaitMs(action: ActionDocument): number {
  return action.limits.timeout + componentGraceMs;
}

/** Does the action decide, each time it is run, which action comes next? On sequences the annotation means nothing. */
export function isConductor({ exec, annotations }: ActionDocument): boolean {
  return !("components" in exec) && isTruthy(parameterValue(annotations, "conductor"));
}

/** An outcome that no invoker has given: an application error (1) or one of ours (3). */
export function failure(statusCode: 1 | 3, error: string): AnyRecord["response"] {
  return { statusCode, result: { error } };
}
