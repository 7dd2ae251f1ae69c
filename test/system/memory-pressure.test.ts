// Real containers below a real limit of memory that gets short: what goes first, and that work goes on.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import {
  createLeanFactory,
  defaultPoolSettings,
  findInterpreters,
  type InitFrame,
  type Lease,
  Pool,
  probe,
  type Relieved,
  realMachine,
  type SandboxFactory,
} from "../../pool/index.ts";
import { roomOfGroup } from "../../pool/memory.ts";
import { holdsWithin } from "../within.ts";
import { instanceName } from "./instance.ts";
import { launcher } from "./lean-probe.ts";

const kind = "python:3";
const memoryMB = 256;
const stemCells = [{ kind, count: 3, memoryMB }];
const limits = { timeoutMs: 30_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
const code = Buffer.from("kept = list(range(1000))\ndef main(args):\n    return {'sum': sum(kept)}\n");
const frame: InitFrame = { name: "a", main: "main", binary: false, env: {}, code };
const patienceMs = 60_000;
/** More than a machine's eighth: of a limit an eighth is the least then. */
const leastMemoryMB = 1 << 20;
const bytesPerMB = 1024 * 1024;
const shortMB = 5;
/** Far from what containers have. */
const amplyMB = 4096;

describe("lean containers below a limit of memory", () => {
  let factory: SandboxFactory;
  let pool: Pool;
  const given: Relieved[] = [];
  const told: boolean[] = [];

  before(async () => {
    factory = createLeanFactory({
      ...{ instance: instanceName("pressure"), interpreters: await findInterpreters() },
      ...{ environment: {}, scratchMB: 8, launcher },
    });
    await factory.removeLeftovers();
    const settings = {
      ...defaultPoolSettings,
      userMemoryMB: 2048,
      stemCells,
      leastMemoryMB,
      memoryLookMs: 50,
    };
    const levels = { levelMemoryMB: 64, levelInitMs: 0 };
    const machine = realMachine(factory, await probe());
    // The machine itself has much else to do, and its memory is not for tests to take: the limit is what is looked at.
    const limited = {
      ...machine,
      memory: () => machine.memory?.().filter(({ totalMB }) => totalMB <= amplyMB) ?? [],
    };
    pool = new Pool(limited, { ...settings, ...levels });
    pool.events.on("relieved", ({ what }) => given.push(what));
    pool.events.on("memoryShort", ({ isShort }) => told.push(isShort));
    await pool.settled();
  });
  after(async () => {
    await pool.close();
    await factory.close();
  });

  /** Of all containers of this invoker together; gives what of it they have. */
  function limitTo(limitMB: number): number {
    const { version, folder } = factory.memoryGroup();
    const all = dirname(folder);
    const file = version === 1 ? "memory.limit_in_bytes" : "memory.max";
    writeFileSync(join(all, file), String(Math.ceil(limitMB * bytesPerMB)), { flag: "r+" });
    const { totalMB = 0, availableMB = 0 } = roomOfGroup({ version, folder: all }, amplyMB + 1) ?? {};
    return totalMB - availableMB;
  }

  async function run(lease: Lease): Promise<void> {
    if (!lease.initialised) await lease.init(frame, limits);
    const { exchange } = await lease.run("{}", limits);
    expect(exchange).to.include({ outcome: "answer", status: 200, body: '{"sum": 499500}\n' });
    await lease.release(true);
  }
  const useAtOnce = async (count: number): Promise<void> => {
    const owners = Array.from({ length: count }, (_, i) => `owner ${i}`);
    const leases = await Promise.all(owners.map((owner) => pool.lease({ kind, memoryMB, owner })));
    // One after the other: of two that would be taken at the same time one is refused.
    for (const lease of leases) await run(lease);
    await pool.settled();
  };
  const levels = (): number => pool.status().containers.filter(({ levelBytes = 0 }) => levelBytes > 0).length;

  it("lose their levels first, then the idle ones go, and what is asked of them is answered all the while", async () => {
    await useAtOnce(6);
    expect([levels(), pool.status().containers.length]).to.deep.equal([6, 6]);
    const usedMB = limitTo(amplyMB);
    expect(given).to.deep.equal([]);
    // Less is left than an eighth, but more than what any of these activations takes.
    limitTo(((usedMB - shortMB) * 8) / 7);
    const answers = (async () => {
      for (let i = 0; i < 20; i++) await run(await pool.lease({ kind, memoryMB, owner: `owner ${i % 6}` }));
    })();
    const hasIdle = await holdsWithin(patienceMs, () => given.includes("idle"));
    expect(hasIdle, JSON.stringify([given, told, pool.status().memory, usedMB])).to.equal(true);
    await answers;
    expect(await holdsWithin(patienceMs, () => levels() <= 1)).to.equal(true);
    // All but that of the one in use.
    const before = given.slice(0, given.indexOf("idle"));
    expect(before.filter((what) => what === "level")).to.have.length.of.at.least(5);
    expect(before).to.not.include.members(["stem-cell"]);
    expect(told).to.deep.equal([true]);
    const status = pool.status();
    expect(status.containers.length).to.be.below(6);
    expect(status.memory?.isShort).to.equal(true);
    await run(await pool.lease({ kind, memoryMB, owner: "another" }));
  });
});
