// What the tests that deploy share: a cluster without invokers, and OpenWhisk's play with variables that lead to it.

import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../invoker/config/entries.ts";
import { Authority, asPkcs12 } from "../cluster/certificates.ts";
import { ClusterSetting, nodeKind } from "../cluster/cluster-setting.ts";
import { instanceName } from "../system/instance.ts";
import type { Answer } from "../system/standalone-program.ts";
import { Checkout, freePorts, type Ran } from "./playbook.ts";

const { version } = JSON.parse(readFileSync(join(projectFolder(), "package.json"), "utf8")) as {
  version: string;
};
const packed = join(projectFolder(), "build", `rewhisk-${version}-linux-x64.tgz`);
const kind = {
  ...{ kind: nodeKind, default: true, deprecated: false },
  image: { prefix: "openwhisk", name: "nodejs", tag: "nightly" },
  attached: { attachmentName: "codefile", attachmentType: "text/plain" },
};

const manifest = { runtimes: { nodejs: [kind] }, blackboxes: [] };

export const invokers = ["invoker0", "invoker1"] as const;

interface Variables {
  readonly invoker: { readonly port: number };
}

export interface DeploymentWish {
  /** Put before Ansible's commands. */
  readonly inside?: readonly string[];
  /** Where broker, database and controller listen. */
  readonly host?: string;
  /** Beside those that lead to the cluster. */
  readonly variables?: object;
}

export class Deployment {
  readonly cluster: ClusterSetting;
  readonly checkout: Checkout;
  readonly #variables: Variables;
  readonly #inside: readonly string[];
  #package: { readonly rewhisk_package?: string } = {};

  private constructor(
    cluster: ClusterSetting,
    checkout: Checkout,
    variables: Variables,
    inside: readonly string[],
  ) {
    this.cluster = cluster;
    this.checkout = checkout;
    this.#variables = variables;
    this.#inside = inside;
  }

  static async start(
    name: string,
    { inside = [], host = "127.0.0.1", variables: further = {} }: DeploymentWish = {},
  ): Promise<Deployment> {
    const cluster = await ClusterSetting.start({ host });
    const checkout = new Checkout(manifest);
    writeKeys(keyFolder(checkout));
    const api = new URL(cluster.controller.url);
    const { username, password, port } = new URL(cluster.databaseUrl);
    const database = { db_host: host, db_port: port, db_invoker_user: username };
    const below = (path: string): string => join(checkout.folder, path);
    const variables = {
      ...{ kafka_connect_string: cluster.kafka.broker.bootstrap, ...database },
      db_invoker_pass: decodeURIComponent(password),
      ...{ whisk_api_host_proto: "http", whisk_api_host_name: api.hostname, whisk_api_host_port: api.port },
      ...{ invoker: { port: await freePorts(invokers.length) }, invoker_user_memory: "512m" },
      ...{ limit_action_concurrency_max: 1, runtimes_enable_concurrency: false, invoker_deployment_delay: 1 },
      ...{ whisk_logs_dir: below("logs"), rewhisk_folder: below("opt"), rewhisk_spool_folder: below("var") },
      rewhisk_images_folder: below("images"),
      rewhisk_unique_name: `${instanceName(name)}-{{ inventory_hostname }}`,
      ...further,
    };
    return new Deployment(cluster, checkout, variables, inside);
  }

  /** Where the role has installed. */
  get installed(): string {
    return join(this.checkout.folder, "opt");
  }

  /** Of the first invoker, on this machine. */
  get port(): number {
    return this.#variables.invoker.port;
  }

  /** The folder of what OpenWhisk's setup.yml makes for invokers. */
  get keys(): string {
    return keyFolder(this.checkout);
  }

  /** As the environment has it. */
  get manifest(): string {
    return JSON.stringify(manifest);
  }

  logOf(name: string): string {
    return readFileSync(join(this.checkout.folder, "logs", name, `${name}_logs.log`), "utf8");
  }

  /** The first makes the role pack the checkout. */
  async play(more: object = {}, ...options: readonly string[]): Promise<Ran> {
    const all = { ...this.#variables, ...this.#package, ...more };
    this.#package = { rewhisk_package: packed };
    return await this.checkout.play(all, options, this.#inside);
  }

  /** As `play`. Throws with what Ansible printed where it failed. */
  async succeed(more: object = {}, ...options: readonly string[]): Promise<Ran> {
    const ran = await this.play(more, ...options);
    if (ran.status !== 0) throw new Error(ran.output);
    return ran;
  }

  /** As `succeed`, while three callers invoke an action one time after the other; `failed` has the answers that were not 200. */
  async underLoad(action: string, more: object): Promise<Ran & { readonly failed: readonly string[] }> {
    const over = new AbortController();
    const answers: Answer[] = [];
    const load = async (): Promise<void> => {
      while (!over.signal.aborted)
        answers.push(await this.cluster.controller.invoke(action, { name: "you" }));
    };
    const played = this.succeed(more).finally(() => over.abort());
    const [ran] = await Promise.all([played, load(), load(), load()]);
    if (answers.length === 0) throw new Error("nothing was invoked meanwhile");
    const failed = answers.filter(({ status }) => status !== 200);
    return { ...ran, failed: failed.map(({ status, text }) => `${status} ${text}`) };
  }

  async close(): Promise<void> {
    if (existsSync(this.installed)) await this.play({ mode: "clean", invoker_deployment_retries: 1 });
    await this.cluster.close();
    this.checkout.remove();
  }
}

const keyFolder = ({ playbooks }: Checkout): string => join(playbooks, "roles", "invoker", "files");

/** As OpenWhisk's setup.yml does. */
function writeKeys(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const both = new Authority(folder, "authority").issue("invoker");
  const named = {
    "invoker.crt": "invoker-openwhisk-server-cert.pem",
    "invoker.key": "invoker-openwhisk-server-key.pem",
  };
  renameSync(asPkcs12(both, "openwhisk"), join(folder, "invoker-openwhisk-keystore.p12"));
  for (const [from, to] of Object.entries(named)) renameSync(join(folder, from), join(folder, to));
}
