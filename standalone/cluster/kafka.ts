// A real Kafka broker on this machine: for tests, and for a cluster of one machine.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kafkajs } from "../../invoker/index.ts";
import { freePort, type JavaServer, runJava, startJava } from "./java.ts";

export interface KafkaOptions {
  /** Keeps the broker's settings and data: started again with the same folder, it is the same broker on the same ports. */
  readonly folder: string;
  /** For clients; 127.0.0.1 by default. */
  readonly host?: string;
  /** For clients; a free one by default. */
  readonly port?: number;
  /** Clients are sent to this port instead: something that lets them through to `bootstrap`. */
  readonly advertisedPort?: number;
  /** How clients talk to it; PLAINTEXT by default. Between brokers it is always plain text, on 127.0.0.1. */
  readonly protocol?: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
  /** More lines of server.properties. */
  readonly properties?: { readonly [name: string]: string };
  /** More arguments of the formatting, such as `--add-scram …`. */
  readonly format?: readonly string[];
  /** A further broker of that one's cluster, without a controller of its own. */
  readonly joins?: KafkaBroker;
}

export interface KafkaBroker extends JavaServer {
  /** `host:port` for clients. */
  readonly bootstrap: string;
  readonly nodeId: number;
  /** `host:port` without TLS and SASL. */
  readonly internal: string;
  readonly clusterId: string;
  /** `host:port` of the controller. */
  readonly controller: string;
}

const host = "127.0.0.1";

/** Resolves when the cluster is this one and has a controller, and the broker is in it. Throws ClusterStartError. */
export async function startKafka(options: KafkaOptions): Promise<KafkaBroker> {
  const { folder } = options;
  const file = join(folder, "server.properties");
  const log = join(folder, "server.log");
  mkdirSync(folder, { recursive: true });
  const idFile = join(folder, "cluster.id");
  if (!existsSync(idFile)) {
    writeFileSync(file, lines(await newProperties(options)));
    const clusterId = options.joins?.clusterId ?? newClusterId();
    const format = ["format", "--cluster-id", clusterId, "--config", file, ...(options.format ?? [])];
    await runJava("kafka.tools.StorageTool", format, log);
    writeFileSync(idFile, clusterId);
  }
  const clusterId = readFileSync(idFile, "utf8");
  const properties = readLines(readFileSync(file, "utf8"));
  const addressOf = (listener: string): string =>
    new RegExp(`${listener}://([^,]+)`).exec(properties.listeners ?? "")?.[1] ?? "";
  const internal = addressOf("INTERNAL");
  const nodeId = Number(properties["node.id"]);
  const logBytes = statSync(log).size;
  // The listener for clients opens last, and what it says of itself is the only sign that does not need a login.
  const hasStarted = (): boolean => readFileSync(log).subarray(logBytes).includes("Kafka Server started");
  const server = await startJava(
    "kafka.Kafka",
    [file],
    log,
    async () => hasStarted() && (await isInCluster(internal, nodeId, clusterId)),
  );
  const controller = properties["controller.quorum.voters"]?.split("@")[1] ?? "";
  return { ...server, bootstrap: addressOf("CLIENT"), internal, nodeId, clusterId, controller };
}

/** Sixteen bytes, of which the first keeps it from looking like an option. */
function newClusterId(): string {
  return Buffer.concat([Buffer.alloc(1), randomBytes(15)]).toString("base64url");
}

async function newProperties(options: KafkaOptions): Promise<{ [name: string]: string }> {
  const { joins, protocol = "PLAINTEXT" } = options;
  const nodeId = joins === undefined ? 1 : joins.nodeId + 1;
  const controller = joins?.controller ?? `${host}:${await freePort()}`;
  const port = options.port ?? (await freePort());
  const internal = `INTERNAL://${host}:${await freePort()}`;
  const forClients = options.host ?? host;
  const clients = `CLIENT://${forClients}:${port},${internal}`;
  return {
    "process.roles": joins === undefined ? "broker,controller" : "broker",
    "node.id": String(nodeId),
    "controller.quorum.voters": `1@${controller}`,
    listeners: joins === undefined ? `${clients},CONTROLLER://${controller}` : clients,
    "advertised.listeners": `CLIENT://${forClients}:${options.advertisedPort ?? port},${internal}`,
    "listener.security.protocol.map": `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "log.dirs": join(options.folder, "data"),
    "auto.create.topics.enable": "false",
    ...oneMachine,
    ...options.properties,
  };
}

/** Few replicas, quick rebalances, small buffers; killed and started again, the broker is back after 3 s instead of 11 to 14. */
const oneMachine = {
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "1",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "group.initial.rebalance.delay.ms": "0",
  "broker.session.timeout.ms": "1500",
  "broker.heartbeat.interval.ms": "300",
  "log.cleaner.dedupe.buffer.size": "2097152",
};

async function isInCluster(address: string, nodeId: number, clusterId: string): Promise<boolean> {
  const { Kafka } = kafkajs();
  const kafka = new Kafka({ brokers: [address], retry: { retries: 0 }, logCreator: () => () => {} });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const found = await admin.describeCluster();
    const isThere = found.brokers.some((broker) => broker.nodeId === nodeId);
    return found.clusterId === clusterId && found.controller !== null && found.controller >= 0 && isThere;
  } finally {
    await admin.disconnect();
  }
}

function lines(properties: { readonly [name: string]: string }): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function readLines(text: string): { readonly [name: string]: string | undefined } {
  const pairs = text.split("\n").map((line) => /^([^=]+)=(.*)$/.exec(line) ?? []);
  return Object.fromEntries(pairs.flatMap(([, name, value]) => (name ? [[name, value ?? ""]] : [])));
}
