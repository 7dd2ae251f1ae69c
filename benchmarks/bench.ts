// One pool of one container, for the benchmarks that look at the pool alone.

import { fileURLToPath } from "node:url";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  Pool,
  probe,
  type RewindPolicy,
  type RewindTimings,
  realMachine,
} from "../pool/index.ts";
import { instanceName } from "../test/system/instance.ts";

const launcher = fileURLToPath(new URL("../../native/lean", import.meta.url));
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const memoryMB = 256;

export class Bench {
  readonly rewinds: RewindTimings[] = [];
  readonly #pool: Pool;
  readonly #close: () => Promise<void>;
  readonly #kind: string;

  private constructor(pool: Pool, kind: string, close: () => Promise<void>) {
    this.#pool = pool;
    this.#kind = kind;
    this.#close = close;
    pool.events.on("rewound", ({ timings }) => this.rewinds.push(timings));
  }

  static async start(kind: string, rewind: RewindPolicy): Promise<Bench> {
    const factory = createLeanFactory({
      instance: instanceName("bench"),
      interpreters: await findInterpreters(),
      environment: {},
      scratchMB: 64,
      launcher,
    });
    await factory.removeLeftovers();
    const pool = new Pool(realMachine(factory, await probe()), {
      ...defaultPoolSettings,
      rewind,
      userMemoryMB: memoryMB,
      stemCells: [{ kind, count: 1, memoryMB }],
    });
    await pool.settled();
    return new Bench(pool, kind, async () => {
      await pool.close();
      await factory.close();
    });
  }

  /** Runs an action that nobody has seen, until the container is clean again. */
  async runNew(code: string): Promise<void> {
    const lease = await this.#pool.lease({ kind: this.#kind, memoryMB, owner: code });
    lease.keepLogs(0);
    const frame = { name: "bench", main: "main", binary: false, env: {}, code: Buffer.from(code) };
    const init = await lease.init(frame, limits);
    const run = await lease.run('{"value":{}}', limits);
    await lease.release(true);
    if (
      init.exchange.outcome !== "answer" ||
      run.exchange.outcome !== "answer" ||
      run.exchange.status !== 200
    )
      throw new Error(`the benchmark's action failed: ${JSON.stringify([init.exchange, run.exchange])}`);
  }

  stop(): Promise<void> {
    return this.#close();
  }
}
