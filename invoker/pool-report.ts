// The pool as operators ask for it, in the form of the stock invoker of the scheduler path.

import type { InvokerStatus } from "./service.ts";

interface PoolReport {
  readonly totalContainers: number;
  /** Being made, or put back. */
  readonly inProgressCount: number;
  readonly prewarmedPool: {
    readonly total: number;
    readonly countsByKind: { readonly [kind: string]: number };
  };
  readonly busyPool: { readonly total: number; readonly containers: readonly string[] };
  /** Idle, and kept for their action's next activation. */
  readonly pausedPool: { readonly total: number; readonly containers: readonly string[] };
}

export function poolReport({ pool }: Pick<InvokerStatus, "pool">): PoolReport {
  const inState = (...states: readonly string[]): InvokerStatus["pool"]["containers"] =>
    pool.containers.filter(({ state }) => states.includes(state));
  const named = (state: string): PoolReport["busyPool"] => {
    const containers = inState(state).map(({ id, kind }) => `${id} ${kind}`);
    return { total: containers.length, containers };
  };
  const prewarmed = inState("clean");
  const countsByKind: { [kind: string]: number } = {};
  for (const { kind } of prewarmed) countsByKind[kind] = (countsByKind[kind] ?? 0) + 1;
  return {
    totalContainers: pool.containers.length,
    inProgressCount: inState("starting", "rewinding").length,
    prewarmedPool: { total: prewarmed.length, countsByKind },
    busyPool: named("running"),
    pausedPool: named("warm"),
  };
}

/**
 * How much would be lost if the invoker were stopped now: activations whose slot is not free. Deployments disable an invoker
 * and wait until this is 0; idle containers, which stock counts and removes when disabled, are no reason to wait.
 */
export function poolCount({ underWay }: Pick<InvokerStatus, "underWay">): number {
  return underWay;
}
