// OpenWhisk as its playbook deploys it on one machine, with our invoker in the place of stock's: to be run by stock-machine.sh.
// Argument: the version whose environment is given. Answers calls (../system/remote.ts).

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDatabase } from "../../standalone/cluster/database.ts";
import { startDocker } from "../../standalone/cluster/docker.ts";
import { startKafka } from "../../standalone/cluster/kafka.ts";
import { InvokerProcess } from "../cluster/invoker-process.ts";
import { TestController } from "../cluster/test-controller.ts";
import { importImage } from "../docker/image.ts";
import { serve } from "../system/remote.ts";
import { within } from "../within.ts";
import { rendered } from "./stock-environment.ts";

const [version = ""] = process.argv.slice(2);
const { environment, args } = rendered(version);
const patienceMs = 60_000;
const folder = mkdtempSync(join(tmpdir(), "rewhisk-stock-"));
const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
let controller: TestController | undefined;
let invoker: InvokerProcess | undefined;

const variable = (name: string): string => environment[name] ?? "";

/** The broker, the database and Docker are where the environment says. */
async function startServices(): Promise<void> {
  const [host = "", port] = variable("KAFKA_HOSTS").split(":");
  const kafka = await startKafka({ folder: join(folder, "kafka"), host, port: Number(port) });
  ends.push(() => kafka.stop());
  const couch = (name: string): string => variable(`CONFIG_whisk_couchdb_${name}`);
  const prefix = couch("databases_WhiskAuth").replace(/subjects$/, "");
  const [username, password] = [couch("username"), couch("password")];
  const database = await startDatabase({
    ...{ folder: join(folder, "couchdb"), username, password, prefix },
    ...{ host: couch("host"), port: Number(couch("port")) },
  });
  ends.push(() => database.stop());
  const docker = await startDocker(join(folder, "docker"));
  ends.push(() => docker.stop());
  symlinkSync(docker.socketPath, "/var/run/docker.sock");
  for (const image of ["openwhisk/java8action", "openwhisk/action-nodejs-v12"])
    await importImage(docker.socketPath, image, ["nightly"]);
  const manifestFile = join(folder, "runtimes.json");
  writeFileSync(manifestFile, variable("RUNTIMES_MANIFEST"));
  const controllerParts = { kafkaHosts: variable("KAFKA_HOSTS"), host, manifestFile };
  const url = `http://${username}:${password}@${couch("host")}:${couch("port")}`;
  const running = await TestController.start({
    ...{ folder, ...controllerParts, couch: { url, prefix }, controller: "0", clusterSize: 1 },
  });
  controller = running;
  ends.push(() => running.stop());
}

/** What the pages of the invoker answer to whom the playbook lets in: who has a certificate of the same authority. */
function ask(path: string): Promise<string> {
  const agent = new Agent({
    pfx: readFileSync(variable("CONFIG_whisk_invoker_https_keystorePath")),
    passphrase: variable("CONFIG_whisk_invoker_https_keystorePassword"),
    rejectUnauthorized: false,
  });
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: variable("PORT"), path, agent }, (answer) => {
      answer.setEncoding("utf8").once("data", (text) => resolve(`${answer.statusCode} ${text}`));
    });
    asked.once("error", reject).end();
  });
}

await serve(
  {
    start: async () => {
      await startServices();
      const started = new InvokerProcess(environment, args);
      invoker = started;
      ends.push(() => started.end());
      await within(patienceMs, async () => {
        if (started.hasEnded) throw new Error(started.lastLines());
        return Object.values((await controller?.invokers()) ?? {}).includes("up") || undefined;
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${started.lastLines()}`);
      });
    },
    invokers: () => controller?.invokers(),
    put: (name: string, exec: object) => controller?.put(name, { exec }),
    invoke: async (name: string, values: object) => {
      const answer = await controller?.invoke(name, values);
      return { status: answer?.status, record: await controller?.record(answer?.body.activationId) };
    },
    ask,
    log: () => invoker?.log,
    end: () => invoker?.end(),
  },
  async () => {
    for (const end of ends.reverse()) await end();
  },
);
