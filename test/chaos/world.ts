// All that a chaos run needs, real and on this machine: servers, the controller in this process, the invoker as a process, callers.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leanInstance } from "../../invoker/containers.ts";
import { createApi } from "../../standalone/api.ts";
import { freePort } from "../../standalone/cluster/java.ts";
import { invokerEnvironment } from "../../standalone/cluster/machine.ts";
import { connectController } from "../../standalone/controller.ts";
import { listen } from "../../standalone/listener.ts";
import type { Options } from "../../standalone/options.ts";
import { chooseInterpreters, manifestOf, readBuild } from "../../standalone/start-parts.ts";
import { type Running, stop } from "../../standalone/stop.ts";
import { randomFrom } from "../prove/fuzz-program.ts";
import { openGates } from "./gates.ts";
import type { Ledger } from "./ledger.ts";
import { Lives } from "./lives.ts";
import { type Caller, Load, Traces } from "./load.ts";
import { hostAddress, prepareNetwork, routerAddress } from "./network.ts";
import { readBroker, readRecords } from "./reading.ts";
import { password, prefix, Servers } from "./servers.ts";

/** A completion is overdue after this and the action's own 10 s: sooner than with stock's settings, whose 3 minutes are no test's. */
const forcedAddonMs = 15_000;
/** Of an invoker with too many overdue completions, which only successes make the controller forget: in stock a minute each. */
const invokerTestEveryMs = 1_000;
const stemCells = [{ initialCount: 4, memory: "128 m" }];
const strangers = ["annabel", "bertram"];
const stopGraceMs = 5_000;

export interface World {
  readonly folder: string;
  readonly servers: Servers;
  readonly lives: Lives;
  readonly load: Load;
  readonly running: Running;
  /** What the controller has told its operator. */
  readonly notes: readonly string[];
  /** Of the invoker's containers, as the list of leftovers knows it. */
  readonly instance: string;
  /** Does the controller take the invoker for healthy? */
  isHealthy(): boolean;
  /** Reads the books. The invoker has ended, the load has stopped, the servers are there. */
  ledger(): Promise<Ledger>;
  /** Ends the controller and all servers. */
  close(): Promise<void>;
}

/** Throws with nothing left running. */
export async function startWorld(seed: number): Promise<World> {
  prepareNetwork();
  openGates();
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-chaos-"));
  const servers = await Servers.start(join(folder, "servers"));
  try {
    return await populate(seed, folder, servers);
  } catch (error) {
    await servers.stop();
    rmSync(folder, { recursive: true });
    throw error;
  }
}

async function populate(seed: number, folder: string, servers: Servers): Promise<World> {
  const notes: string[] = [];
  const options = await optionsIn(folder);
  const running = await connectController(
    options,
    {
      ...{ kind: "controller", kafkaHosts: servers.brokerAddress, controller: "0", clusterSize: 1 },
      couch: { url: servers.databaseUrl, prefix },
    },
    {
      ...{ listener: await listen(options.port, options.host), ownsData: true },
      note: (line) => notes.push(`${new Date().toISOString()} ${line}`),
      settings: {
        timeoutMs: { min: 100, max: 60_000, std: 10_000 },
        loadBalancerTimeoutFactor: 1,
        invokerTestEveryMs,
        loadBalancerTimeoutAddonMs: forcedAddonMs,
      },
    },
  );
  running.listener.handle(createApi(running.services, readBuild()));
  const traces = new Traces();
  const environment = await environmentOf(
    folder,
    servers,
    running,
    await traces.listen(hostAddress),
    options,
  );
  const uniqueName = `chaos${process.pid}`;
  const logs = join(folder, "logs");
  mkdirSync(logs);
  const lives = new Lives(logs, uniqueName, environment);
  const url = `http://127.0.0.1:${running.listener.port}`;
  const load = new Load(url, await callers(servers, running), randomFrom(`load ${seed}`));
  return {
    ...{ folder, servers, lives, load, running, notes },
    instance: leanInstance({ uniqueName, instance: 0 }),
    isHealthy: () => running.services.balancer.invokers[0]?.state === "up",
    ledger: () => readBooks({ servers, lives, load, running, notes, traces }),
    async close() {
      await stop(running, stopGraceMs);
      await servers.stop();
      await traces.close();
      execFileSync("ip", ["link", "delete", "wan0"]);
      rmSync(folder, { recursive: true });
    },
  };
}

