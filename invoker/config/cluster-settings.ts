// What a cluster's environment says, as one value: the parts that the layers of the invoker are given.

import type { EngineTimeouts, VigilSettings } from "../../pool/index.ts";
import type { KafkaSettings } from "../bus/kafka-settings.ts";
import type { TopicSettings } from "../bus/kafka-topics.ts";
import type { AdminSettings } from "../http.ts";
import type { ImageSettings, ManifestContent } from "../manifest.ts";
import type { S3Settings } from "../store/attachments/s3.ts";
import type { InvokerSettings } from "./invoker-settings.ts";

/** All settings of an invoker of a cluster. Durations in milliseconds, Infinity where stock says `Inf`. */
export interface ClusterSettings {
  /** `rewhisk.end.limit`: all that the invoker takes to end in order. */
  readonly endLimitMs: number;
  /** `instance` and the names are those of the arguments and ZooKeeper, not of the environment: see instance-id.ts. */
  readonly invoker: InvokerSettings;
  readonly kafka: KafkaClusterSettings;
  /** A connection string of ZooKeeper: `host:port` between commas. */
  readonly zookeeperHosts: string | undefined;
  readonly couchdb: CouchClusterSettings;
  readonly manifest: ManifestContent;
  readonly images: ImageSettings;
  readonly docker: DockerClusterSettings;
  readonly leanImages: LeanImageSettings;
  readonly prewarmChecks: PrewarmCheckSettings;
  readonly http: AdminSettings;
  /** Undefined: nothing is traced. */
  readonly tracing: TracingClusterSettings | undefined;
  /** What lean containers reach (`rewhisk.network`). */
  readonly network: "nat" | "none";
  /** What of lean containers is made before they are wanted. */
  readonly ahead: { readonly networks: number; readonly containers: number };
  /** Disk for unpacked archives; 0: none are kept. */
  readonly codeStoreMB: number;
  /** Templates outlive the invoker. */
  readonly storesTemplates: boolean;
  /** The URL that actions are told; in the environment of every container already. */
  readonly apiHost: string;
}

export interface KafkaClusterSettings {
  readonly connection: KafkaSettings;
  readonly topicPrefix: string;
  /** How often it is asked how many messages wait to be read. */
  readonly lagCheckMs: number;
  /** The largest message of acks, events and activations. */
  readonly largestMessageBytes: number;
  readonly topics: {
    readonly invoker: TopicSettings;
    readonly completed: TopicSettings;
    readonly health: TopicSettings;
    readonly cacheInvalidation: TopicSettings;
    readonly events: TopicSettings;
  };
}

export interface CouchClusterSettings {
  readonly protocol: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** `ca`: PEM text of the authorities to trust, in place of those that Node does. */
  readonly tls?: { readonly ca: string };
  /** Their names. */
  readonly databases: { readonly subjects: string; readonly whisks: string; readonly activations: string };
  readonly blockedPollMs: number;
  /** Where records wait; each invoker takes a folder of its own in it. */
  readonly spool: { readonly folder: string; readonly maxBytes: number };
  /** Where code is kept that is not in CouchDB; undefined: all is there. */
  readonly s3: S3Settings | undefined;
}

/** Docker containers; lean ones have the environment and the name servers of these too. */
export interface DockerClusterSettings {
  readonly socketPath: string;
  readonly network: string;
  readonly dnsServers: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** Of every container, `__OW_API_HOST` among it. */
  readonly environment: { readonly [name: string]: string };
  /** Options of `docker run` without the dashes, each with its values. */
  readonly extraArgs: { readonly [option: string]: readonly string[] };
  /** 0: any number. */
  readonly parallelRuns: number;
  /** Undefined: no limit. */
  readonly userCpus: number | undefined;
  readonly pauseGraceMs: number;
  /** Undefined: those that are made ahead are not checked. */
  readonly vigil: VigilSettings | undefined;
  readonly timeouts: EngineTimeouts;
}

/** The images of the manifest that lean containers run over. */
export interface LeanImageSettings {
  /** An OCI layout. */
  readonly layout: string | undefined;
  /** Where they are unpacked. */
  readonly folder: string;
  /** Whether Docker fetches those that it does not have. */
  readonly pulls: boolean;
}

export interface TracingClusterSettings {
  readonly component: string;
  /** Of Zipkin, without the path of its API. */
  readonly url: string;
  /** From 0 to 1. */
  readonly sampleRate: number;
}

/** When the numbers of reactive stem cells are decided anew. */
export interface PrewarmCheckSettings {
  readonly firstAfterMs: number;
  readonly everyMs: number;
  /** Up to so much is added to `everyMs`, once, by chance. */
  readonly varianceMs: number;
  readonly removedMax: number;
}
