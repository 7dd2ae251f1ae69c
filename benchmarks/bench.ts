// One pool of one container, for the benchmarks that look at the pool alone.

import { fileURLToPath } from "node:url";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type Machine,
  Pool,
  probe,
  type RewindPolicy,
  type RewindTimings,
  realMachine,
  type StemCell,
} from "../pool/index.ts";
import { instanceName } from "../test/system/instance.ts";

const launcher = fileURLToPath(new URL("../../native/lean", import.meta.url));
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const memoryMB = 256;

export class Bench {
  readonly rewinds: RewindTimings[] = [];
  readonly #pool: Pool;
  readonly #close: () => Promise<void>;
  readonly #cell: StemCell;

  private constructor(pool: Pool, cell: StemCell, close: () => Promise<void>) {
    this.#pool = pool;
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
    } = {},
  ): Promise<Bench> {
    const factory = createLeanFactory({
      instance: instanceName(name),
      interpreters: await findInterpreters(),
      environment: {},
      scratchMB: 64,
      launcher,
    });
    await factory.removeLeftovers();
    const cell = { kind, count: 1, memoryMB, ...stemCell };
    const pool = new Pool(change(realMachine(factory, await probe())), {
      ...defaultPoolSettings,
      rewind,
      userMemoryMB: userMemoryMB ?? cell.count * cell.memoryMB,
      stemCells: [cell],
    });
    await pool.settled();
    return new Bench(pool, cell, async () => {
      await pool.close();
      await factory.close();
    });
  }

  /** Runs an action that nobody has seen, until the container is clean again. Resolves with the times of its init and run. */
  async runNew(code: string): Promise<{ readonly initMs: number; readonly runMs: number }> {
    const lease = await this.#pool.lease({ ...this.#cell, owner: code });
    lease.keepLogs(0);
    const frame = { name: "bench", main: "main", binary: false, env: {}, code: Buffer.from(code) };
    const askedMs = performance.now();
    const init = await lease.init(frame, limits);
    const loadedMs = performance.now();
    const run = await lease.run('{"value":{}}', limits);
    const answeredMs = performance.now();
    await lease.release(true);
    if (
      init.exchange.outcome !== "answer" ||
      run.exchange.outcome !== "answer" ||
      run.exchange.status !== 200
    )
      throw new Error(`the benchmark's action failed: ${JSON.stringify([init.exchange, run.exchange])}`);
    return { initMs: loadedMs - askedMs, runMs: answeredMs - loadedMs };
  }

  get events(): Pool["events"] {
    return this.#pool.events;
  }

  /** Nothing is being started, rewound or removed. */
  settled(): Promise<void> {
    return this.#pool.settled();
  }

  stop(): Promise<void> {
    return this.#close();
  }
}
