// A cluster for tests, whose parts come and go one by one: a broker, a database, controllers, invokers; Docker and ZooKeeper where wanted.

import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActivationMessage, RewindPolicy } from "../../invoker/index.ts";
import { type DatabaseServer, startDatabase } from "../../standalone/cluster/database.ts";
import { invokerEnvironment } from "../../standalone/cluster/machine.ts";
import { instanceName } from "../system/instance.ts";
import { within } from "../within.ts";
import { InvokerProcess } from "./invoker-process.ts";
import { KafkaSetting } from "./kafka-setting.ts";
import { TestController } from "./test-controller.ts";

const username = "whisk";
const password = "pass word";
const prefix = "whisk_local_";
const patienceMs = 60_000;

/** The kinds that every machine has that runs the tests. */
export const nodeKind = `nodejs:${process.versions.node.split(".")[0]}`;
export const pythonKind = "python:3";

const runtime = (kind: string, more: object = {}): object => ({
  kind,
  ...{ image: { prefix: "openwhisk", name: kind.replace(":", "-v"), tag: "nightly" }, deprecated: false },
  attached: { attachmentName: "codefile", attachmentType: "text/plain" },
  ...more,
});

export interface ClusterWish {
  readonly controllers?: number;
  /** Further families of kinds, as in a manifest. */
  readonly families?: { readonly [family: string]: readonly object[] };
  /** Images of users that count as runtimes, as in a manifest. */
  readonly blackboxes?: readonly object[];
  /** Where broker, database and controllers listen; 127.0.0.1 by default. */
  readonly host?: string;
  /** As for KafkaSetting. */
  readonly isBrokerKilled?: boolean;
}

export interface InvokerWish {
  /** For the containers' names; tells it from others of this checkout. */
  readonly name: string;
  /** undefined: ZooKeeper is asked. */
  readonly id?: number;
  readonly userMemoryMB?: number;
  readonly rewind?: RewindPolicy;
  readonly variables?: { readonly [name: string]: string };
}

export class ClusterSetting {
  readonly folder: string;
  readonly kafka: KafkaSetting;
  readonly database: DatabaseServer;
  readonly controllers: TestController[] = [];
  readonly #invokers: InvokerProcess[] = [];
  readonly #manifest: string;

  private constructor(folder: string, kafka: KafkaSetting, database: DatabaseServer, manifest: object) {
    this.folder = folder;
    this.kafka = kafka;
    this.database = database;
    this.#manifest = JSON.stringify(manifest);
  }

  static async start({
    controllers = 1,
    families = {},
    blackboxes = [],
    host = "127.0.0.1",
    isBrokerKilled = false,
  }: ClusterWish = {}): Promise<ClusterSetting> {
    const folder = mkdtempSync(join(tmpdir(), "rewhisk-cluster-"));
    const kafka = await KafkaSetting.start({ host, isKilled: isBrokerKilled });
    const databaseFolder = join(folder, "couchdb");
    const database = await startDatabase({
      ...{ folder: databaseFolder, host, port: 0, username, password, prefix },
    });
    const runtimes = {
      nodejs: [runtime(nodeKind, { default: true })],
      python: [runtime(pythonKind, { default: true })],
      ...families,
    };
    const setting = new ClusterSetting(folder, kafka, database, { runtimes, blackboxes });
    const manifestFile = join(folder, "runtimes.json");
    writeFileSync(manifestFile, setting.#manifest);
    for (let i = 0; i < controllers; i++) {
      const couch = { url: setting.databaseUrl, prefix };
      const started = await TestController.start({
        ...{ folder, manifestFile, couch, kafkaHosts: kafka.broker.bootstrap, host },
        ...{ controller: String(i), clusterSize: controllers },
      });
      setting.controllers.push(started);
    }
    return setting;
  }

  get controller(): TestController {
    return this.controllers[0] as TestController;
  }

  /** With name and password. */
  get databaseUrl(): string {
    const url = new URL(this.database.url);
    return `http://${username}:${encodeURIComponent(password)}@${url.host}`;
  }

  /** Started, and not waited for. */
  async invoker({
    name,
    id,
    userMemoryMB = 512,
    rewind = "always",
    variables = {},
  }: InvokerWish): Promise<InvokerProcess> {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    const { manifest } = this.controller.running.services;
    const environment = await invokerEnvironment(
      { userMemoryMB, concurrencyMax: 1, rewind },
      {
        ...{ folder, kafkaHosts: this.kafka.broker.bootstrap, databasePort: this.database.port, password },
        ...{ apiUrl: this.controller.url, manifest, manifestText: this.#manifest },
      },
    );
    const ids = id === undefined ? [] : ["--id", String(id)];
    const started = new InvokerProcess({ ...environment, ...variables }, [
      ...ids,
      ...["--uniqueName", instanceName(name)],
    ]);
    this.#invokers.push(started);
    return started;
  }

  /** Resolves when each controller thinks so of the invokers, such as `["up", "down"]`. Throws with the ends of their logs. */
  async areSeenAs(states: readonly string[]): Promise<void> {
    await within(patienceMs, async () => {
      const seen = await Promise.all(this.controllers.map((controller) => controller.invokers()));
      return seen.every((all) => Object.values(all).join() === states.join()) || undefined;
    }).catch((error: unknown) => {
      throw new Error([String(error), ...this.#invokers.map((one) => one.lastLines())].join("\n"));
    });
  }

  /** A controller's order to run the guest's action, changed by `fields`; nobody waits for it. */
  message(action: string, fields: Partial<ActivationMessage> = {}): ActivationMessage {
    const user = this.controller.running.services.subjects.owner("guest");
    if (user === undefined) throw new Error("there is no guest");
    return {
      transid: [randomUUID().replaceAll("-", ""), Date.now()],
      action: { path: "guest", name: action, version: "0.0.1" },
      ...{ revision: null, user, activationId: randomUUID().replaceAll("-", "") },
      rootControllerIndex: { asString: "0", instanceType: "controller" },
      ...{ blocking: false, content: {}, initArgs: [], lockedArgs: {} },
      ...fields,
    };
  }

  async endInvokers(): Promise<void> {
    await Promise.all(this.#invokers.map((one) => one.end()));
  }

  async close(): Promise<void> {
    await this.endInvokers();
    for (const controller of this.controllers) await controller.stop();
    await this.database.stop();
    await this.kafka.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
