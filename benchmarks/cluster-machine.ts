// A cluster for the benchmarks: a broker, a database and one invoker, each a process of its own on this machine.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../invoker/index.ts";
import { Balancer } from "../standalone/balancer/balancer.ts";
import { ensureTopics } from "../standalone/balancer/topics.ts";
import { type DatabaseServer, startDatabase } from "../standalone/cluster/database.ts";
import { invokerEnvironment } from "../standalone/cluster/machine.ts";
import { defaultSettings } from "../standalone/settings.ts";
import { chooseInterpreters, manifestOf } from "../standalone/start-parts.ts";
import { KafkaSetting } from "../test/cluster/kafka-setting.ts";
import { instanceName } from "../test/system/instance.ts";
import { within } from "../test/within.ts";
import { fromController } from "./caller.ts";

/** As invokerEnvironment names them. */
const prefix = "whisk_local_";
const [username, password] = ["whisk", randomBytes(24).toString("hex")];
/** As OpenWhisk's playbooks have it: room for eight actions of the default size. */
const userMemoryMB = 2048;
const patienceMs = 30_000;
const shownLines = 20;

export interface Action {
  /** In the namespace `guest` unless it names another. */
  readonly name: string;
  readonly kind: string;
  readonly code: string;
}

/** One that is in the database. */
export interface StoredAction {
  readonly name: string;
  readonly revision: string;
}

/** What a process of the cluster has used so far. */
export interface Usage {
  readonly processorMs: number;
  readonly residentMB: number;
  /** Of it, what is not shared: not the images of containers, which lie in files in memory. */
  readonly ownMB: number;
}

export class ClusterMachine {
  readonly kafka: KafkaSetting;
  readonly database: DatabaseServer;
  /** Of the invoker. */
  readonly environment: { readonly [name: string]: string };
  #invoker: ChildProcess | undefined;

  private constructor(
    kafka: KafkaSetting,
    database: DatabaseServer,
    environment: { readonly [name: string]: string },
  ) {
    this.kafka = kafka;
    this.database = database;
    this.environment = environment;
  }

  /** Everything but the invoker, with the topics that controllers make. */
  static async start(): Promise<ClusterMachine> {
    const kafka = await KafkaSetting.start();
    const folder = join(kafka.folder, "couchdb");
    const database = await startDatabase({ folder, port: 0, username, password, prefix });
    const { bus } = kafka.open();
    for (const controller of ["0", fromController])
      await ensureTopics(bus, { ...defaultSettings(), controller });
    const environment = await invokerEnvironment(
      { userMemoryMB, concurrencyMax: 1, rewind: "always" },
      {
        ...{
          folder: kafka.folder,
          kafkaHosts: kafka.broker.bootstrap,
          databasePort: database.port,
          password,
        },
        ...{ apiUrl: "http://127.0.0.1:3233", manifest: manifestOf(await chooseInterpreters(undefined)) },
      },
    );
    return new ClusterMachine(kafka, database, environment);
  }

  get bootstrap(): string {
    return this.kafka.broker.bootstrap;
  }

  /** Puts actions into the database, and gives them in the same order. */
  async put(actions: readonly Action[]): Promise<StoredAction[]> {
    const docs = actions.map(({ name, kind, code }) => ({
      ...{ _id: name.includes("/") ? name : `guest/${name}`, name: name.split("/").at(-1) },
      ...{
        namespace: name.includes("/") ? name.split("/")[0] : "guest",
        exec: { kind, code, binary: false },
      },
      limits: { timeout: 60_000, memory: 256, logs: 10, concurrency: 1 },
      annotations: [{ key: "provide-api-key", value: false }],
      ...{ parameters: [], version: "0.0.1", publish: false, updated: Date.now(), entityType: "action" },
    }));
    const { url } = this.database;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const headers = { authorization, "content-type": "application/json" };
    const body = JSON.stringify({ docs });
    const answer = await fetch(`${url}/${prefix}whisks/_bulk_docs`, { method: "POST", headers, body });
    const written = (await answer.json()) as readonly { readonly rev?: string }[];
    return actions.map(({ name }, i) => {
      const revision = written[i]?.rev;
      if (revision === undefined) throw new Error(`${name} was not stored: ${JSON.stringify(written[i])}`);
      return { name, revision };
    });
  }

