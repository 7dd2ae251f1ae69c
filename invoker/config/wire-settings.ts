// The settings of what the invoker says, keeps and logs: no controller has to know them.

import type { NamespaceDefaults } from "../limits.ts";
import type { ArgumentKeys } from "../locked-arguments.ts";

/**
 * Where the lines go that an activation prints (`whisk.spi.LogStoreProvider`): into its record, into the record and a file,
 * or nowhere, because somebody else collects them.
 */
export type LogStore = "record" | "record-and-file" | "none";

export interface WireSettings {
  /** `whisk.invoker.resource.tags`, `whisk.invoker.dedicated.namespaces`: told to controllers, whose sharding balancer ignores them. */
  readonly tags: readonly string[];
  readonly dedicatedNamespaces: readonly string[];
  /** `whisk.namespace-default-limit` */
  readonly namespaceDefaults: NamespaceDefaults;
  /** `whisk.parameter-storage.aes-128`, `.aes-256` */
  readonly argumentKeys: ArgumentKeys;
  /** `whisk.user-events.enabled` with `whisk.kafka.topics.user-event.prefix`; undefined: no events. */
  readonly userEvents: { readonly topicPrefix: string } | undefined;
  readonly logStore: LogStore;
  /** For `record-and-file`: `WHISK_LOGS_DIR`. */
  readonly logFolder: string;
  /** `whisk.container-proxy.log-activation-errors` */
  readonly loggedErrors: {
    readonly application: boolean;
    readonly developer: boolean;
    readonly whisk: boolean;
  };
  /** `whisk.activation.unstored-logs-enabled`: a log line for each record that is not stored. */
  readonly logsUnstored: boolean;
  /** `rewhisk.start-annotation`: records and acks say where the activation began. */
  readonly annotatesStart: boolean;
  /** `whisk.metrics.kamon-tags-enabled`: labels where stock's metrics have a part of the name otherwise. */
  readonly metricTags: boolean;
}

/** As stock has them, but for what only we have. */
export const defaultWireSettings: WireSettings = {
  tags: [],
  dedicatedNamespaces: [],
  namespaceDefaults: {},
  argumentKeys: {},
  userEvents: undefined,
  logStore: "record",
  logFolder: "logs",
  loggedErrors: { application: false, developer: false, whisk: true },
  logsUnstored: false,
  annotatesStart: true,
  metricTags: false,
};
