// A process of its own with a pool, and for a while no memory for a further container. Arguments: instance, kind. Prints what
// a job was told meanwhile, and how it came by its container afterwards.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type Lease,
  Pool,
  probe,
  realMachine,
} from "../../pool/index.ts";
import { launcher } from "./lean-probe.ts";

/** More than starting a container takes of our address space, less than its image needs. */
const marginBytes = 6 << 20;
const [instance = "", kind = ""] = process.argv.slice(2);

const limitTo = (bytes: number | "unlimited"): void =>
  void execFileSync("prlimit", ["--pid", String(process.pid), `--as=${bytes}:unlimited`]);
const addressSpace = (): number =>
  Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * 1024;

const factory = createLeanFactory({
  ...{ instance, interpreters: await findInterpreters(), environment: {}, scratchMB: 8, launcher },
});
const pool = new Pool(realMachine(factory, await probe()), {
  ...defaultPoolSettings,
  ...{ userMemoryMB: 512, stemCells: [{ kind, count: 1, memoryMB: 256 }] },
});
await pool.settled();
const lease = (): Promise<Lease> => pool.lease({ kind, memoryMB: 256, owner: "a" });
const first = await lease();
limitTo(addressSpace() + marginBytes);
const refused = await lease().catch((error: Error) => error.message);
limitTo("unlimited");
const second = await lease();
const states = pool.status().containers.map(({ state }) => state);
console.log(JSON.stringify({ refused, start: second.start, states }));
await Promise.all([first.release(true), second.release(true)]);
await pool.close();
await factory.close();
