// The invoker: takes activation messages from a bus, runs them, acknowledges and records them.

export {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type Interpreter,
  type LibrarySet,
  type PoolSettings,
  type PoolStatus,
  type Probe,
  preflight,
  probe,
  type RewindPolicy,
  type Rung,
  rewindPolicies,
  type SandboxFactory,
  type StemCell,
  within,
} from "../pool/index.ts";
export { type Bus, MessageTooLargeError, type Subscription, type SubscriptionOptions } from "./bus/bus.ts";
export {
  type KafkaBlock,
  type KafkaBlocks,
  type KafkaBus,
  KafkaBusError,
  type KafkaBusParts,
  type KafkaFailure,
  type KafkaLogLine,
  type KafkaObserver,
  type KafkaProperties,
  type KafkaSettings,
  type KafkaStatus,
  kafkajs,
  openKafkaBus,
  type ReadKafkaSettings,
  readKafkaSettings,
  type TopicSettings,
} from "./bus/kafka.ts";
export type { ClusterSettings } from "./config/cluster-settings.ts";
export {
  defaultLimits,
  numberDefaults,
  projectFolder,
  type Range,
  readConfigFile,
  type SharedLimits,
  settingEntries,
} from "./config/entries.ts";
export type { Environment } from "./config/environment.ts";
export {
  defaultInvokerSettings,
  type InvokerSettings,
  type StoreLevel,
  sizeBytes,
} from "./config/invoker-settings.ts";
export { readLibrarySets } from "./config/library-sets.ts";
export type { Notice } from "./config/notices.ts";
export { readClusterSettings, readUserEvents, SettingsError } from "./config/read-cluster.ts";
export { defaultWireSettings, type LogStore, type WireSettings } from "./config/wire-settings.ts";
export { activationEvent, type MetricName, metricEvent } from "./events.ts";
export { AdminListenError, type AdminServer, type AdminSettings, serveAdmin } from "./http.ts";
export { type AdminTls, AdminTlsError } from "./http-tls.ts";
export { fullImageName, type ImageName, isSameImage, parseImageName } from "./image-name.ts";
export { instanceOf } from "./instance.ts";
export { limitViolation, type NamespaceDefaults } from "./limits.ts";
export type { ArgumentKeys } from "./locked-arguments.ts";
export { Kinds, type ManifestContent, type Runtime, readManifest } from "./manifest.ts";
export { Metrics } from "./metrics.ts";
export { Observer } from "./observe.ts";
export { type Invoker, type InvokerParts, type InvokerStatus, startInvoker } from "./service.ts";
export { placeOfCode } from "./store/action-code.ts";
export type { KindRules, RulesOfKind } from "./store/action-document.ts";
export { invalidatedId } from "./store/couchdb/actions.ts";
export type { StoreEvent, TellEvent } from "./store/couchdb/events.ts";
export {
  type CouchProblem,
  type CouchSettings,
  type CouchStores,
  couchDefaults,
  openCouchStores,
} from "./store/couchdb/open.ts";
export type { RecordsStatus } from "./store/couchdb/records.ts";
export { SpoolError } from "./store/couchdb/spool.ts";
export {
  ActionFetchError,
  type ActionFetchFailure,
  type ActionStore,
  type ActivationStore,
  type BlockedNamespaces,
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
