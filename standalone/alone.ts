// All of OpenWhisk in this process: bus, embedded databases, controller and invoker.

import { join } from "node:path";
import {
  createLeanFactory,
  type InvokerSettings,
  type InvokerStatus,
  instanceOf,
  preflight,
  probe,
  projectFolder,
  readLibrarySets,
  type StemCell,
  startInvoker,
} from "../invoker/index.ts";
import { createApi } from "./api.ts";
import { bannerLines, urlOf } from "./banner.ts";
import { createBus } from "./bus.ts";
import { StartError } from "./errors.ts";
import { instanceName } from "./instance-name.ts";
import { listen } from "./listener.ts";
import type { Manifest } from "./manifest.ts";
import type { Options } from "./options.ts";
import { installSamples } from "./samples.ts";
import { createServices, guestSubject } from "./services.ts";
import { defaultSettings } from "./settings.ts";
import { chooseInterpreters, manifestOf, readBuild, reportFault, reportNote } from "./start-parts.ts";
import type { Running } from "./stop.ts";
import { actionStore } from "./store/actions.ts";
import { openDatabases } from "./store/databases.ts";
import { serveWatch, watchUrl } from "./watch.ts";

const scratchMB = 256;
const stemCellsPerKind = 2;

/** Starts all of it in this process. Throws StartError. */
export async function startAlone(options: Options, usual: InvokerSettings): Promise<Running> {
  const problems = await preflight();
  if (problems.length > 0) {
    throw new StartError(
      problems.map(({ missing, remedy }) => `Missing: ${missing}. Remedy: ${remedy}`).join("\n"),
    );
  }
  const interpreters = await chooseInterpreters(options.kinds);
  const listener = await listen(options.port, options.host);
  const url = urlOf(options.host, listener.port);
  const build = readBuild();
  const databases = await openDatabases(options.dataFolder);
  const bus = createBus((topic, error) => reportFault(`topic ${topic}`, error));
  const concurrency = { ...usual.concurrency, max: options.concurrencyMax };
  const manifest = manifestOf(interpreters);
  const services = await createServices({
    databases,
    folder: options.dataFolder,
    bus,
    manifest,
    settings: { ...defaultSettings(), concurrency },
    onFault: reportFault,
    note: reportNote,
  });
  await installSamples(services);
  const proof = await probe();
  const factory = createLeanFactory({
    instance: instanceName(options.dataFolder),
    interpreters,
    environment: { __OW_API_HOST: url, __OW_ALLOW_CONCURRENT: concurrency.max > 1 ? "True" : "False" },
    scratchMB,
    launcher: join(projectFolder(), "build", "native", "lean"),
  });
  const settings = { ...invokerSettings(usual, options, manifest), concurrency };
  const invoker = await startInvoker({
    bus,
    actions: actionStore(services.entities),
    activations: services.records,
    factory,
    probe: proof,
    settings,
  });
  services.balancer.assumeHealthy(instanceOf(settings));
  await invoker.ready;
  if (settings.pool.stemCells.length > 0) requireContainers(invoker.status());
  const auth = services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
  const { host } = options;
  const admin = await serveWatch(invoker, { host, port: options.adminPort, auth });
  listener.handle(createApi(services, build));
  const { userMemoryMB, rewind, dataFolder } = options;
  const facts = { version: build.version, interpreters, probe: proof, userMemoryMB, rewind };
  const links = { url, auth, watchUrl: watchUrl({ host, port: admin.port, auth }) };
  for (const line of bannerLines({ ...facts, dataFolder, ...links })) {
    console.log(line);
  }
  return { listener, databases, services, invoker, close: () => admin.close() };
}

/** Where no container starts, every invocation would fail: better said now. Throws StartError. */
export function requireContainers({
  pool,
}: {
  readonly pool: Pick<InvokerStatus["pool"], "containers">;
}): void {
  if (pool.containers.some(({ state }) => state === "clean")) return;
  throw new StartError(
    "No container could be started. The container-start-failed lines above name the reason.",
  );
}

/** The usual settings, with so much memory and containers ready for each family of kinds that there is. */
function invokerSettings(usual: InvokerSettings, options: Options, manifest: Manifest): InvokerSettings {
  const { userMemoryMB, rewind, boots } = options;
  const libraries = readLibrarySets(options.libraries).sets;
  const memoryMB = usual.memoryMB.std;
  const defaults = Object.values(manifest.runtimes).flatMap((runtimes) =>
    runtimes.filter((one) => one.default),
  );
  return {
    ...usual,
    pool: {
      ...usual.pool,
      userMemoryMB,
      rewind,
      boots,
      libraries,
      stemCells: stemCellsFor(
        defaults.map(({ kind }) => kind),
        { userMemoryMB, memoryMB },
      ),
    },
    defaultKinds: Object.fromEntries(defaults.map(({ kind }) => [kind.split(":")[0] ?? "", kind])),
    logLevel: "warn",
  };
}

/** Half of the memory holds containers made ahead: one of each kind in turn, then a second one, while there is room. */
export function stemCellsFor(
  kinds: readonly string[],
  { userMemoryMB, memoryMB }: { readonly userMemoryMB: number; readonly memoryMB: number },
): readonly StemCell[] {
  const room = Math.floor(userMemoryMB / 2 / memoryMB);
  const countOf = (place: number): number => Math.ceil((room - place) / kinds.length);
  return kinds
    .map((kind, place) => ({ kind, count: Math.min(stemCellsPerKind, countOf(place)), memoryMB }))
    .filter(({ count }) => count > 0);
}
