// One pool of one container, for the benchmarks that look at the pool alone.

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type LeanFactoryOptions,
  type Machine,
  Pool,
  type PoolSettings,
  probe,
  type RewindPolicy,
  type RewindTimings,
  realMachine,
  type SandboxFactory,
  type StemCell,
} from "../pool/index.ts";
import { instanceName } from "../test/system/instance.ts";

const launcher = fileURLToPath(new URL("../../native/lean", import.meta.url));
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const memoryMB = 256;
const lookMs = 10;

/** What one activation took, in milliseconds. */
export interface CallTimes {
  /** 0 where the action was loaded already. */
  readonly initMs: number;
  readonly runMs: number;
  /** What the caller waits: a container, these two. */
  readonly answeredMs: number;
  /** The same until the container can be used again, or its place. */
  readonly usableMs: number;
  /** What the action gave. */
  readonly result: unknown;
}

export class Bench {
  readonly rewinds: RewindTimings[] = [];
  readonly #pool: Pool;
  readonly #close: () => Promise<void>;
  readonly #cell: StemCell;
  readonly #owners = new WeakMap<Buffer, string>();
  #archives = 0;
  readonly #factory: SandboxFactory;

  private constructor(pool: Pool, cell: StemCell, factory: SandboxFactory, close: () => Promise<void>) {
    this.#pool = pool;
    this.#factory = factory;
    this.#cell = cell;
    this.#close = close;
    pool.events.on("rewound", ({ timings }) => this.rewinds.push(timings));
  }

  /** `name` tells it from others that live at the same time; `change` replaces parts of the machine. */
  static async start(
    kind: string,
    rewind: RewindPolicy,
    {
      name = "bench",
      change = (machine: Machine): Machine => machine,
      stemCell = {} as Partial<StemCell>,
      userMemoryMB = undefined as number | undefined,
      settings = {} as Partial<PoolSettings>,
      factory: parts = {} as Partial<LeanFactoryOptions>,
    } = {},
  ): Promise<Bench> {
    const factory = createLeanFactory({
      instance: instanceName(name),
      interpreters: await findInterpreters(),
      environment: {},
      scratchMB: 64,
      launcher,
      ...parts,
    });
    await factory.removeLeftovers();
    const cell = { kind, count: 1, memoryMB, ...stemCell };
    const all: PoolSettings = {
      ...defaultPoolSettings,
      rewind,
      userMemoryMB: userMemoryMB ?? cell.count * cell.memoryMB,
      stemCells: [cell],
      ...settings,
    };
    const pool = new Pool(change(realMachine(factory, await probe(), undefined, all)), all);
    await pool.settled();
    return new Bench(pool, cell, factory, async () => {
      await pool.close();
      await factory.close();
    });
  }

  /** Runs an action that nobody has seen, until the container is clean again. */
  runNew(code: string): Promise<CallTimes> {
    return this.call(code);
  }

  /**
   * Runs an action, loading it where that is due, until its container can be used again. The same code is the same action; of archives, the
   * same buffer. `modules` are those that it imports.
   */
  async call(
    code: string | Buffer,
    value: unknown = {},
    modules: readonly string[] = [],
  ): Promise<CallTimes> {
    const owner = typeof code === "string" ? code : this.#ownerOf(code);
    const binary = typeof code !== "string";
    const bytes = binary ? code : Buffer.from(code);
    const askedMs = performance.now();
    const lease = await this.#pool.lease({ ...this.#cell, owner, modules: new Set(modules) });
    const leasedMs = performance.now();
    lease.keepLogs(0);
    const frame = { name: "bench", main: "main", binary, env: {}, code: bytes };
    const init = lease.initialised ? undefined : await lease.init(frame, limits);
    const loadedMs = performance.now();
    const run = await lease.run(JSON.stringify({ value }), limits);
    const answeredMs = performance.now();
    await lease.release(true);
    const usableMs = performance.now();
    if (
      (init !== undefined && init.exchange.outcome !== "answer") ||
      run.exchange.outcome !== "answer" ||
      run.exchange.status !== 200
    )
      throw new Error(`the benchmark's action failed: ${JSON.stringify([init?.exchange, run.exchange])}`);
    const result: unknown = JSON.parse(run.exchange.body);
    if (typeof result === "object" && result !== null && "error" in result)
      throw new Error(`the benchmark's action failed: ${JSON.stringify(result)}`);
    return {
      ...{ initMs: init ? loadedMs - leasedMs : 0, result },
      ...{ runMs: answeredMs - loadedMs, answeredMs: answeredMs - askedMs, usableMs: usableMs - askedMs },
    };
  }

  /** Loads an action where that is due, and has its container until the function is called that this gives. */
  async hold(code: string): Promise<() => Promise<void>> {
    const lease = await this.#pool.lease({ ...this.#cell, owner: code });
    lease.keepLogs(0);
    const frame = { name: "bench", main: "main", binary: false, env: {}, code: Buffer.from(code) };
    if (!lease.initialised) await lease.init(frame, limits);
    return () => lease.release(true);
  }

  #ownerOf(archive: Buffer): string {
    const owner = this.#owners.get(archive) ?? `archive ${++this.#archives}`;
    this.#owners.set(archive, owner);
    return owner;
  }

  get events(): Pool["events"] {
    return this.#pool.events;
  }

  /** So many containers have been made ahead. */
  async madeAhead(count: number): Promise<void> {
    while (this.readyAhead < count) await sleep(lookMs);
  }

  get readyAhead(): number {
    return this.#factory.ahead().containers.ready;
  }

  /** Nothing is being started, rewound or removed. */
  settled(): Promise<void> {
    return this.#pool.settled();
  }

  stop(): Promise<void> {
    return this.#close();
  }
}
