// Measures: a replayed day in small (trace.ts): what each call waits beyond its own run, under stock's policy (a container is one action's
//   for life, the one used longest ago makes room), and by rewinding, without and with what spares starts and inits: in the same
//   lean containers, one replay after the other.
// Does not measure: the invoker; Docker, whose containers cost stock more than these.
// Varies: the policy. Half of the actions are Node's, half Python's; each has an init of 20 ms.

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type Image,
  type ImageFactory,
  type Machine,
  Pool,
  type PoolSettings,
  type Probe,
  probe,
  realMachine,
} from "../../pool/index.ts";
import { LeanInterior } from "../../pool/lean-interior.ts";
import { instanceName } from "../../test/system/instance.ts";
import { type Figure, fromSamples, ratio } from "../figures.ts";
import { kindOf, usualFamilies } from "../programs.ts";
import { type Call, traceOf } from "./trace.ts";

const settings = { seed: 1, actions: 1000, calls: 2700, durationMs: 90_000 } as const;
const memoryMB = 256;
const userMemoryMB = 40 * memoryMB;
/** Of each kind, made ahead: as many as stock's manifest has of its default kind. */
const madeAhead = 2;
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const launcher = fileURLToPath(new URL("../../../native/lean", import.meta.url));
const bench = "day";

interface Side {
  readonly isStock?: boolean;
  readonly pool?: Partial<PoolSettings>;
  /** Of each kind, as the setting has it by default; absent: none. */
  readonly containersAhead?: number;
}

const levels = { levelMemoryMB: 512 };
const boots = { boots: true };
const all = { ...levels, ...boots, sharesLevels: true };
const sides: Readonly<Record<string, Side>> = {
  "stock's policy": { isStock: true },
  "rewound to the base": {},
  "with action checkpoints": { pool: levels },
  "with booting": { pool: boots },
  "with both": { pool: { ...levels, ...boots } },
  "with all parts": { pool: all, containersAhead: 4 },
  "with all parts, prewarmed by arrivals": { pool: { ...all, predicts: true }, containersAhead: 4 },
};

const programs = {
  nodejs: (serial: number) =>
    `const end = process.hrtime.bigint() + 20000000n; while (process.hrtime.bigint() < end); async function main({ waitMs }) { await new Promise((resolve) => setTimeout(resolve, waitMs)); return { serial: ${serial} }; }`,
  python: (serial: number) =>
    `import time\nend = time.monotonic() + 0.02\nwhile time.monotonic() < end: pass\ndef main(args):\n  time.sleep(args["waitMs"] / 1000)\n  return {"serial": ${serial}}\n`,
} as const;

/** What Docker would make, as lean containers that are never rewound: the pool binds them to one owner, as it does Docker's. */
function boundContainers(machine: Machine, pool: PoolSettings): ImageFactory {
  const neverRewound = { ...machine, takeCheckpoint: undefined };
  const nothing = async (): Promise<void> => undefined;
  return {
    ...{ isThere: true, isSilent: false, parallelStarts: pool.parallelStarts },
    ...{ follow: () => undefined, giveUp: () => undefined, removeLeftovers: nothing, close: nothing },
    create: (order) => LeanInterior.make(order, neverRewound, pool),
  };
}

class Replay {
  readonly #pool: Pool;
  readonly #isStock: boolean;
  readonly #starts = new Map<string, number>();

  constructor(pool: Pool, isStock: boolean) {
    this.#pool = pool;
    this.#isStock = isStock;
  }

  /** Milliseconds that each call has waited beyond its own run. */
  async all(trace: readonly Call[]): Promise<readonly number[]> {
    const sinceMs = performance.now();
    const calls: Promise<number>[] = [];
    for (const call of trace) {
      const inMs = sinceMs + call.atMs - performance.now();
      if (inMs > 0) await sleep(inMs);
      calls.push(this.#call(call));
    }
    return await Promise.all(calls);
  }

  /** How many began how. */
  get starts(): string {
    return [...this.#starts].map(([start, count]) => `${count} ${start}`).join(", ");
  }

  async #call({ action, waitMs }: Call): Promise<number> {
    const askedMs = performance.now();
    const family = usualFamilies[action % usualFamilies.length] ?? "nodejs";
    const kind = kindOf[family];
    const bound = this.#isStock ? { image: imageOf(kind) } : {};
    const lease = await this.#pool.lease({ kind, memoryMB, owner: `action ${action}`, ...bound });
    this.#starts.set(lease.start, (this.#starts.get(lease.start) ?? 0) + 1);
    lease.keepLogs(0);
    const code = Buffer.from(programs[family](action));
    if (!lease.initialised)
      await lease.init({ name: "day", main: "main", binary: false, env: {}, code }, limits);
    const { exchange } = await lease.run(JSON.stringify({ value: { waitMs } }), limits);
    const answeredMs = performance.now();
    if (exchange.outcome !== "answer" || !exchange.body.includes(`${action}`))
      throw new Error(`action ${action} was not answered: ${JSON.stringify(exchange)}`);
    void lease.release(true);
    return answeredMs - askedMs - waitMs;
  }
}

function imageOf(kind: string): Image {
  return { name: kind, pull: false, sentinelled: false };
}

async function replay(side: Side, proof: Probe, trace: readonly Call[]): Promise<readonly number[]> {
  const { isStock = false, containersAhead = 0 } = side;
  const factory = createLeanFactory({
    ...{ instance: instanceName("day"), interpreters: await findInterpreters(), environment: {} },
    ...{ scratchMB: 64, launcher, userMemoryMB, containersAhead },
  });
  await factory.removeLeftovers();
  const stemCells = usualFamilies.map((family) => {
    const kind = kindOf[family];
    return { kind, count: madeAhead, memoryMB, ...(isStock ? { image: imageOf(kind) } : {}) };
  });
  const pooled = { ...defaultPoolSettings, userMemoryMB, stemCells, ...side.pool };
  const machine = realMachine(factory, proof, undefined, pooled);
  const docker = isStock ? boundContainers(machine, pooled) : undefined;
  const pool = new Pool({ ...machine, docker }, pooled);
  await pool.settled();
  const running = new Replay(pool, isStock);
  const samples = await running.all(trace);
  console.log(`  ${running.starts}`);
  await pool.close();
  await factory.close();
  return samples;
}

export async function day(): Promise<readonly Figure[]> {
  const proof = await probe();
  const trace = traceOf(settings);
  const waited = new Map<string, readonly number[]>();
  for (const [name, side] of Object.entries(sides)) {
    console.log(`  ${name} ...`);
    waited.set(name, await replay(side, proof, trace));
  }
  const stock = waited.get("stock's policy") ?? [];
  return [...waited].flatMap(([name, samples]) => [
    fromSamples({ bench, figure: name, unit: "ms" }, samples),
    ...(samples === stock ? [] : [ratio({ bench, figure: `${name} / stock's policy` }, samples, stock)]),
  ]);
}
