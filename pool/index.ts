// The pool: containers ready for any action of their runtime, each known to be clean or bound to one owner.

import { ContainerCheckpoint, type Probe, pendingBytes } from "../restorer/index.ts";
import type { CodeStore } from "./code-store.ts";
import type { SandboxFactory } from "./lean/types.ts";
import { type ImageFactory, type Machine, systemClock } from "./machine.ts";
import { memoryHere } from "./memory.ts";
import type { TemplateStore } from "./template-store.ts";
import { Templates } from "./templates.ts";
import type { PoolSettings } from "./types.ts";

export { type Probe, probe, type RewindTimings, type Rung } from "../restorer/index.ts";
export { CodeStore, type CodeStoreOptions } from "./code-store.ts";
export { type CodeCounts, codeUses } from "./code-use.ts";
export { defaultEngineTimeouts, Engine, type EngineTimeouts } from "./docker/engine.ts";
export { DockerError, type DockerFailure } from "./docker/errors.ts";
export { createDockerFactory, type DockerFactoryOptions } from "./docker/factory.ts";
export { unfitArguments } from "./docker/options.ts";
export type { VigilSettings } from "./docker/vigil.ts";
export type { PoolEventMap } from "./events.ts";
export { Hold } from "./hold.ts";
export { LeanError } from "./lean/errors.ts";
export { createLeanFactory } from "./lean/factory.ts";
export { ImageError } from "./lean/image-errors.ts";
export { familyOf, type RuntimeImageOptions, RuntimeImages } from "./lean/images.ts";
export { type Family, families, findInterpreters, type Interpreter } from "./lean/interpreters.ts";
export { cloudMetadata, type NetworkSettings, type Service } from "./lean/network.ts";
export type { LeanFactoryOptions } from "./lean/options.ts";
export { preflight } from "./lean/preflight.ts";
export type { Exit, Sandbox } from "./lean/sandbox.ts";
export { servicesOf } from "./lean/services.ts";
export type { AheadCounts, EmbryoCounts, SandboxFactory } from "./lean/types.ts";
export { type LevelOutcome, type LevelRefusal, levelBytes, levelRefusals } from "./levels.ts";
export {
  LibraryError,
  type LibraryRefusal,
  libraryRefusals,
  longestModuleName,
  modulesOf,
} from "./libraries.ts";
export { formatLine } from "./log-lines.ts";
export {
  type Checkpoint,
  type Clock,
  type ImageFactory,
  type Machine,
  type RewindStep,
  systemClock,
  toldMs,
} from "./machine.ts";
export type { MemoryRoom } from "./memory.ts";
export { Pool, type PoolStatus } from "./pool.ts";
export { type Relieved, reliefs } from "./pressure.ts";
export { type Answer, type Exchange, isLoaded, type Timed } from "./proxy/exchange.ts";
export type { Placed } from "./seats.ts";
export { taintReasons } from "./taint.ts";
export { StoredError, type StoredReason, storedReasons } from "./template-file.ts";
export { openTemplateStore, type TemplateStore } from "./template-store.ts";
export { type Alarm, realAlarm, within } from "./time.ts";
export {
  type CollectedLogs,
  defaultPoolSettings,
  type ExchangeLimits,
  type Image,
  type InitFrame,
  type Job,
  type Lease,
  type LibrarySet,
  PoolError,
  type PoolFailure,
  type PoolSettings,
  type PrewarmChecks,
  type Reactive,
  type RemovalCause,
  type RewindPolicy,
  removalCauses,
  rewindPolicies,
  type StartKind,
  type StartPlace,
  type StemCell,
  startPlaces,
  type TaintReason,
} from "./types.ts";

/** This machine, rewinding under the rung that proved itself best; with Docker for what has no runtime of ours. */
export function realMachine(
  factory: SandboxFactory,
  probe: Probe,
  docker?: ImageFactory,
  settings?: Pick<PoolSettings, "boots" | "ageBeforeRetirementMs" | "startTimeoutMs">,
  codes?: CodeStore,
  templateStore?: TemplateStore,
): Machine {
  const { rung } = probe;
  const templates =
    settings?.boots === true && rung !== undefined
      ? new Templates(systemClock, settings, undefined, templateStore)
      : undefined;
  templates?.followTemplates((kind, boot) => factory.bootAhead(kind, boot));
  return {
    factory,
    docker,
    codes,
    takeCheckpoint: rung === undefined ? undefined : (pids) => ContainerCheckpoint.take(pids, { rung }),
    templates,
    pendingBytes,
    memory: memoryHere(factory.memoryGroup()),
    clock: systemClock,
  };
}
