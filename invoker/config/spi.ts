// The class names that operators of stock put into whisk.spi: understood, or refused with what to do instead.

import type { SettingReader } from "./reader.ts";
import type { LogStore } from "./wire-settings.ts";

const core = "org.apache.openwhisk.core";
const remedies = {
  scheduler: `the scheduler's mode is not supported, its invokers get other messages: set ${core}.invoker.InvokerReactive here and the sharding load balancer in the controllers`,
  lean: "messages come through Kafka only: for a single machine without Kafka start the standalone server",
  database: `actions and activations are kept in CouchDB: leave it unset`,
  attachments: "code is read from S3 or from attachments in CouchDB: leave it unset",
  engine: `containers are made here or by Docker: leave it unset`,
} as const;

/** Class, below the package where all of a key's classes are, to what it means here, or to why it is refused. */
type Classes<Meaning extends string> = {
  readonly [name: string]: Meaning | { readonly refused: keyof typeof remedies };
};

const logStores: Classes<LogStore> = {
  "containerpool.logging.DockerToActivationLogStoreProvider": "record",
  "containerpool.docker.DockerCliLogStoreProvider": "record",
  "containerpool.logging.DockerToActivationFileLogStoreProvider": "record-and-file",
  "containerpool.logging.ElasticSearchLogStoreProvider": "record-and-file",
  "containerpool.logging.LogDriverLogStoreProvider": "none",
  "containerpool.logging.SplunkLogStoreProvider": "none",
};

const attachmentStores: Classes<"s3"> = {
  "database.s3.S3AttachmentStoreProvider": "s3",
  "database.azblob.AzureBlobAttachmentStoreProvider": { refused: "attachments" },
  "database.memory.MemoryAttachmentStoreProvider": { refused: "attachments" },
};

const others: { readonly [key: string]: Classes<"ours"> } = {
  InvokerProvider: {
    "invoker.InvokerReactive": "ours",
    "invoker.FPCInvokerReactive": { refused: "scheduler" },
  },
  InvokerServerProvider: {
    "invoker.DefaultInvokerServer": "ours",
    "invoker.FPCInvokerServer": "ours",
  },
  ArtifactStoreProvider: {
    "database.CouchDbStoreProvider": "ours",
    "database.cosmosdb.CosmosDBArtifactStoreProvider": { refused: "database" },
    "database.mongodb.MongoDBArtifactStoreProvider": { refused: "database" },
    "database.memory.MemoryArtifactStoreProvider": { refused: "database" },
  },
  ActivationStoreProvider: {
    "database.ArtifactActivationStoreProvider": "ours",
    "database.ArtifactWithFileStorageActivationStoreProvider": { refused: "database" },
    "database.elasticsearch.ElasticSearchActivationStoreProvider": { refused: "database" },
  },
  MessagingProvider: {
    "connector.kafka.KafkaMessagingProvider": "ours",
    "connector.lean.LeanMessagingProvider": { refused: "lean" },
  },
  ContainerFactoryProvider: {
    "containerpool.docker.DockerContainerFactoryProvider": "ours",
    "containerpool.docker.StandaloneDockerContainerFactoryProvider": "ours",
    "containerpool.docker.DockerForMacContainerFactoryProvider": { refused: "engine" },
    "containerpool.kubernetes.KubernetesContainerFactoryProvider": { refused: "engine" },
    "containerpool.yarn.YARNContainerFactoryProvider": { refused: "engine" },
  },
};

/** Checks all of whisk.spi, and gives the choices there are. No `attachmentStore`: attachments are in the database. */
export function readProviders(reader: SettingReader): {
  readonly logStore: LogStore;
  readonly attachmentStore: "s3" | undefined;
} {
  for (const [key, classes] of Object.entries(others)) readClass(reader, `whisk.spi.${key}`, classes);
  return {
    logStore: readClass(reader, "whisk.spi.LogStoreProvider", logStores) ?? "record",
    attachmentStore: readClass(reader, "whisk.spi.AttachmentStoreProvider", attachmentStores),
  };
}

function readClass<Meaning extends string>(
  reader: SettingReader,
  key: string,
  classes: Classes<Meaning>,
): Meaning | undefined {
  const name = reader.optionalText(key)?.trim();
  if (name === undefined) return undefined;
  const found = Object.entries(classes).find(([known]) => name === fullName(known))?.[1];
  if (typeof found === "string") return found;
  reader.refuse(key, found === undefined ? unknownClass(classes) : remedies[found.refused]);
  return undefined;
}

function fullName(known: string): string {
  return `${known.startsWith("connector.") ? "org.apache.openwhisk" : core}.${known}`;
}

function unknownClass(classes: Classes<string>): string {
  const usable = Object.entries(classes).flatMap(([name, meaning]) =>
    typeof meaning === "string" ? fullName(name) : [],
  );
  const instead = usable.length === 0 ? "" : `, or set ${usable.join(" or ")}`;
  return `this class is not known here, and classes of Java cannot be loaded: leave it unset${instead}`;
}
