// The restorer: checkpoint and rewind containers; the only layer that knows the native library.

export {
  type Embryo,
  type Place,
  Template,
  type Vacancy,
  type Waiting,
  type WaitingProcess,
} from "./boot.ts";
export { RestorerError, type TaintReason } from "./errors.ts";
export {
  Connections,
  codeInScratch,
  describeNetwork,
  emptyScratch,
  hasFiles,
  hideCode,
  keepCode,
  type LeanStart,
  makeNetwork,
  pendingBytes,
  reapLean,
  remove,
  scratchPath,
  showCode,
  startLean,
  syscallNumber,
} from "./lean.ts";
export { libraryFile, nativeFolder } from "./native.ts";
export { type Probe, probe, type Rung, type RungProof, rungs } from "./probe.ts";
export {
  type CheckpointLevel,
  type CheckpointSummary,
  ContainerCheckpoint,
  type RewindOptions,
  type RewindTimings,
} from "./restorer.ts";
export { SharedLevel } from "./shared-level.ts";
export { muteStops } from "./stops.ts";
