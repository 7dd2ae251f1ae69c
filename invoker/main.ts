// The program of a cluster's invoker: reads stock's environment and arguments, starts the parts, and ends in order.

import { DockerError, LeanError, type PoolSettings, preflight, probe } from "../pool/index.ts";
import { KafkaBusError } from "./bus/kafka.ts";
import type { ClusterSettings } from "./config/cluster-settings.ts";
import type { Environment } from "./config/environment.ts";
import type { InvokerSettings } from "./config/invoker-settings.ts";
import type { Notice } from "./config/notices.ts";
import { readClusterSettings, SettingsError } from "./config/read-cluster.ts";
import { codeStoreOf, containersOf, leanInstance, poolSettings, templateStoreOf } from "./containers.ts";
import { endWithin } from "./ending.ts";
import { AdminListenError, type AdminServer, serveAdmin } from "./http.ts";
import { requirePort } from "./http-port.ts";
import { AdminTlsError, openKeyStore } from "./http-tls.ts";
import { type InstanceArguments, readInstanceArguments } from "./instance-arguments.ts";
import { InstanceIdError } from "./instance-id-error.ts";
import { Manifest } from "./manifest.ts";
import { Metrics } from "./metrics.ts";
import { Observer } from "./observe.ts";
import { tellNotices } from "./observe-cluster.ts";
import { Phases } from "./phases.ts";
import { openRuntimes, type Runtimes } from "./runtimes.ts";
import { type Invoker, startInvoker } from "./service.ts";
import { DatabaseError, folderOf, openServices, type Services } from "./services.ts";
import { becomeSole, isRunning } from "./sole.ts";
import { reasonOf } from "./store/couchdb/events.ts";
import { SpoolError, trySpool } from "./store/couchdb/spool.ts";

/** The machine or a service is not fit for an invoker; each line of the message has a remedy. */
export class UnfitError extends Error {
  readonly code = "unfit";
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "UnfitError";
  }
}

const explained = [
  ...[SettingsError, UnfitError, InstanceIdError, KafkaBusError, SpoolError, DatabaseError],
  ...[AdminTlsError, AdminListenError, LeanError, DockerError],
];

/** Runs the invoker until SIGTERM or SIGINT. Ends the process: 0 in order, 2 where it cannot start and says why. */
export async function main(argv: readonly string[], environment: Environment): Promise<void> {
  await explaining(async () => {
    const wish = wishToEnd();
    const running = await start(argv, environment);
    await wish;
    await stop(running);
  });
}

/**
 * Says what is wrong with the environment, the arguments and the machine, as a start would, and starts nothing: whoever replaces an
 * invoker asks before the old one is ended. Ends the process as `main` does.
 */
export async function check(argv: readonly string[], environment: Environment): Promise<void> {
  await explaining(async () => {
    const { who, settings } = readAll(argv, environment);
    const { couchdb, http } = settings;
    const { id, uniqueName = "" } = who;
    // A start finds these out by itself, the port only when messages have been taken.
    await checkMachine(
      settings,
      () => trySpool(id === undefined ? couchdb.spool.folder : folderOf(couchdb, id)),
      async () => {
        const isReplaced = id !== undefined && (await isRunning(leanInstance({ instance: id, uniqueName })));
        if (!isReplaced) await requirePort(http);
      },
    );
  });
}

async function explaining(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    console.error(explanationOf(error));
    process.exit(2);
  }
}

/** Throws what needs more than words. */
function explanationOf(error: unknown): string {
  if (!explained.some((sort) => error instanceof sort)) throw error;
  return (error as Error).message;
}

/** Throws UnfitError, with what `others` throw among its problems. */
async function checkMachine(
  { network, docker, http }: ClusterSettings,
  ...others: readonly (() => Promise<void>)[]
): Promise<void> {
  const findings = await preflight(network === "nat" ? docker : undefined);
  const problems = findings.map(({ missing, remedy }) => `Missing: ${missing}. Remedy: ${remedy}`);
  // Pages are served last of all, when messages have been taken.
  const keyStore = async (): Promise<void> => void (http.tls && openKeyStore(http.tls));
  for (const look of [keyStore, ...others]) {
    await look().catch((error: unknown) => problems.push(explanationOf(error)));
  }
  if (problems.length > 0) throw new UnfitError(problems);
}

/** Throws UnfitError. */
async function requireSole(own: InvokerSettings): Promise<void> {
  if ((await becomeSole(leanInstance(own))) !== undefined) return;
  const which = `invoker ${own.instance}${own.uniqueName === undefined ? "" : ` (unique name ${own.uniqueName})`}`;
  throw new UnfitError([
    `This machine runs ${which} already, and each start removes the containers of the one before. Remedy: end that process first, or start with another --uniqueName or --id`,
  ]);
}

interface Running {
  readonly invoker: Invoker;
  readonly services: Services;
  readonly admin: AdminServer;
  readonly runtimes: Runtimes;
  readonly observer: Observer;
  readonly endLimitMs: number;
}

