// Where a cluster's activations run: lean containers of this machine, Docker's for all else, and how many are made ahead.

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  CodeStore,
  createDockerFactory,
  createLeanFactory,
  Hold,
  type ImageFactory,
  type Interpreter,
  openTemplateStore,
  type PoolSettings,
  type Rung,
  type SandboxFactory,
  servicesOf,
  systemClock,
  type TemplateStore,
} from "../pool/index.ts";
import type { ClusterSettings } from "./config/cluster-settings.ts";
import { projectFolder } from "./config/entries.ts";
import type { InvokerSettings } from "./config/invoker-settings.ts";
import { leanArguments } from "./lean-arguments.ts";
import type { Manifest } from "./manifest.ts";
import type { Observer } from "./observe.ts";
import { dockerTeller } from "./observe-cluster.ts";
import { folderOf } from "./services.ts";

const scratchMB = 256;
const launcher = join(projectFolder(), "build", "native", "lean");

/** The pool's settings, with the manifest's stem cells; `kinds` have a runtime of ours. */
export function poolSettings(
  { pool }: InvokerSettings,
  { prewarmChecks }: ClusterSettings,
  manifest: Manifest,
  kinds: ReadonlySet<string>,
): PoolSettings {
  const { firstAfterMs, everyMs, varianceMs, removedMax } = prewarmChecks;
  const stemCells = manifest.runtimes.flatMap((runtime) =>
    runtime.stemCells.map((cell) => ({
      ...cell,
      kind: runtime.kind,
      ...(kinds.has(runtime.kind) ? {} : { image: manifest.imageOf(runtime) }),
    })),
  );
  const checkedEveryMs = everyMs + Math.random() * varianceMs;
  return { ...pool, stemCells, prewarmChecks: { firstAfterMs, everyMs: checkedEveryMs, removedMax } };
}

/** What lean containers' cgroups and networks are named by. No two invokers have the same, whatever their names are made of. */
export function leanInstance({ uniqueName = "", instance }: WhichInvoker): string {
  const plain = uniqueName.replaceAll(/[^A-Za-z0-9]/g, "-");
  const digest = createHash("sha256").update(uniqueName).digest("hex").slice(0, 8);
  return `wsk${plain}-${instance}${plain === uniqueName ? "" : `-${digest}`}`;
}

type WhichInvoker = Pick<InvokerSettings, "uniqueName" | "instance">;

/** Told that Docker answers: with it has come its firewall, perhaps after our network. */
export function reachTeller(
  factory: Pick<SandboxFactory, "allowForwarding">,
  observer: Observer,
): ReturnType<typeof dockerTeller> {
  const tell = dockerTeller(observer);
  return (failure) => {
    tell(failure);
    if (failure !== undefined) return;
    try {
      factory.allowForwarding();
    } catch (error) {
      const fields = { event: "forwarding-forbidden", reason: (error as Error).message };
      observer.noted("error", fields, "lean containers may not reach the outside: start the invoker again");
    }
  };
}

const bytesPerMB = 1024 * 1024;

/** Undefined: none is wanted, or its folder cannot be had or not be trusted, which is said. */
export async function codeStoreOf(
  { couchdb, codeStoreMB }: Pick<ClusterSettings, "couchdb" | "codeStoreMB">,
  instance: number,
  observer: Pick<Observer, "noted">,
): Promise<CodeStore | undefined> {
  if (codeStoreMB === 0) return undefined;
  const tell = (reason: string): void =>
    observer.noted(
      "warn",
      { event: "code-not-kept", reason },
      "archives are unpacked in each container, in which actions can write to them",
    );
  const folder = join(folderOf(couchdb, instance), "code");
  let hold: Hold | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    hold = await Hold.take(folder, "alone");
    if (hold === undefined) throw new Error(`${folder} is another process's, or cannot be locked (flock)`);
    return new CodeStore({
      ...{ folder, hold },
      maxBytes: codeStoreMB * bytesPerMB,
      onTrouble: (use, error) =>
        tell(
          use === "full" ? "there is no room beside those in use, or on the disk" : (error as Error).message,
        ),
    });
  } catch (error) {
    await hold?.release();
    tell((error as Error).message);
    return undefined;
  }
}

/** Undefined: none is wanted, nothing is booted, or its folder cannot be had or not be trusted, which is said. */
export async function templateStoreOf(
  { couchdb, storesTemplates }: Pick<ClusterSettings, "couchdb" | "storesTemplates">,
  { instance, pool }: Pick<InvokerSettings, "instance" | "pool">,
  { factory, rung }: { readonly factory: SandboxFactory; readonly rung: Rung | undefined },
  observer: Pick<Observer, "noted">,
): Promise<TemplateStore | undefined> {
  if (!storesTemplates || !pool.boots || rung === undefined) return undefined;
  const folder = join(folderOf(couchdb, instance), "templates");
  let hold: Hold | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    hold = await Hold.take(folder, "alone");
    if (hold === undefined) throw new Error(`${folder} is another process's, or cannot be locked (flock)`);
    return openTemplateStore({ folder, hold }, factory, { rung, launcher });
  } catch (error) {
    await hold?.release();
    const fields = { event: "template-not-stored", reason: (error as Error).message };
    observer.noted("warn", fields, "an invoker that is restarted will start an interpreter of each kind");
    return undefined;
  }
}

/** Throws LeanError, DockerError. Docker need not be there yet: it is taken when it comes. */
export async function containersOf(
  { docker, network, ahead, apiHost, manifest }: ClusterSettings,
  invoker: InvokerSettings,
  interpreters: readonly Interpreter[],
  observer: Observer,
): Promise<{ readonly factory: SandboxFactory; readonly docker: ImageFactory }> {
  const { userMemoryMB } = invoker.pool;
  const wanted = new Set(Object.values(manifest.families).flatMap((list) => list.map(({ kind }) => kind)));
  const { uniqueName = "", instance } = invoker;
  const { environment, pidsMax, openFiles, ...names } = leanArguments(docker.extraArgs);
  const factory = createLeanFactory({
    ...{ ...(pidsMax && { pidsMax }), ...(openFiles && { openFiles }) },
    instance: leanInstance(invoker),
    interpreters: interpreters.filter(({ kind }) => wanted.has(kind)),
    environment: { ...docker.environment, ...environment },
    ...{ scratchMB, userMemoryMB, network },
    ...{ networksAhead: ahead.networks, containersAhead: ahead.containers },
    ...(network === "nat" ? { nat: { ...docker, ...names, services: await servicesOf(apiHost) } } : {}),
    launcher,
  });
  const collectsLogs = invoker.logStore !== "none";
  const dockerFactory = createDockerFactory({
    ...{ ...docker, userMemoryMB, collectsLogs, clock: systemClock },
    ...{ namePrefix: `wsk${uniqueName}${instance}`, owner: `${uniqueName}/${instance}` },
    onReach: reachTeller(factory, observer),
  });
  return { factory, docker: dockerFactory };
}