interface Witnesses extends Pick<World, "servers" | "lives" | "load" | "running" | "notes"> {
  readonly traces: Traces;
}

async function readBooks({ servers, lives, load, running, notes, traces }: Witnesses): Promise<Ledger> {
  const { sent, acks, commits } = await readBroker(servers.brokerAddress, lives.stories);
  const tokens = new Map(sent.map(({ activationId, token }) => [activationId, token]));
  const events = lives.log().map(({ event, topic, messages }) => `${event} ${topic} ${messages}`);
  return {
    ...{ requests: load.requests, sent, acks, commits, runs: traces.seen },
    records: await readRecords(servers.databaseUrl, `${prefix}activations`, (id) => tokens.get(id)),
    lives: lives.stories.map(({ name, endedMs, end }) => ({ name, endedMs, isKilled: end === "killed" })),
    forced: new Set(notes.flatMap((note) => / forced completion of (\w+)/.exec(note)?.[1] ?? [])),
    slotsHeld: running.services.balancer.inFlight,
    sentAgain: {
      orders: sumIn(notes, / (\d+) messages to invoker0 may be there twice/),
      acks: sumIn(events, /^kafka-sent-again completed0 (\d+)/),
    },
  };
}

/** Of the numbers that the pattern finds. */
function sumIn(texts: readonly string[], pattern: RegExp): number {
  return texts.reduce((all, text) => all + Number(pattern.exec(text)?.[1] ?? 0), 0);
}

/** The kinds of this machine, and images of users. */
async function optionsIn(folder: string): Promise<Options> {
  const { runtimes } = manifestOf(await chooseInterpreters(undefined));
  const manifestFile = join(folder, "runtimes.json");
  const warm = Object.entries(runtimes).map(([family, list]) => [
    family,
    list.map((runtime) => (runtime.default ? { ...runtime, stemCells } : runtime)),
  ]);
  writeFileSync(manifestFile, JSON.stringify({ runtimes: Object.fromEntries(warm), blackboxes: [] }));
  return {
    ...{ port: 0, adminPort: 0, host: "127.0.0.1", dataFolder: join(folder, "controller") },
    userMemoryMB: 3072,
    ...{
      kinds: undefined,
      rewind: "always",
      boots: false,
      libraries: "",
      concurrencyMax: 1,
      manifestFile,
      help: false,
    },
    place: { kind: "alone" },
  };
}

async function environmentOf(
  folder: string,
  { gates, docker }: Servers,
  { services }: Running,
  tracePort: number,
  options: Options,
): Promise<{ readonly [name: string]: string }> {
  const common = await invokerEnvironment(options, {
    folder: join(folder, "spool"),
    kafkaHosts: `127.0.0.1:${gates.broker.port}`,
    ...{ databasePort: gates.database.port, password },
    ...{ apiUrl: `http://${hostAddress}:${tracePort}`, manifest: services.manifest },
    manifestText: readFileSync(options.manifestFile ?? "", "utf8"),
  });
  return {
    ...common,
    ZOOKEEPER_HOSTS: `127.0.0.1:${gates.zookeeper.port}`,
    PORT: String(await freePort()),
    CONFIG_rewhisk_docker_socket: docker.socketPath,
    CONFIG_whisk_containerFactory_containerArgs_dnsServers_0: routerAddress,
  };
}

/** The guest, whom the controller has made, and others whose keys stand in the database alone. */
async function callers(servers: Servers, { services }: Running): Promise<readonly Caller[]> {
  const guest = services.subjects.owner("guest");
  const found: Caller[] = [{ namespace: "guest", auth: guest?.authkey.api_key ?? "" }];
  for (const subject of strangers) {
    const uuid = crypto.randomUUID();
    const key = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
    const { origin, username, password } = new URL(servers.databaseUrl);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const response = await fetch(`${origin}/${prefix}subjects/${subject}`, {
      method: "PUT",
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ subject, namespaces: [{ name: subject, uuid, key }] }),
    });
    if (!response.ok) throw new Error(`${subject}: ${response.status} ${await response.text()}`);
    found.push({ namespace: subject, auth: `${uuid}:${key}` });
  }
  return found;
}
