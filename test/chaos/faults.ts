// Injects faults, and what follows each: the repair, and how long it takes until activations are answered again.

import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../within.ts";
import type { Blow, Fault } from "./plan.ts";
import type { World } from "./world.ts";

/** What is later than this is no recovery, however busy the machine. */
const recoveryLimitMs = 120_000;

/** Injects and repairs all faults of a blow, and waits until activations are answered again. Gives one line of text. */
export async function strike(world: World, { calmMs, faults }: Blow): Promise<string> {
  await sleep(calmMs);
  const told = await Promise.all(
    faults.map(async ({ afterMs, fault }) => {
      await sleep(afterMs);
      return await injectAndRepair(world, fault);
    }),
  );
  const repairedMs = performance.now();
  await within(recoveryLimitMs, async () => (world.isHealthy() && (await world.load.probe())) || undefined);
  const backMs = performance.now() - repairedMs;
  return `${told.join(" + ")}: answering again ${seconds(backMs)} after the repair`;
}

/** Gives what was done, in words. */
async function injectAndRepair(world: World, fault: Fault): Promise<string> {
  const { servers, lives } = world;
  const startMs = performance.now();
  const { target, kind, forMs } = fault;
  if (kind === "cut" || kind === "slow") {
    const gate = servers.gates[target];
    if (kind === "cut") gate.cut();
    else gate.delay(fault.delayMs);
    await sleep(forMs);
    if (kind === "cut") gate.mend();
    else gate.delay(0);
    return kind === "cut"
      ? `way to ${target} cut for ${seconds(forMs)}`
      : `way to ${target} ${fault.delayMs} ms longer for ${seconds(forMs)}`;
  }
  if (target === "invoker") {
    await lives.end(kind === "kill" ? "killed" : "drained");
    await sleep(forMs);
    lives.start();
  } else {
    await servers.kill(target);
    await sleep(forMs);
    await servers.restart(target);
  }
  const verb = kind === "kill" ? "killed" : "ended in order";
  return `${target} ${verb}, started again within ${seconds(performance.now() - startMs)}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
