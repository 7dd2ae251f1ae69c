// The parts of a cluster's settings that name other services: Kafka, CouchDB, Docker, and the invoker's own HTTP.

import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unfitArguments } from "../../pool/index.ts";
import { readKafkaSettings } from "../bus/kafka-settings.ts";
import type { TopicSettings } from "../bus/kafka-topics.ts";
import type { AdminSettings } from "../http.ts";
import type {
  CouchClusterSettings,
  DockerClusterSettings,
  KafkaClusterSettings,
  LeanImageSettings,
  TracingClusterSettings,
} from "./cluster-settings.ts";
import type { Notice } from "./notices.ts";
import { optional, type SettingReader } from "./reader.ts";

/** `largestMessageBytes` caps acks, events and the topics of activations and acks. `notices` gets what the client cannot do. */
export function readKafka(
  reader: SettingReader,
  largestMessageBytes: number,
  notices: Notice[],
): KafkaClusterSettings | undefined {
  const topic = (name: string, capped: boolean): TopicSettings =>
    readTopic(reader, name, capped ? largestMessageBytes : undefined);
  const connection = readConnection(reader, largestMessageBytes, notices);
  const settings = {
    topicPrefix: reader.text("whisk.kafka.topics.prefix"),
    lagCheckMs: reader.number("whisk.kafka.consumer-lag-check-interval"),
    largestMessageBytes,
    topics: {
      invoker: topic("invoker", true),
      completed: topic("completed", true),
      health: topic("health", false),
      cacheInvalidation: topic("cache-invalidation", false),
      events: topic("events", false),
    },
  };
  return connection === undefined ? undefined : { connection, ...settings };
}

function readConnection(
  reader: SettingReader,
  largestMessageBytes: number,
  notices: Notice[],
): KafkaClusterSettings["connection"] | undefined {
  const hosts = reader.text("KAFKA_HOSTS");
  const given = reader.block("whisk.kafka.common.*");
  const isSecure = /SSL$/i.test(String(given["security-protocol"]));
  // The playbook names key stores whatever the protocol is: without TLS nobody looks whether they are there.
  const common = isSecure
    ? given
    : Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith("ssl-")));
  const producer = {
    ...reader.block("whisk.kafka.producer.*"),
    "max-request-size": String(largestMessageBytes),
  };
  const consumer = reader.block("whisk.kafka.consumer.*");
  const { settings, problems, notApplicable } = readKafkaSettings({ hosts, common, producer, consumer });
  if (hosts !== "") reader.problems.push(...problems);
  for (const { key, reason } of notApplicable) {
    notices.push({ code: "not-applicable", setBy: reader.originOf(key) ?? key, key, text: reason });
  }
  return settings;
}

/** `partitions` is a number of its own; the largest message is what the payload's limit makes it, whatever else is set. */
function readTopic(
  reader: SettingReader,
  name: string,
  largestMessageBytes: number | undefined,
): TopicSettings {
  const { partitions = "1", ...config } = reader.block(`whisk.kafka.topics.${name}.*`);
  if (!/^[1-9]\d*$/.test(partitions)) {
    reader.problems.push(`whisk.kafka.topics.${name}.partitions: it must be a whole number from 1 on`);
  }
  return {
    partitions: Number(partitions),
    replicationFactor: reader.number("whisk.kafka.replication-factor"),
    config: {
      ...Object.fromEntries(
        Object.entries(config).map(([name, value]) => [name.replaceAll("-", "."), value]),
      ),
      ...optional("max.message.bytes", largestMessageBytes?.toString()),
    },
  };
}

export function readCouch(reader: SettingReader): Omit<CouchClusterSettings, "s3"> {
  const text = (key: string): string => reader.text(`whisk.couchdb.${key}`);
  reader.optionalText("whisk.couchdb.provider");
  return {
    protocol: text("protocol") === "https" ? "https" : "http",
    host: text("host"),
    port: reader.optionalNumber("whisk.couchdb.port") ?? 0,
    username: text("username"),
    password: text("password"),
    ...optional("tls", readAuthorities(reader, "rewhisk.couchdb.ca")),
    databases: {
      subjects: text("databases.WhiskAuth"),
      whisks: text("databases.WhiskEntity"),
      activations: text("databases.WhiskActivation"),
    },
    blockedPollMs: reader.number("whisk.blacklist.poll-interval"),
    spool: {
      folder: reader.text("rewhisk.spool.folder"),
      maxBytes: reader.number("rewhisk.spool.max-size"),
    },
  };
}

/** The certificates in a file. */
function readAuthorities(reader: SettingReader, key: string): { readonly ca: string } | undefined {
  const path = reader.optionalText(key);
  if (path === undefined) return undefined;
  try {
    const ca = readFileSync(path, "utf8");
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
    for (const certificate of certificates) new X509Certificate(certificate);
    if (certificates.length > 0) return { ca };
    reader.refuse(key, "there is no certificate in that file, it must be a PEM file");
  } catch (error) {
    reader.refuse(key, `it must be a PEM file that can be read (${(error as Error).message})`);
  }
  return undefined;
}

