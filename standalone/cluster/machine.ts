// A cluster on this machine: a broker, a database and an invoker as processes, and this one as the controller.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../invoker/index.ts";
import { urlOf } from "../banner.ts";
import { type ControllerPlace, connectController, serve } from "../controller.ts";
import { StartError } from "../errors.ts";
import { instanceName } from "../instance-name.ts";
import { listen } from "../listener.ts";
import type { Manifest } from "../manifest.ts";
import type { Options } from "../options.ts";
import { guestSubject } from "../services.ts";
import type { ControllerSettings } from "../settings.ts";
import type { Running } from "../stop.ts";
import { watchUrl } from "../watch.ts";
import { startDatabase } from "./database.ts";
import { freePort } from "./java.ts";
import { startKafka } from "./kafka.ts";

const prefix = "whisk_local_";
const username = "whisk";
const healthyWithinMs = 60_000;
const shownLines = 20;
const stemCells = [{ initialCount: 2, memory: "256 m" }];

interface InvokerProcess {
  /** Resolves with what it ended by. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts all of it, and serves once the invoker is healthy. Throws StartError; what was started then ends with this process. */
export async function startCluster(
  options: Options,
  settings: Pick<ControllerSettings, "userEvents">,
): Promise<Running> {
  const listener = await listen(options.port, options.host);
  const folder = join(options.dataFolder, "cluster");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString("hex");
  const [kafka, database] = await Promise.all([
    startKafka({ folder: join(folder, "kafka") }).catch((error: unknown) => {
      throw new StartError(String(error), { cause: error });
    }),
    startDatabase({ folder: join(folder, "couchdb"), port: 0, username, password, prefix }),
  ]);
  const couch = { url: `http://${username}:${password}@127.0.0.1:${database.port}`, prefix };
  const place: ControllerPlace = {
    ...{ kind: "controller", kafkaHosts: kafka.bootstrap, couch, controller: "0", clusterSize: 1 },
  };
  const running = await connectController(options, place, { listener, ownsData: true, settings });
  const logFile = join(folder, "invoker0.log");
  const { manifestFile } = options;
  const environment = await invokerEnvironment(options, {
    ...(manifestFile !== undefined && { manifestText: readFileSync(manifestFile, "utf8") }),
    ...{ folder, kafkaHosts: kafka.bootstrap, databasePort: database.port, password },
    ...{ apiUrl: urlOf(options.host, listener.port), manifest: running.services.manifest },
  });
  const auth = running.services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
  const port = options.adminPort === 0 ? Number(environment.PORT) : options.adminPort;
  const variables = { ...environment, ...userEventVariables(settings), ...adminVariables(port, auth) };
  const invoker = startInvokerProcess(options.dataFolder, variables, logFile);
  await becomesHealthy(running.services.balancer.healthy(1), invoker, logFile);
  serve(running, options, place, watchUrl({ host: options.host, port, auth }));
  return {
    ...running,
    invoker: { drain: () => invoker.stop() },
    async close() {
      await running.close?.();
      await Promise.all([kafka.stop(), database.stop()]);
    },
  };
}

/** What OpenWhisk's playbooks give an invoker, as far as it differs from the defaults. */
export async function invokerEnvironment(
  options: Pick<Options, "userMemoryMB" | "concurrencyMax" | "rewind"> &
    Partial<Pick<Options, "boots" | "libraries">>,
  cluster: {
    /** Where records wait that the database does not take. */
    readonly folder: string;
    readonly kafkaHosts: string;
    readonly databasePort: number;
    readonly password: string;
    readonly apiUrl: string;
    readonly manifest: Manifest;
    /** The operator's own, which the invoker gets as it is written; else it gets `manifest`, with containers made ahead. */
    readonly manifestText?: string;
  },
): Promise<{ readonly [name: string]: string }> {
  const { protocol, hostname, port } = new URL(cluster.apiUrl);
  const runtimes = Object.entries(cluster.manifest.runtimes).map(([family, list]) => [
    family,
    list.map((runtime) => (runtime.default ? { stemCells, ...runtime } : runtime)),
  ]);
  const { blackboxes = [] } = cluster.manifest;
  return {
    KAFKA_HOSTS: cluster.kafkaHosts,
    PORT: String(await freePort()),
    RUNTIMES_MANIFEST:
      cluster.manifestText ?? JSON.stringify({ runtimes: Object.fromEntries(runtimes), blackboxes }),
    WHISK_API_HOST_PROTO: protocol.replace(":", ""),
    WHISK_API_HOST_NAME: hostname,
    WHISK_API_HOST_PORT: port,
    CONFIG_whisk_couchdb_protocol: "http",
    CONFIG_whisk_couchdb_host: "127.0.0.1",
    CONFIG_whisk_couchdb_port: String(cluster.databasePort),
    CONFIG_whisk_couchdb_username: username,
    CONFIG_whisk_couchdb_password: cluster.password,
    CONFIG_whisk_couchdb_provider: "CouchDB",
    CONFIG_whisk_couchdb_databases_WhiskAuth: `${prefix}subjects`,
    CONFIG_whisk_couchdb_databases_WhiskEntity: `${prefix}whisks`,
    CONFIG_whisk_couchdb_databases_WhiskActivation: `${prefix}activations`,
    CONFIG_whisk_containerPool_userMemory: `${options.userMemoryMB}m`,
    CONFIG_whisk_concurrencyLimit_max: String(options.concurrencyMax),
    CONFIG_whisk_containerFactory_containerArgs_extraEnvVars_0: `__OW_ALLOW_CONCURRENT=${options.concurrencyMax > 1}`,
    CONFIG_rewhisk_rewind: options.rewind,
    CONFIG_rewhisk_boots: String(options.boots === true),
    CONFIG_rewhisk_libraries: options.libraries ?? "",
    CONFIG_rewhisk_spool_folder: cluster.folder,
    // An API that listens on the loopback interface is out of reach for containers with a network of their own.
    CONFIG_rewhisk_network: hostname.startsWith("127.") ? "none" : "nat",
    CONFIG_whisk_spi_InvokerProvider: "org.apache.openwhisk.core.invoker.InvokerReactive",
    CONFIG_whisk_spi_InvokerServerProvider: "org.apache.openwhisk.core.invoker.DefaultInvokerServer",
  };
}

/** The guest's key opens the invoker's pages. */
function adminVariables(port: number, auth: string): { readonly [name: string]: string } {
  const [username = "", password = ""] = auth.split(":");
  return {
    PORT: String(port),
    CONFIG_whisk_invoker_username: username,
    CONFIG_whisk_invoker_password: password,
  };
}

/** The invoker tells of activations where the controller does. */
function userEventVariables({ userEvents }: Pick<ControllerSettings, "userEvents">): {
  readonly [name: string]: string;
} {
  return userEvents === undefined
    ? {}
    : {
        CONFIG_whisk_userEvents_enabled: "true",
        CONFIG_whisk_kafka_topics_userEvent_prefix: userEvents.topicPrefix,
      };
}

/** It gets the signal to drain when this process ends in whatever way. */
function startInvokerProcess(
  dataFolder: string,
  environment: { readonly [name: string]: string },
  logFile: string,
): InvokerProcess {
  const program = join(projectFolder(), "invoker", "start.mjs");
  if (!existsSync(program)) {
    throw new StartError(`${program} is missing: the installation is incomplete`);
  }
  const log = openSync(logFile, "a");
  const node = [process.execPath, program, "--id", "0", "--uniqueName", instanceName(dataFolder)];
  const child = spawn("setpriv", ["--pdeathsig", "TERM", ...node], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  const ended = once(child, "exit").then(([code, signal]) => `${signal ?? `exit code ${code}`}`);
  return {
    ended,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function becomesHealthy(
  healthy: Promise<void>,
  { ended, stop }: InvokerProcess,
  logFile: string,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer for ${healthyWithinMs / 1000} s`), healthyWithinMs);
  });
  const failure = await Promise.race([healthy, ended, late]);
  clearTimeout(timer);
  if (failure !== undefined) {
    await stop();
    const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-shownLines).join("\n");
    throw new StartError(`The invoker did not become healthy (${failure}); the end of ${logFile}:\n${lines}`);
  }
}
