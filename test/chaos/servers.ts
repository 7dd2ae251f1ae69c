// The servers of a chaos run: each can be killed and started again, and each is reached by the invoker through a gate.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import {
  type DatabaseServer,
  type DatabaseSettings,
  startDatabase,
} from "../../standalone/cluster/database.ts";
import { type DockerDaemon, startDocker } from "../../standalone/cluster/docker.ts";
import { freePort } from "../../standalone/cluster/java.ts";
import { type KafkaBroker, startKafka } from "../../standalone/cluster/kafka.ts";
import { startZooKeeper, type ZooKeeper } from "../../standalone/cluster/zookeeper.ts";
import { importImage } from "../docker/image.ts";
import { Gate } from "./gates.ts";
import type { Server, Target } from "./plan.ts";

export const username = "whisk";
export const password = "a:b@c/ü";
export const prefix = "whisk_local_";
/** Nobody listens there: pulling fails at once, and the image that is here is taken. */
export const image = "127.0.0.1:9/chaos/actions:1";

export class Servers {
  readonly #folder: string;
  readonly gates: { readonly [server in Server]: Gate };
  readonly docker: DockerDaemon;
  #broker: KafkaBroker;
  #database: DatabaseServer;
  #zookeeper: ZooKeeper;

  private constructor(
    folder: string,
    gates: Servers["gates"],
    docker: DockerDaemon,
    started: readonly [KafkaBroker, DatabaseServer, ZooKeeper],
  ) {
    this.#folder = folder;
    this.gates = gates;
    this.docker = docker;
    [this.#broker, this.#database, this.#zookeeper] = started;
    gates.broker.leadTo(portOf(this.#broker.bootstrap));
    gates.database.leadTo(this.#database.port);
    gates.zookeeper.leadTo(portOf(this.#zookeeper.bootstrap));
  }

  static async start(folder: string): Promise<Servers> {
    mkdirSync(folder, { recursive: true });
    const gates = { broker: await Gate.open(), database: await Gate.open(), zookeeper: await Gate.open() };
    const docker = await startDocker(join(folder, "docker"));
    const [name = "", tag = ""] = image.split(/:(?=[^:]*$)/);
    await importImage(docker.socketPath, name, [tag]);
    const started = await Promise.all([
      startBroker(folder, gates.broker),
      startDatabase(databaseSettings(folder, await freePort())),
      startZooKeeper({ folder: join(folder, "zookeeper") }),
    ]);
    return new Servers(folder, gates, docker, started);
  }

  /** Of the broker, past the gate. */
  get brokerAddress(): string {
    return this.#broker.internal;
  }

  /** With name and password, past the gate. */
  get databaseUrl(): string {
    return `http://${username}:${encodeURIComponent(password)}@127.0.0.1:${this.#database.port}`;
  }

  /** kill -9 */
  async kill(target: Exclude<Target, "invoker">): Promise<void> {
    if (target === "broker") await this.#broker.kill("SIGKILL");
    if (target === "database") await this.#database.kill();
    if (target === "zookeeper") await this.#zookeeper.kill("SIGKILL");
    if (target === "docker") await this.docker.kill();
  }

  /** Resolves when it answers again, where it did and with what it had. */
  async restart(target: Exclude<Target, "invoker">): Promise<void> {
    const folder = this.#folder;
    if (target === "broker") this.#broker = await startBroker(folder, this.gates.broker);
    if (target === "database")
      this.#database = await startDatabase(databaseSettings(folder, this.#database.port));
    if (target === "zookeeper") this.#zookeeper = await startZooKeeper({ folder: join(folder, "zookeeper") });
    if (target === "docker") await this.docker.restart();
  }

  /** The names of all that Docker has, running or not. */
  async containers(): Promise<readonly string[]> {
    const docker = new Docker({ socketPath: this.docker.socketPath, host: "" });
    const found = await docker.listContainers({ all: true });
    return found.map(({ Names, Id }) => Names[0] ?? Id);
  }

  async stop(): Promise<void> {
    await Promise.all([
      this.#broker.stop(),
      this.#database.stop(),
      this.#zookeeper.stop(),
      this.docker.stop(),
    ]);
    await Promise.all(Object.values(this.gates).map((gate) => gate.close()));
  }
}

/** Clients of its own listener are sent to the gate; those that come by the internal one are not. */
function startBroker(folder: string, gate: Gate): Promise<KafkaBroker> {
  return startKafka({ folder: join(folder, "kafka"), advertisedPort: gate.port });
}

function databaseSettings(folder: string, port: number): DatabaseSettings {
  return { folder: join(folder, "couchdb"), port, username, password, prefix };
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}