async function start(argv: readonly string[], environment: Environment): Promise<Running> {
  const { who, settings, notices } = readAll(argv, environment);
  const observer = new Observer(
    settings.invoker.logLevel,
    undefined,
    new Metrics({ tags: settings.invoker.metricTags }),
  );
  tellNotices(observer, notices);
  const phases = new Phases();
  await phases.time("preflight", checkMachine(settings));
  const own = await phases.time("id", identified(settings.invoker, settings.zookeeperHosts, who));
  await phases.time("sole", requireSole(own));
  const manifest = new Manifest(settings.manifest, settings.images);
  // None of these needs another: what takes longest is what the start takes.
  const [services, containers, proven] = await Promise.all([
    phases.time("services", openServices(settings, own, manifest, observer)),
    phases.time("containers", openContainers(settings, own, manifest, observer)),
    phases.time("probe", probe()),
  ]);
  const { pool, factory, docker, runtimes } = containers;
  const codes = await codeStoreOf(settings, own.instance, observer);
  const templates = await templateStoreOf(
    settings,
    { ...own, pool },
    { factory, rung: proven.rung },
    observer,
  );
  const { endLimitMs } = settings;
  const parts = {
    ...{ bus: services.kafka, healthBus: services.healthBus },
    ...{ actions: services.stores.actions, activations: services.stores.activations },
    blocked: services.stores.blockedNamespaces,
    isDatabaseUp: services.isDatabaseUp,
    ...{ factory, docker, images: manifest },
    ...(codes && { codes }),
    ...(templates && { templates }),
    ...(services.tracing && { tracing: services.tracing }),
    ...{ probe: proven, settings: { ...own, pool }, observer },
  };
  const invoker = await phases.time("invoker", startInvoker(parts));
  try {
    // As stock, last of all: who asks /ping finds an invoker that serves.
    const admin = await serveAdmin(invoker, settings.http, {
      answered: (...answer) => observer.metrics.stock.answered(...answer),
      acceptFailed: ({ message }) =>
        observer.noted("error", { event: "admin-not-accepted", reason: message }, "a request was not let in"),
      lookFailed: (error) =>
        observer.noted(
          "error",
          { event: "look-failed", reason: reasonOf(error) },
          "a live page was sent away",
        ),
    });
    observer.noted("info", { event: "invoker-serves", phasesMs: phases.report() }, "all parts are there");
    return { invoker, services, admin, ...{ runtimes, observer, endLimitMs } };
  } catch (error) {
    // Messages may have been taken off the bus already: they are answered.
    await endWithin(endLimitMs, { invoker, runtimes, services, admin: { close: () => Promise.resolve() } });
    throw error;
  }
}

/** What is wrong with the environment and what is wrong with the arguments, all at once. */
function readAll(
  argv: readonly string[],
  environment: Environment,
): {
  readonly who: InstanceArguments;
  readonly settings: ClusterSettings;
  readonly notices: readonly Notice[];
} {
  const problems: string[] = [];
  const attempt = <Read>(read: () => Read): Read | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const who = attempt(() => readInstanceArguments(argv));
  const found = attempt(() => readClusterSettings(environment));
  if (who === undefined || found === undefined) throw new SettingsError(problems);
  return { who, ...found };
}

/** The settings of this one of the cluster's invokers. */
async function identified(
  invoker: InvokerSettings,
  hosts: string | undefined,
  { id, uniqueName, displayedName, overwriteId }: InstanceArguments,
): Promise<InvokerSettings> {
  const assigned = async (): Promise<number> => {
    // Who has an id needs no client of ZooKeeper.
    const { assignInstanceId } = await import("./instance-id.ts");
    return await assignInstanceId({ hosts, uniqueName: uniqueName ?? "", overwriteId });
  };
  const instance = id ?? (await assigned());
  return {
    ...{ ...invoker, instance },
    ...(uniqueName === undefined ? {} : { uniqueName }),
    ...(displayedName === undefined ? {} : { displayedName }),
  };
}

interface Containers extends Awaited<ReturnType<typeof containersOf>> {
  readonly pool: PoolSettings;
  readonly runtimes: Runtimes;
}

/** What containers are made by, and how many ahead: that depends on the interpreters that there are. */
async function openContainers(
  settings: ClusterSettings,
  own: InvokerSettings,
  manifest: Manifest,
  observer: Observer,
): Promise<Containers> {
  const runtimes = await openRuntimes(settings, manifest, observer);
  const { interpreters } = runtimes;
  const pool = poolSettings(own, settings, manifest, new Set(interpreters.map(({ kind }) => kind)));
  return { pool, runtimes, ...(await containersOf(settings, { ...own, pool }, interpreters, observer)) };
}

async function stop({ observer, endLimitMs, ...parts }: Running): Promise<void> {
  if (await endWithin(endLimitMs, parts)) return;
  const text = "the time for an end in order was over: what is left of it is the next start's";
  observer.noted("error", { event: "end-cut-off", limitMs: endLimitMs }, text);
}

/** Resolves at the first signal that asks for the end, which may come while all is still being started. */
function wishToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve());
    process.on("SIGTERM", () => resolve());
  });
}
