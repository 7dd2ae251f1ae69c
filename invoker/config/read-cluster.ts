// Reads the environment of stock's invoker into one value, or lists everything that is wrong with it.

import { type LibrarySet, rewindPolicies } from "../../pool/index.ts";
import { dockerOnly } from "../lean-arguments.ts";
import { Kinds, type ManifestContent, readManifest } from "../manifest.ts";
import type { ClusterSettings, DockerClusterSettings } from "./cluster-settings.ts";
import { defaultLimits, type Range, type SharedLimits } from "./entries.ts";
import { type Environment, gatherSettings } from "./environment.ts";
import { type InvokerSettings, invokerSettings, type StoreLevel, storeLevels } from "./invoker-settings.ts";
import { readLibrarySets } from "./library-sets.ts";
import { type Notice, noticesOf } from "./notices.ts";
import { readS3 } from "./read-s3.ts";
import { readCouch, readDocker, readHttp, readKafka, readLeanImages, readTracing } from "./read-services.ts";
import { optional, SettingReader } from "./reader.ts";
import { readProviders } from "./spi.ts";
import type { WireSettings } from "./wire-settings.ts";

/** Everything that is wrong with an environment; `problems` has a line for each, the message all of them. */
export class SettingsError extends Error {
  readonly code = "malformed-settings";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** Throws SettingsError with all problems at once. `notices` is what operators should hear once, without any value. */
export function readClusterSettings(environment: Environment): {
  readonly settings: ClusterSettings;
  readonly notices: readonly Notice[];
} {
  const { values, problems } = gatherSettings(environment);
  const reader = new SettingReader(values);
  const notices = [...noticesOf(values)];
  const settings = readAll(reader, notices, environment);
  // A key that is read twice has its problem twice.
  const all = [...new Set([...problems, ...reader.problems])];
  if (settings === undefined || all.length > 0) throw new SettingsError(all);
  return { settings, notices };
}

/** Where user events go, if they are on: all that a controller takes from such an environment. Throws SettingsError. */
export function readUserEvents(environment: Environment): WireSettings["userEvents"] {
  const { values, problems } = gatherSettings(environment);
  const reader = new SettingReader(values);
  const userEvents = userEventsOf(reader);
  const all = [...problems, ...reader.problems];
  if (all.length > 0) throw new SettingsError(all);
  return userEvents;
}

function userEventsOf(reader: SettingReader): WireSettings["userEvents"] {
  return reader.boolean("whisk.user-events.enabled")
    ? { topicPrefix: reader.text("whisk.kafka.topics.user-event.prefix") }
    : undefined;
}

/** Undefined only where there are problems. */
function readAll(
  reader: SettingReader,
  notices: Notice[],
  environment: Environment,
): ClusterSettings | undefined {
  const { logStore, attachmentStore } = readProviders(reader);
  const invoker = { ...readInvoker(reader, notices), ...readWire(reader), logStore };
  const largestMessageBytes = invoker.payloadBytes + reader.number("whisk.activation.serdes-overhead");
  const manifest = readRuntimes(reader);
  const [protocol, name] = [reader.text("WHISK_API_HOST_PROTO"), reader.text("WHISK_API_HOST_NAME")];
  const apiHost = originOf(`${protocol}://${name}:${reader.number("WHISK_API_HOST_PORT")}`);
  const kafka = readKafka(reader, largestMessageBytes, notices);
  const docker = readDocker(reader, apiHost);
  notices.push(...dockerNotices(reader, docker));
  const settings = {
    endLimitMs: reader.number("rewhisk.end.limit"),
    invoker: { ...invoker, defaultKinds: defaultKinds(manifest) },
    zookeeperHosts: reader.optionalText("ZOOKEEPER_HOSTS"),
    couchdb: {
      ...readCouch(reader),
      s3: attachmentStore === "s3" ? readS3(reader, notices, environment) : undefined,
    },
    manifest,
    images: {
      runtimesRegistry: reader.text("whisk.container-factory.runtimes-registry.url"),
      userImagesRegistry: reader.text("whisk.container-factory.user-images-registry.url"),
      bypassPullForLocalImages: reader.boolean("whisk.runtimes.bypass-pull-for-local-images"),
      localImagePrefix: reader.text("whisk.runtimes.local-image-prefix"),
    },
    network: reader.choice("rewhisk.network", ["nat", "none"]),
    ahead: {
      networks: reader.number("rewhisk.ahead.networks"),
      containers: reader.number("rewhisk.ahead.containers"),
    },
    codeStoreMB: reader.number("rewhisk.code-store.size"),
    storesTemplates: reader.boolean("rewhisk.stored-templates"),
    docker,
    leanImages: readLeanImages(reader),
    prewarmChecks: {
      firstAfterMs: reader.number("whisk.container-pool.prewarm-expiration-check-init-delay"),
      everyMs: reader.number("whisk.container-pool.prewarm-expiration-check-interval"),
      varianceMs: reader.number("whisk.container-pool.prewarm-expiration-check-interval-variance"),
      removedMax: reader.number("whisk.container-pool.prewarm-expiration-limit"),
    },
    http: readHttp(reader),
    tracing: readTracing(reader),
    apiHost,
  };
  return kafka === undefined ? undefined : { ...settings, kafka };
}

/** What lean containers have nothing like: it holds for Docker's. */
function dockerNotices(reader: SettingReader, { extraArgs, userCpus }: DockerClusterSettings): Notice[] {
  const extra = dockerOnly(extraArgs).map((name) => {
    const key = `whisk.container-factory.container-args.extra-args.${name}`;
    return { key, setBy: reader.originOf(key) ?? reader.originOf(`${key}.0`) ?? key };
  });
  const cpus = "whisk.container-pool.user-cpus";
  const all =
    userCpus === undefined ? extra : [...extra, { key: cpus, setBy: reader.originOf(cpus) ?? cpus }];
  const text = "It holds for Docker's containers alone: lean ones have nothing like it.";
  return all.map((one) => ({ ...one, code: "not-applicable", text }));
}

/** Without the usual port of the scheme, as actions know it; what is no URL stays as it is. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

/** What `<family>:default` stands for. */
function defaultKinds({ families }: ManifestContent): { readonly [family: string]: string } {
  const kinds = new Kinds(families);
  return Object.fromEntries(
    Object.keys(families).flatMap((family) => {
      const usual = kinds.resolve(`${family}:default`);
      return usual === undefined ? [] : [[family, usual.kind]];
    }),
  );
}

function readRuntimes(reader: SettingReader): ManifestContent {
  const text = reader.text("RUNTIMES_MANIFEST");
  const content = text === "" ? { families: {}, blackboxes: [] } : readManifest(text);
  if (!("problems" in content)) return content;
  reader.problems.push(...content.problems.map((problem) => `RUNTIMES_MANIFEST, ${problem}`));
  return { families: {}, blackboxes: [] };
}

function readInvoker(reader: SettingReader, notices: Notice[]): InvokerSettings {
  const number = (key: string): number => reader.number(key);
  const limits = bounded(reader, defaultLimits(number));
  const userMemoryMB = number("whisk.container-pool.user-memory");
  if (userMemoryMB < limits.memoryMB.min) {
    reader.problems.push(
      `whisk.container-pool.user-memory: ${userMemoryMB} MB have no room for any action, the smallest has ${limits.memoryMB.min} MB (whisk.memory.min)`,
    );
  }
  return {
    ...invokerSettings({
      limits,
      number,
      rewind: reader.choice("rewhisk.rewind", rewindPolicies),
      boots: reader.boolean("rewhisk.boots"),
      sharesLevels: reader.boolean("rewhisk.action-checkpoints.shared"),
      predicts: reader.boolean("rewhisk.prewarm-by-arrivals"),
      libraries: readLibraries(reader),
      idleMs: number("whisk.container-proxy.timeouts.idle-container"),
    }),
    topicPrefix: reader.text("whisk.kafka.topics.prefix"),
    storeBlocking: readStoreBlocking(reader, notices),
    storeNonBlocking: reader.choice("whisk.activation.store-non-blocking-result-level", storeLevels),
    logLevel: logLevels[reader.text("logback.log.level")] ?? "info",
  };
}

function readLibraries(reader: SettingReader): readonly LibrarySet[] {
  const key = "rewhisk.libraries";
  const { sets, problems } = readLibrarySets(reader.text(key));
  for (const { item, why } of problems) reader.refuse(key, `'${item}': ${why}`);
  return sets;
}

/**
 * The older switch counts beside a level that cannot be read, as in stock, and in a cluster of 1.0.0, which has no levels: there alone
 * nobody has to set the provider of invokers.
 */
function readStoreBlocking(reader: SettingReader, notices: Notice[]): StoreLevel {
  const [key, oldKey] = [
    "whisk.activation.store-blocking-result-level",
    "whisk.activation.disable-store-result",
  ] as const;
  const isOff = reader.boolean(oldKey);
  const hear = (key: string, text: string): void => {
    notices.push({ code: "not-applicable", setBy: reader.originOf(key) ?? key, key, text });
  };
  const isUnreadable = reader.isSet(key) && !reader.isChoice(key);
  const isOldCluster = !reader.isSet(key) && !reader.isSet("whisk.spi.InvokerProvider");
  if (reader.isSet(oldKey) && (isUnreadable || isOldCluster)) {
    if (isUnreadable) hear(key, `It is no level: ${oldKey} counts, as in stock.`);
    return isOff ? "STORE_FAILURES" : "STORE_ALWAYS";
  }
  if (isOff) hear(oldKey, `Of OpenWhisk 1.0.0, which has no levels: ${key} counts.`);
  return reader.choice(key, storeLevels);
}

const logLevels: { readonly [level: string]: string } = {
  ALL: "trace",
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
  OFF: "silent",
};

/** A usual value outside of the bounds that an operator has narrowed is the nearer of them. */
function bounded(reader: SettingReader, limits: SharedLimits): SharedLimits {
  const within = (key: string, { min, std, max }: Range): Range => {
    if (min > max) reader.problems.push(`${key}: min ${min} is above max ${max}`);
    return { min, std: Math.min(Math.max(std, min), max), max };
  };
  return {
    ...limits,
    timeoutMs: within("whisk.time-limit", limits.timeoutMs),
    memoryMB: within("whisk.memory", limits.memoryMB),
    logsMB: within("whisk.log-limit", limits.logsMB),
    concurrency: within("whisk.concurrency-limit", limits.concurrency),
  };
}

function readWire(reader: SettingReader): Omit<WireSettings, "logStore"> {
  const bounds = (limit: string): { readonly min?: number; readonly max?: number } => ({
    ...optional("min", reader.optionalNumber(`whisk.namespace-default-limit.${limit}.min`)),
    ...optional("max", reader.optionalNumber(`whisk.namespace-default-limit.${limit}.max`)),
  });
  const payload = "whisk.namespace-default-limit.activation.payload";
  const logged = (errors: string): boolean =>
    reader.boolean(`whisk.container-proxy.log-activation-errors.${errors}-errors`);
  reader.optionalText("whisk.parameter-storage.current");
  return {
    tags: reader.names("whisk.invoker.resource.tags"),
    dedicatedNamespaces: reader.names("whisk.invoker.dedicated.namespaces"),
    namespaceDefaults: {
      timeoutMs: bounds("time-limit"),
      memoryMB: bounds("memory"),
      logsMB: bounds("log-limit"),
      concurrency: bounds("concurrency-limit"),
      ...optional("payloadBytes", reader.optionalNumber(`${payload}.max`)),
      ...optional("truncationBytes", reader.optionalNumber(`${payload}.truncation`)),
    },
    argumentKeys: {
      ...optional("aes-128", readKey(reader, "aes-128", 16)),
      ...optional("aes-256", readKey(reader, "aes-256", 32)),
    },
    userEvents: userEventsOf(reader),
    logFolder: reader.text("rewhisk.user-logs.folder"),
    loggedErrors: {
      application: logged("application"),
      developer: logged("developer"),
      whisk: logged("whisk"),
    },
    logsUnstored: reader.boolean("whisk.activation.unstored-logs-enabled"),
    annotatesStart: reader.boolean("rewhisk.start-annotation"),
    metricTags: reader.boolean("whisk.metrics.kamon-tags-enabled"),
  };
}

function readKey(reader: SettingReader, algorithm: string, bytes: number): Buffer | undefined {
  const key = `whisk.parameter-storage.${algorithm}`;
  const text = reader.optionalText(key)?.trim();
  if (text === undefined) return undefined;
  const raw = Buffer.from(text, "base64");
  if (raw.length === bytes) return raw;
  reader.refuse(key, `it must be ${bytes} bytes in base64`);
  return undefined;
}
