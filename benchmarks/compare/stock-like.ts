// A stand-in for a stock OpenWhisk on this machine: rewhisk's own controller and invoker in one process, but every action in a Docker
// container made, paused and removed as stock does it, one owner's for life and never rewound.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  defaultInvokerSettings,
  type InvokerSettings,
  instanceOf,
  probe,
  startInvoker,
} from "../../invoker/index.ts";
import { createDockerFactory, createLeanFactory, type Image, systemClock } from "../../pool/index.ts";
import { createApi } from "../../standalone/api.ts";
import { bannerLines, urlOf } from "../../standalone/banner.ts";
import { createBus } from "../../standalone/bus.ts";
import { startDocker } from "../../standalone/cluster/docker.ts";
import { listen } from "../../standalone/listener.ts";
import { createServices, guestSubject } from "../../standalone/services.ts";
import { defaultSettings } from "../../standalone/settings.ts";
import {
  chooseInterpreters,
  manifestOf,
  readBuild,
  reportFault,
  reportNote,
} from "../../standalone/start-parts.ts";
import { type Running, stop } from "../../standalone/stop.ts";
import { actionStore } from "../../standalone/store/actions.ts";
import { openDatabases } from "../../standalone/store/databases.ts";
import { instanceName } from "../../test/system/instance.ts";
import { importRuntimeImages } from "./images.ts";

const host = "127.0.0.1";
const memoryMB = 256;
/** As the manifest that OpenWhisk ships: two containers of its default kind. */
const stemCellCount = 2;
/** `whisk.container-proxy.timeouts.pause-grace` and `whisk.docker.client.parallel-runs`. */
const [pauseGraceMs, parallelRuns] = [10_000, 10];
const graceMs = 10_000;

interface Place {
  readonly port: number;
  readonly folder: string;
  readonly userMemoryMB: number;
}

async function start({ port, folder, userMemoryMB }: Place): Promise<Running> {
  mkdirSync(folder, { recursive: true });
  const docker = await startDocker(join(folder, "docker"));
  const ends = [() => docker.stop()];
  try {
    const interpreters = await chooseInterpreters(undefined);
    const images = await importRuntimeImages(docker.socketPath, interpreters);
    const manifest = manifestOf(interpreters.filter(({ kind }) => images.has(kind)));
    const listener = await listen(port, host);
    const url = urlOf(host, listener.port);
    const databases = await openDatabases(folder);
    const bus = createBus((topic, error) => reportFault(`topic ${topic}`, error));
    const parts = { databases, folder, bus, manifest, settings: defaultSettings() };
    const services = await createServices({ ...parts, onFault: reportFault, note: reportNote });
    const proof = await probe();
    const lean = createLeanFactory({
      ...{
        instance: instanceName("stock-like"),
        interpreters: [],
        environment: {},
        scratchMB: 64,
        launcher: "",
      },
    });
    const containers = createDockerFactory({
      ...{
        network: "bridge",
        dnsServers: [],
        dnsSearch: [],
        dnsOptions: [],
        extraArgs: {},
        collectsLogs: true,
      },
      ...{
        environment: { __OW_API_HOST: url },
        userMemoryMB,
        parallelRuns,
        pauseGraceMs,
        clock: systemClock,
      },
      ...{ namePrefix: "wskstocklike0", socketPath: docker.socketPath },
    });
    const settings = stockSettings(userMemoryMB, images, manifest.resolve("nodejs:default")?.kind);
    const invoker = await startInvoker({
      ...{ bus, actions: actionStore(services.entities), activations: services.records },
      ...{ factory: lean, docker: containers, probe: proof, settings },
      images: { kindImage: (kind) => images.get(kind), userImage: () => undefined },
    });
    services.balancer.assumeHealthy(instanceOf(settings));
    await invoker.ready;
    const build = readBuild();
    const version = `${build.version}, but every action in a Docker container, as stock has it`;
    listener.handle(createApi(services, { ...build, version }));
    const auth = services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
    const facts = {
      version: "as stock",
      interpreters,
      probe: proof,
      userMemoryMB,
      rewind: "on-change" as const,
    };
    for (const line of bannerLines({ ...facts, dataFolder: folder, url, auth })) console.log(line);
    return { listener, databases, services, invoker, close: () => docker.stop() };
  } catch (error) {
    for (const end of ends) await end();
    throw error;
  }
}

function stockSettings(
  userMemoryMB: number,
  images: ReadonlyMap<string, Image>,
  kind: string | undefined,
): InvokerSettings {
  const usual = defaultInvokerSettings();
  const image = images.get(kind ?? "");
  const stemCells = kind && image ? [{ kind, count: stemCellCount, memoryMB, image }] : [];
  return {
    ...usual,
    pool: { ...usual.pool, userMemoryMB, rewind: "on-change", stemCells },
    logLevel: "warn",
  };
}

const text = { type: "string" } as const;
const options = { port: text, "data-dir": text, "user-memory": text };
const { values } = parseArgs({ options });
const wish = new Promise<void>((resolve) => {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
});
// Who started it may be gone: it ends in order all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
const running = await start({
  port: Number(values.port ?? 0),
  folder: values["data-dir"] ?? "",
  userMemoryMB: Number.parseInt(values["user-memory"] ?? "2048", 10),
});
console.log("ready after all its parts");
await wish;
await stop(running, graceMs);
process.exit(0);