  /** Starts the invoker's program and returns at once. REWHISK_BENCH_NODE holds options for its Node, such as --cpu-prof. */
  startInvoker(): void {
    const program = join(projectFolder(), "invoker", "start.mjs");
    const node = [process.execPath, ...(process.env.REWHISK_BENCH_NODE ?? "").split(" ").filter(Boolean)];
    const who = ["--id", "0", "--uniqueName", instanceName("cluster")];
    const log = openSync(this.#logFile, "a");
    // A signal to this process's group is for this process alone: it ends the invoker.
    this.#invoker = spawn("setpriv", ["--pdeathsig", "TERM", ...node, program, ...who], {
      ...{ env: { PATH: process.env.PATH, ...this.environment }, stdio: ["ignore", log, log] },
      detached: true,
    });
    closeSync(log);
  }

  get invokerPid(): number {
    return this.#invoker?.pid ?? 0;
  }

  /** Drains it, and resolves when it has ended. */
  async stopInvoker(): Promise<void> {
    const invoker = this.#invoker;
    this.#invoker = undefined;
    if (invoker === undefined || invoker.exitCode !== null) return;
    const ended = once(invoker, "exit");
    invoker.kill("SIGTERM");
    await ended;
  }

  /** The end of what the invoker has said, for an error. */
  lastLines(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-shownLines).join("\n");
  }

  get #logFile(): string {
    return join(this.kafka.folder, "invoker.log");
  }

  /** Of the invoker, the broker and the database, as the kernel counts it: proc_pid_stat(5), in ticks of 10 ms. */
  usage(): { readonly invoker: Usage; readonly broker: Usage; readonly database: Usage } {
    return {
      invoker: usageOf(this.invokerPid),
      broker: usageOf(this.kafka.broker.pid),
      database: usageOf(this.database.pid),
    };
  }

  async stop(): Promise<void> {
    await this.stopInvoker();
    await this.database.stop();
    await this.kafka.close();
  }
}

const msPerTick = 10;
const kibPerMB = 1024;

function usageOf(pid: number): Usage {
  // The name, which may hold anything, ends with the last parenthesis; what follows begins with the third field.
  const [, after = ""] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  const fields = after.split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const sizeMB = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / kibPerMB;
  return {
    processorMs: (Number(fields[11]) + Number(fields[12])) * msPerTick,
    residentMB: sizeMB("VmRSS"),
    ownMB: sizeMB("VmRSS") - sizeMB("RssShmem"),
  };
}

/** A controller that does nothing but judge whether the invoker is healthy, by its pings and a test activation. */
export class Judge {
  readonly #balancer: Balancer;

  private constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  static async start(machine: ClusterMachine, kind: string): Promise<Judge> {
    const code = "function main(params) { return params; }";
    await machine.put([{ name: "whisk.system/invokerHealthTestAction0", kind, code }]);
    const { bus } = machine.kafka.open();
    const balancer = new Balancer({
      ...{ bus, settings: defaultSettings(), note: () => undefined },
      records: { get: () => Promise.resolve(undefined), expect: () => undefined },
      onFault: (what, error) => console.error(what, error),
    });
    return new Judge(balancer);
  }

  /** Resolves when the invoker is healthy, or is not any more. Throws with the invoker's last lines where it takes too long. */
  async sees(isHealthy: boolean, machine: ClusterMachine): Promise<void> {
    const isSeen = (): true | undefined =>
      this.#balancer.invokers.some(({ state }) => state === "up") === isHealthy || undefined;
    await within(patienceMs, isSeen).catch((error: unknown) => {
      throw new Error(`the invoker is not ${isHealthy ? "" : "un"}healthy: ${machine.lastLines()}`, {
        cause: error,
      });
    });
  }

  close(): Promise<void> {
    return this.#balancer.close();
  }
}
