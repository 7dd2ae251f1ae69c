// The ways of stock's invoker to a container by Docker: made for the call, made ahead, kept and paused, kept and not yet paused.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import {
  createDockerFactory,
  createLeanFactory,
  defaultPoolSettings,
  type Lease,
  Pool,
  probe,
  realMachine,
  type StemCell,
  systemClock,
} from "../pool/index.ts";
import { type DockerDaemon, startDocker } from "../standalone/cluster/docker.ts";
import { importImage } from "../test/docker/image.ts";
import { instanceName } from "../test/system/instance.ts";
import { within } from "../test/within.ts";
import { tiny } from "./programs.ts";

/** Of `startDockerWithImage`. */
export const image = { name: "127.0.0.1:9/bench/python:1", pull: false, sentinelled: true };
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const kind = "blackbox";
const memoryMB = 256;
/** As in OpenWhisk 1.0.0; later ones wait for 10 s. */
const pauseGraceMs = 50;
const patienceMs = 30_000;

/** Milliseconds from asking the pool for a container to the answer of a tiny Python action; then the machine is at rest again. */
export interface DockerPath {
  /** Its container is made for the call. */
  cold(): Promise<number>;
  /** Its container was made ahead. */
  prewarmed(): Promise<number>;
  /** It was called before, and its container has been paused since. */
  paused(): Promise<number>;
  /** It was called just before. */
  warm(): Promise<number>;
  /** From the wish to the end: Docker's removal of a container. */
  removal(): Promise<number>;
  stop(): Promise<void>;
}

/** A daemon of its own, with an image made of this machine's Python and an action server that does as little as it can. */
export async function startDockerWithImage(): Promise<DockerDaemon> {
  const daemon = await startDocker(mkdtempSync(join(tmpdir(), "rewhisk-dockerd-")));
  const [repository = "", tag = ""] = image.name.split(/:(?=[^:]*$)/);
  await importImage(daemon.socketPath, repository, [tag]).catch(async (error: unknown) => {
    await daemon.stop();
    throw error;
  });
  return daemon;
}

export async function startDockerPath(): Promise<DockerPath> {
  const daemon = await startDockerWithImage();
  const making = await PoolOfDocker.start(daemon, "wskbench0", []);
  const ahead = await PoolOfDocker.start(daemon, "wskbench1", [{ kind, count: 1, memoryMB, image }]);
  const docker = new Docker({ socketPath: daemon.socketPath, host: "" });
  const isPaused = async (): Promise<true | undefined> =>
    (await docker.listContainers({ filters: { status: ["paused"] } })).length > 0 || undefined;
  let serial = 0;
  const next = (): string => tiny("python", serial++);
  /** A second call, with that between the two. */
  const again = async (between: () => Promise<unknown>): Promise<number> => {
    const code = next();
    await (await making.call(code)).lease.release(true);
    await between();
    const { lease, tookMs } = await making.call(code);
    await making.remove(lease);
    return tookMs;
  };
  return {
    async cold() {
      const { lease, tookMs } = await making.call(next());
      await making.remove(lease);
      return tookMs;
    },
    async prewarmed() {
      await ahead.settled();
      const { lease, tookMs } = await ahead.call(next());
      await lease.release(false);
      await ahead.settled();
      return tookMs;
    },
    paused: () => again(() => within(patienceMs, isPaused)),
    warm: () => again(() => Promise.resolve()),
    async removal() {
      const { lease } = await making.call(next());
      return await making.remove(lease);
    },
    async stop() {
      await making.close();
      await ahead.close();
      await daemon.stop();
    },
  };
}

/** Containers of that image, come by as stock's invoker comes by them. */
export class PoolOfDocker {
  readonly #pool: Pool;
  readonly #close: () => Promise<void>;

  private constructor(pool: Pool, close: () => Promise<void>) {
    this.#pool = pool;
    this.#close = close;
  }

  static async start(
    { socketPath }: DockerDaemon,
    namePrefix: string,
    stemCells: readonly StemCell[],
    { parallelRuns = 10, parallelStarts = defaultPoolSettings.parallelStarts, userMemoryMB = 1024 } = {},
  ): Promise<PoolOfDocker> {
    const lean = createLeanFactory({
      ...{ instance: instanceName(`docker-path-${namePrefix}`), interpreters: [], environment: {} },
      ...{ scratchMB: 64, launcher: "" },
    });
    const docker = createDockerFactory({
      ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {} },
      ...{ environment: { __OW_API_HOST: "http://127.0.0.1:3233" }, userMemoryMB, collectsLogs: true },
      ...{ namePrefix, parallelRuns, pauseGraceMs, socketPath, clock: systemClock },
    });
    const settings = { ...defaultPoolSettings, parallelStarts, userMemoryMB, stemCells };
    const pool = new Pool(realMachine(lean, await probe(), docker), settings);
    await pool.settled();
    return new PoolOfDocker(pool, async () => {
      await pool.close();
      await docker.close();
      await lean.close();
    });
  }

  /** The lease is to be released. Throws where the action fails. */
  async call(code: string): Promise<{ readonly lease: Lease; readonly tookMs: number }> {
    const begunMs = performance.now();
    const lease = await this.#pool.lease({ kind, memoryMB, owner: code, image, label: "guest_tiny" });
    const frame = { name: "tiny", main: "main", binary: false, env: {}, code: Buffer.from(code) };
    if (!lease.initialised) await lease.init(frame, limits);
    const { exchange } = await lease.run('{"value":{}}', limits);
    const tookMs = performance.now() - begunMs;
    if (exchange.outcome === "answer" && exchange.status === 200) return { lease, tookMs };
    throw new Error(`the benchmark's action failed: ${JSON.stringify(exchange)}`);
  }

  /** Resolves with what it took when no container is left: the next call is to have the machine for itself. */
  async remove(lease: Lease): Promise<number> {
    const begunMs = performance.now();
    await lease.release(false);
    await within(patienceMs, () => this.#pool.status().containers.length === 0 || undefined);
    return performance.now() - begunMs;
  }

  settled(): Promise<void> {
    return this.#pool.settled();
  }

  close(): Promise<void> {
    return this.#close();
  }
}
