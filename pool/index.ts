// The pool: containers ready for any action of their runtime, each known to be clean or bound to one owner.

import { ContainerCheckpoint, type Probe, pendingBytes } from "../restorer/index.ts";
import type { SandboxFactory } from "./lean/factory.ts";
import { type Machine, systemClock } from "./machine.ts";

export { type Probe, probe, type RewindTimings, type Rung, type TaintReason } from "../restorer/index.ts";
export type { PoolEventMap } from "./events.ts";
export { createLeanFactory, type Exit, type Sandbox, type SandboxFactory } from "./lean/factory.ts";
export { findInterpreters, type Interpreter } from "./lean/interpreters.ts";
export { preflight } from "./lean/preflight.ts";
export { formatLine } from "./log-lines.ts";
export { type Clock, type Machine, systemClock } from "./machine.ts";
export { Pool, type PoolStatus } from "./pool.ts";
export type { Answer, Exchange, Timed } from "./proxy/exchange.ts";
export type { Placed } from "./schedule.ts";
export { taintReasons } from "./taint.ts";
export { within } from "./time.ts";
export {
  type CollectedLogs,
  defaultPoolSettings,
  type ExchangeLimits,
  type InitFrame,
  type Job,
  type Lease,
  PoolError,
  type PoolFailure,
  type PoolSettings,
  type RemovalCause,
  type RewindPolicy,
  type StartKind,
  type StemCell,
} from "./types.ts";

/** This machine, rewinding under the rung that proved itself best. */
export function realMachine(factory: SandboxFactory, probe: Probe): Machine {
  const { rung } = probe;
  return {
    factory,
    takeCheckpoint: rung === undefined ? undefined : (pids) => ContainerCheckpoint.take(pids, { rung }),
    pendingBytes,
    clock: systemClock,
  };
}