/** An extra variable without a value has the empty one, as in stock. */
export function readDocker(reader: SettingReader, apiHost: string): DockerClusterSettings {
  const key = (name: string): string => `whisk.container-factory.container-args.${name}`;
  const timeoutMs = (command: string): number => reader.number(`whisk.docker.client.timeouts.${command}`);
  const check = (name: string): string => `whisk.container-proxy.action-health-check.${name}`;
  const variables = reader.list(key("extra-env-vars")).map((variable) => {
    const [name = "", ...value] = variable.split("=");
    return [name, value.join("=")];
  });
  const extraArgs = reader.lists(key("extra-args"));
  for (const { name, value, why } of unfitArguments(extraArgs))
    reader.refuseItem(key(`extra-args.${name}`), value, why);
  return {
    socketPath: reader.text("rewhisk.docker.socket"),
    network: reader.text(key("network")),
    dnsServers: reader.list(key("dns-servers")),
    dnsSearch: reader.list(key("dns-search")),
    dnsOptions: reader.list(key("dns-options")),
    environment: { __OW_API_HOST: apiHost, ...Object.fromEntries(variables) },
    extraArgs,
    parallelRuns: reader.number("whisk.docker.client.parallel-runs"),
    userCpus: reader.optionalNumber("whisk.container-pool.user-cpus"),
    pauseGraceMs: reader.number("whisk.container-proxy.timeouts.pause-grace"),
    vigil: reader.boolean(check("enabled"))
      ? { everyMs: reader.number(check("check-period")), failsMax: reader.number(check("max-fails")) }
      : undefined,
    timeouts: {
      runMs: timeoutMs("run"),
      removeMs: timeoutMs("rm"),
      pullMs: timeoutMs("pull"),
      listMs: timeoutMs("ps"),
      inspectMs: timeoutMs("inspect"),
      pauseMs: timeoutMs("pause"),
      unpauseMs: timeoutMs("unpause"),
    },
  };
}

export function readLeanImages(reader: SettingReader): LeanImageSettings {
  const key = "rewhisk.images.layout";
  const layout = reader.optionalText(key);
  if (layout !== undefined && !existsSync(join(layout, "index.json")))
    reader.refuse(key, "it has no index.json; name the folder of an OCI layout");
  return {
    layout,
    folder: reader.text("rewhisk.images.folder"),
    pulls: reader.boolean("rewhisk.images.pull"),
  };
}

export function readHttp(reader: SettingReader): AdminSettings {
  const headerKey = "whisk.transactions.header";
  const transactionHeader = reader.text(headerKey);
  if (!isHeaderName(transactionHeader)) reader.refuse(headerKey, "it must be the name of an HTTP header");
  return {
    host: "0.0.0.0",
    port: reader.number("PORT"),
    username: reader.text("whisk.invoker.username"),
    password: reader.text("whisk.invoker.password"),
    transactionHeader,
    showsMetrics:
      reader.boolean("whisk.metrics.prometheus-enabled") && reader.boolean("whisk.metrics.kamon-enabled"),
    tls: reader.text("whisk.invoker.protocol") === "https" ? readTls(reader) : undefined,
  };
}

/** As in stock, the two settings of Zipkin are there both or not at all. */
export function readTracing(reader: SettingReader): TracingClusterSettings | undefined {
  const [urlKey, rateKey] = ["whisk.tracing.zipkin.url", "whisk.tracing.zipkin.sample-rate"] as const;
  const component = reader.text("whisk.tracing.component");
  const url = reader.optionalText(urlKey);
  const sampleRate = reader.optionalNumber(rateKey);
  if (url === undefined) {
    if (sampleRate !== undefined) reader.refuse(rateKey, `it needs ${urlKey} beside it`);
    return undefined;
  }
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : "")) {
    reader.refuse(urlKey, "it must be a URL such as http://zipkin:9411");
  }
  if (!reader.isSet(rateKey)) reader.refuse(urlKey, `it needs ${rateKey} beside it`);
  return { component, url, sampleRate: sampleRate ?? 0 };
}

/** A token of RFC 9110. */
function isHeaderName(text: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text);
}

function readTls(reader: SettingReader): AdminSettings["tls"] {
  const key = (name: string): string => `whisk.invoker.https.${name}`;
  const keystorePath = reader.optionalText(key("keystore-path")) ?? "";
  if (keystorePath === "") {
    reader.problems.push(
      "CONFIG_whisk_invoker_https_keystorePath is not set: give the key store, or set CONFIG_whisk_invoker_protocol to http",
    );
  }
  return {
    keystorePath,
    keystorePassword: reader.text(key("keystore-password")),
    keystoreFlavor: reader.text(key("keystore-flavor")),
    clientAuth: reader.boolean(key("client-auth")),
  };
}
