// Measures: what it takes to make a container apart from the start of its interpreter, which a program that only sleeps stands for:
//   from the order until it could be booted or executed ("waiting"), until the program runs ("started"), and from the order to
//   remove it until nothing of it is left ("removed"). Each of so many that are ordered at the same moment, and the last of them.
// Does not measure: interpreters, checkpoints, the pool, the invoker.
// Varies: the network; how many at once.

import { closeSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLeanFactory, type Sandbox, type SandboxFactory } from "../pool/index.ts";
import { repositoryFolder } from "../pool/lean/repository.ts";
import { nativeFolder } from "../restorer/index.ts";
import { instanceName } from "../test/system/instance.ts";
import { type Figure, fromSamples, quantile } from "./figures.ts";
import { allowForwarding } from "./forwarding.ts";

const counts = [1, 4, 16, 64] as const;
const rounds = { 1: 40, 4: 20, 16: 10, 64: 5 } as const satisfies Record<(typeof counts)[number], number>;
const kind = "python:3";
const memoryMB = 64;
const startTimeoutMs = 60_000;
/** What has been used up is made again meanwhile, and the kernel ends namespaces. */
const restMs = 400;

/** Milliseconds of one container. */
interface Times {
  readonly waiting: number;
  readonly started: number;
  readonly removed: number;
}

/** A folder that looks like the repository to the factory, whose runtime does nothing. */
function idleRepository(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-create-"));
  symlinkSync(join(repositoryFolder, "pool"), join(folder, "pool"));
  const runtime = join(folder, "runtimes/python");
  mkdirSync(runtime, { recursive: true });
  writeFileSync(join(runtime, "runtime.json"), JSON.stringify({ arguments: ["infinity"], mounts: [] }));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

async function makeOne(
  factory: SandboxFactory,
): Promise<Omit<Times, "removed"> & { readonly sandbox: Sandbox }> {
  const orderedMs = performance.now();
  let waiting = Number.NaN;
  const sandbox = await factory.create(kind, memoryMB, async ({ goFd }) => {
    waiting = performance.now() - orderedMs;
    writeSync(goFd, "!");
  });
  return { waiting, started: performance.now() - orderedMs, sandbox };
}

async function removeOne(sandbox: Sandbox): Promise<number> {
  const orderedMs = performance.now();
  for (const fd of [sandbox.channelFd, sandbox.stdoutFd, sandbox.stderrFd]) closeSync(fd);
  await sandbox.destroy();
  return performance.now() - orderedMs;
}

async function burst(factory: SandboxFactory, count: number): Promise<readonly Times[]> {
  const made = await Promise.all(Array.from({ length: count }, () => makeOne(factory)));
  const removed = await Promise.all(made.map(({ sandbox }) => removeOne(sandbox)));
  await sleep(restMs);
  return made.map(({ waiting, started }, i) => ({ waiting, started, removed: removed[i] ?? Number.NaN }));
}

function figuresOf(name: string, bursts: readonly (readonly Times[])[]): readonly Figure[] {
  const bench = "create";
  return (["waiting", "started", "removed"] as const).flatMap((step) => {
    const figure = `${name}, ${bursts[0]?.length} at once: ${step}`;
    const each = bursts.flatMap((times) => times.map((one) => one[step]));
    const last = bursts.map((times) =>
      quantile(
        times.map((one) => one[step]),
        1,
      ),
    );
    return [
      fromSamples({ bench, figure, unit: "ms" }, each),
      ...(bursts[0]?.length === 1
        ? []
        : [fromSamples({ bench, figure: `${figure}, the last`, unit: "ms" }, last)]),
    ];
  });
}

async function measure(network: "none" | "nat", repository: string): Promise<readonly Figure[]> {
  const factory = createLeanFactory({
    ...{ instance: instanceName(`create-${network}`), repository, network, startTimeoutMs },
    interpreters: [{ kind, family: "python", version: "", path: "/usr/bin/sleep" }],
    ...{ environment: {}, scratchMB: 64, launcher: `${nativeFolder}lean` },
  });
  try {
    await factory.removeLeftovers();
    const figures: Figure[] = [];
    await burst(factory, 1);
    for (const count of counts) {
      const bursts: (readonly Times[])[] = [];
      for (let round = 0; round < rounds[count]; round++) bursts.push(await burst(factory, count));
      figures.push(...figuresOf(network, bursts));
    }
    return figures;
  } finally {
    await factory.close();
  }
}

export async function create(): Promise<readonly Figure[]> {
  const { folder, remove } = idleRepository();
  const putBack = allowForwarding();
  try {
    return [...(await measure("none", folder)), ...(await measure("nat", folder))];
  } finally {
    putBack();
    remove();
  }
}
