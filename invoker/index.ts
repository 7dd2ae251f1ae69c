// The invoker: takes activation messages from a bus, runs them, acknowledges and records them.

export {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type Interpreter,
  type PoolSettings,
  type PoolStatus,
  type Probe,
  preflight,
  probe,
  type RewindPolicy,
  type Rung,
  type SandboxFactory,
  type StemCell,
  within,
} from "../pool/index.ts";
export { type Bus, MessageTooLargeError, type Subscription } from "./bus/bus.ts";
export {
  defaultInvokerSettings,
  type InvokerSettings,
  type StoreLevel,
  sizeBytes,
} from "./config.ts";
export { type AdminServer, serveAdmin } from "./http.ts";
export { type Invoker, type InvokerParts, type InvokerStatus, startInvoker } from "./service.ts";
export {
  defaultLimits,
  numberDefaults,
  projectFolder,
  type Range,
  readConfigFile,
  type SharedLimits,
} from "./settings.ts";
export {
  ActionFetchError,
  type ActionFetchFailure,
  type ActionStore,
  type ActivationStore,
  type StoredAction,
} from "./store/stores.ts";
export type {
  ActionDocument,
  ActionLimits,
  ActivationDocument,
  AttachedCode,
  Exec,
  KeyValue,
} from "./wire/documents.ts";
export {
  ExactNumber,
  holdsExactNumber,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  parseExact,
  printExact,
} from "./wire/json.ts";
export { isNestedBeyond } from "./wire/json-text.ts";
export type {
  AckMessage,
  ActivationMessage,
  ActivationRecord,
  Identity,
  InvokerInstance,
  StatusCode,
  TransactionId,
} from "./wire/messages.ts";
