// A pool in a process of its own, which may have templates of a former life: makes one container, has it answer, and tells how it was made.

import { argv } from "node:process";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  openTemplateStore,
  Pool,
  probe,
  realMachine,
} from "../../pool/index.ts";
import { instanceName } from "./instance.ts";
import { launcher } from "./lean-probe.ts";

export interface RestartOptions {
  readonly kind: string;
  /** Of stored templates; absent: there are none. */
  readonly folder?: string | undefined;
  readonly code: string;
  readonly ageBeforeRetirementMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where runtimes/ and pool/ lie. */
  readonly repository?: string;
  /** So many activations, each in the same container if that is rewound. */
  readonly activations?: number;
}

/** Milliseconds since the process began, but for `tookMs`, of the first answer. */
export interface Restarted {
  /** `started` or `booted`. */
  readonly how: readonly string[];
  /** What became of stored templates. */
  readonly stored: readonly { readonly result: string; readonly why?: string }[];
  readonly results: readonly unknown[];
  readonly taints: readonly string[];
  /** Nothing is known of containers yet. */
  readonly upMs: number;
  readonly answeredMs: number;
  /** From the pool's making. */
  readonly tookMs: number;
}

const memoryMB = 256;
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };

async function main(options: RestartOptions): Promise<Restarted> {
  const { kind, folder, code, environment = {}, repository, activations = 1 } = options;
  const [interpreters, proven] = await Promise.all([findInterpreters(), probe()]);
  const factory = createLeanFactory({
    ...{ instance: instanceName("restart"), interpreters, environment, scratchMB: 64, launcher },
    ...(repository !== undefined && { repository }),
  });
  await factory.removeLeftovers();
  const { rung } = proven;
  if (rung === undefined) throw new Error("nothing can be rewound here");
  const upMs = performance.now();
  const store = folder === undefined ? undefined : openTemplateStore({ folder }, factory, { rung, launcher });
  const { ageBeforeRetirementMs = defaultPoolSettings.ageBeforeRetirementMs } = options;
  const settings = {
    ...{ ...defaultPoolSettings, boots: true, userMemoryMB: 2 * memoryMB, ageBeforeRetirementMs },
    ...{ verifyFirst: Number.POSITIVE_INFINITY, startTimeoutMs: 120_000, rewindTimeoutMs: 20_000 },
  };
  const pool = new Pool(realMachine(factory, proven, undefined, settings, undefined, store), settings);
  const how: string[] = [];
  const stored: { result: string; why?: string }[] = [];
  const taints: string[] = [];
  pool.events.on("started", ({ isBooted }) => how.push(isBooted ? "booted" : "started"));
  pool.events.on("tainted", ({ error }) => taints.push(error.message));
  pool.events.on("bootFailed", ({ error }) => taints.push(error.message));
  pool.events.on("templateStored", (told) => {
    stored.push({ result: told.result, ...("error" in told && { why: told.error.message }) });
  });
  const results: unknown[] = [];
  let answeredMs = 0;
  for (let i = 0; i < activations; i++) {
    const lease = await pool.lease({ kind, memoryMB, owner: `restart ${i}` });
    lease.keepLogs(0);
    await lease.init(
      { name: "restart", main: "main", binary: false, env: {}, code: Buffer.from(code) },
      limits,
    );
    const { exchange } = await lease.run('{"value":{}}', limits);
    if (answeredMs === 0) answeredMs = performance.now();
    results.push(exchange.outcome === "answer" ? JSON.parse(exchange.body) : exchange.outcome);
    await lease.release(true);
  }
  await pool.settled();
  await store?.close();
  await pool.close();
  await factory.close();
  return { how, stored, results, taints, upMs, answeredMs, tookMs: answeredMs - upMs };
}

const restarted = await main(JSON.parse(argv[2] ?? "{}") as RestartOptions);
process.stdout.write(JSON.stringify(restarted));
