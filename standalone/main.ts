// The standalone server after set-up: reads the options, puts the parts together, says so, and ends in order.

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  createLeanFactory,
  defaultInvokerSettings,
  findInterpreters,
  type Interpreter,
  type InvokerSettings,
  type InvokerStatus,
  preflight,
  probe,
  projectFolder,
  readConfigFile,
  startInvoker,
} from "../invoker/index.ts";
import { createApi } from "./api.ts";
import { bannerLines, urlOf } from "./banner.ts";
import { createBus } from "./bus.ts";
import { StartError } from "./errors.ts";
import { listen } from "./listener.ts";
import { Manifest, type ManifestTemplate } from "./manifest.ts";
import { type Options, readOptions } from "./options.ts";
import { installSamples } from "./samples.ts";
import { createServices, guestSubject } from "./services.ts";
import { defaultSettings } from "./settings.ts";
import { type Running, stop } from "./stop.ts";
import { actionStore } from "./store/actions.ts";
import { openDatabases } from "./store/databases.ts";

const graceMs = 30_000;
/** npm passes on the signal that the terminal has sent us as well: two within this time are one wish. */
const sameWishMs = 1000;
const scratchMB = 256;
const stemCellsPerFamily = 2;

/** Runs the server until a signal ends it. The one place that ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const startedMs = performance.now();
  try {
    const usual = defaultInvokerSettings();
    const options = readOptions(argv, usual);
    if ("errors" in options) {
      throw new StartError([...options.errors, "Try npm start -- --help"].join("\n"));
    }
    if (options.help) {
      process.stdout.write(readFileSync(join(projectFolder(), "standalone", "usage.txt"), "utf8"));
      return;
    }
    const wish = wishToEnd();
    const running = await start(options, usual);
    console.log(`ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await wish;
    const neverRun = await stop(running, graceMs);
    if (neverRun > 0) {
      console.error(`${neverRun} activations had not begun after ${graceMs / 1000} s and are lost`);
    }
    process.exit(0);
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }
    console.error(error.message);
    process.exit(2);
  }
}

async function start(options: Options, usual: InvokerSettings): Promise<Running> {
  const problems = await preflight();
  if (problems.length > 0) {
    throw new StartError(
      problems.map(({ missing, remedy }) => `Missing: ${missing}. Remedy: ${remedy}`).join("\n"),
    );
  }
  const interpreters = chosenInterpreters(await findInterpreters(), options.kinds);
  const listener = await listen(options.port, options.host);
  const url = urlOf(options.host, listener.port);
  const build = readBuild();
  const databases = await openDatabases(options.dataFolder);
  const bus = createBus((topic, error) => reportFault(`topic ${topic}`, error));
  const kinds = interpreters.map(({ kind }) => kind);
  const manifest = new Manifest(readConfigFile("runtimes.template.json") as ManifestTemplate, kinds);
  const services = await createServices({
    databases,
    folder: options.dataFolder,
    bus,
    manifest,
    settings: defaultSettings(),
    onFault: reportFault,
  });
  await installSamples(services);
  const proof = await probe();
  const factory = createLeanFactory({
    instance: instanceName(options.dataFolder),
    interpreters,
    environment: { __OW_API_HOST: url, __OW_ALLOW_CONCURRENT: "False" },
    scratchMB,
    launcher: join(projectFolder(), "build", "native", "lean"),
  });
  const settings = invokerSettings(usual, options.userMemoryMB, manifest);
  const invoker = await startInvoker({
    bus,
    actions: actionStore(services.entities),
    activations: services.records,
    factory,
    probe: proof,
    settings,
  });
  await invoker.ready;
  if (settings.pool.stemCells.length > 0) requireContainers(invoker.status());
  listener.handle(createApi(services, build));
  const auth = services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
  const facts = { version: build.version, interpreters, probe: proof, userMemoryMB: options.userMemoryMB };
  for (const line of bannerLines({ ...facts, dataFolder: options.dataFolder, url, auth })) {
    console.log(line);
  }
  return { listener, databases, services, invoker };
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

function chosenInterpreters(
  found: readonly Interpreter[],
  wanted: readonly string[] | undefined,
): readonly Interpreter[] {
  const missing = (wanted ?? []).filter((kind) => !found.some((interpreter) => interpreter.kind === kind));
  if (missing.length > 0) {
    const there = found.map(({ kind }) => kind).join(", ");
    throw new StartError(`No interpreter is found for ${missing.join(", ")}. There are: ${there || "none"}.`);
  }
  return wanted === undefined ? found : found.filter(({ kind }) => wanted.includes(kind));
}

/** The usual settings, with so much memory and containers ready for each family of kinds that there is. */
function invokerSettings(usual: InvokerSettings, userMemoryMB: number, manifest: Manifest): InvokerSettings {
  const memoryMB = usual.memoryMB.std;
  const defaults = Object.values(manifest.runtimes).flatMap((runtimes) =>
    runtimes.filter((one) => one.default),
  );
  const roomForStemCells = userMemoryMB / 2 / memoryMB / Math.max(1, defaults.length);
  const count = Math.min(stemCellsPerFamily, Math.floor(roomForStemCells));
  return {
    ...usual,
    pool: {
      ...usual.pool,
      userMemoryMB,
      stemCells: count > 0 ? defaults.map(({ kind }) => ({ kind, count, memoryMB })) : [],
    },
    defaultKinds: Object.fromEntries(defaults.map(({ kind }) => [kind.split(":")[0] ?? "", kind])),
    logLevel: "warn",
  };
}

/** Names the invoker: the same for the same data folder, which only one server can use at a time. */
export function instanceName(dataFolder: string): string {
  return `standalone-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 8)}`;
}

function readBuild(): { version: string; date: string } {
  const { version } = JSON.parse(readFileSync(join(projectFolder(), "package.json"), "utf8")) as {
    version: string;
  };
  return {
    version,
    date: statSync(import.meta.filename)
      .mtime.toISOString()
      .slice(0, 19),
  };
}

function reportFault(what: string, error: unknown): void {
  console.error(
    `${new Date().toISOString()} fault, ${what}: ${error instanceof Error ? error.stack : String(error)}`,
  );
}

/** Resolves at the first signal that asks for the end, which may come while all is still being started. */
function wishToEnd(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const hear = (signal: NodeJS.Signals): void => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        console.log(`${signal}: ending after what was accepted (again: at once)`);
        resolve();
      } else if (performance.now() - firstMs > sameWishMs) {
        process.exit(1);
      }
    };
    process.on("SIGINT", hear);
    process.on("SIGTERM", hear);
  });
}
