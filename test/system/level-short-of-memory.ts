// A process of its own with a pool, and no memory for the image of an action checkpoint while one is taken. Arguments: instance, kind,
// code. Prints what became of it and of the activations.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  Pool,
  probe,
  realMachine,
} from "../../pool/index.ts";
import { launcher } from "./lean-probe.ts";

/** More than an init takes of our address space, less than the image of a level needs. */
const marginBytes = 6 << 20;
const limits = { timeoutMs: 30_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const [instance = "", kind = "", code = ""] = process.argv.slice(2);

const limitTo = (bytes: number | "unlimited"): void =>
  void execFileSync("prlimit", ["--pid", String(process.pid), `--as=${bytes}:unlimited`]);
const addressSpace = (): number =>
  Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * 1024;

const factory = createLeanFactory({
  ...{ instance, interpreters: await findInterpreters(), environment: {}, scratchMB: 8, launcher },
});
const pool = new Pool(realMachine(factory, await probe()), {
  ...{ ...defaultPoolSettings, levelMemoryMB: 64, levelInitMs: 0 },
  ...{ userMemoryMB: 256, stemCells: [{ kind, count: 1, memoryMB: 256 }] },
});
const outcomes: unknown[] = [];
const taints: string[] = [];
pool.events.on("level", ({ outcome }) => outcomes.push("taken" in outcome ? "taken" : outcome.refused));
pool.events.on("tainted", ({ reason }) => taints.push(reason));
await pool.settled();

async function use(isShort: boolean): Promise<unknown> {
  const lease = await pool.lease({ kind, memoryMB: 256, owner: "a" });
  if (isShort) limitTo(addressSpace() + marginBytes);
  if (!lease.initialised)
    await lease.init({ name: "a", main: "main", binary: false, env: {}, code: Buffer.from(code) }, limits);
  limitTo("unlimited");
  const { exchange } = await lease.run("{}", limits);
  await lease.release(true);
  return [lease.start, "body" in exchange ? JSON.parse(exchange.body) : exchange];
}

const results = [await use(true), await use(false), await use(false)];
console.log(JSON.stringify({ results, outcomes, taints, containers: pool.status().containers.length }));
await pool.close();
await factory.close();
