// Measures: what it takes to make a container apart from the start of its interpreter, which a program that only sleeps stands for:
//   from the order until it could be booted or executed ("waiting"), until the program runs ("started"), from the order to remove
//   it until nothing of it is left ("removed"), and from there until as much has been made ahead again as there was ("restored").
//   Each of so many that are ordered at the same moment; "restored" of all of them.
// Does not measure: interpreters, checkpoints, the pool, the invoker.
// Varies: the network; what is made ahead: nothing, as many networks as are wanted at once, as many containers; how many at once.

import { closeSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLeanFactory, type Sandbox, type SandboxFactory } from "../pool/index.ts";
import { repositoryFolder } from "../pool/lean/repository.ts";
import { nativeFolder } from "../restorer/index.ts";
import { instanceName } from "../test/system/instance.ts";
import { type Figure, fromSamples } from "./figures.ts";
import { allowForwarding } from "./forwarding.ts";

const roundsOf: ReadonlyMap<number, number> = new Map([
  [1, 30],
  [16, 6],
  [64, 4],
]);
const kind = "python:3";
const memoryMB = 64;
const startTimeoutMs = 60_000;
const lookMs = 1;

const networks = ["none", "nat"] as const;
const ways = {
  "nothing ahead": () => ({ networksAhead: 0, containersAhead: 0 }),
  "networks ahead": (count: number) => ({ networksAhead: count, containersAhead: 0 }),
  "containers ahead": (count: number) => ({ networksAhead: 16, containersAhead: count }),
} as const;
const steps = ["waiting", "started", "removed"] as const;

/** Milliseconds of one container. */
type Times = Record<(typeof steps)[number], number>;

interface Way {
  readonly name: string;
  readonly factory: SandboxFactory;
  readonly each: Times[];
  readonly restored: number[];
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
): Promise<{ readonly sandbox: Sandbox; readonly times: Times }> {
  const orderedMs = performance.now();
  let waiting = Number.NaN;
  const sandbox = await factory.create(kind, memoryMB, async (place) => {
    waiting = performance.now() - orderedMs;
    const { goFd } = "wait" in place ? await place.wait() : place;
    writeSync(goFd, "!");
  });
  return { sandbox, times: { waiting, started: performance.now() - orderedMs, removed: Number.NaN } };
}

async function removeOne(sandbox: Sandbox): Promise<number> {
  const orderedMs = performance.now();
  for (const fd of [sandbox.channelFd, sandbox.stdoutFd, sandbox.stderrFd]) closeSync(fd);
  await sandbox.destroy();
  return performance.now() - orderedMs;
}

/** Nothing is being made or looked at: what there is has not changed for a while. */
async function restored(factory: SandboxFactory): Promise<number> {
  const sinceMs = performance.now();
  let [lastMs, last] = [sinceMs, ""];
  while (performance.now() - lastMs < 300) {
    const now = JSON.stringify(factory.ahead());
    if (now !== last) [lastMs, last] = [performance.now(), now];
    await sleep(lookMs);
  }
  return lastMs - sinceMs;
}

async function burst({ factory, each, restored: again }: Way, count: number): Promise<void> {
  const made = await Promise.all(Array.from({ length: count }, () => makeOne(factory)));
  const removed = await Promise.all(made.map(({ sandbox }) => removeOne(sandbox)));
  each.push(...made.map(({ times }, i) => ({ ...times, removed: removed[i] ?? Number.NaN })));
  again.push(await restored(factory));
}

function figuresOf({ name, each, restored: again }: Way, count: number): readonly Figure[] {
  const named = (step: string) => ({
    bench: "create",
    figure: `${name}, ${count} at once: ${step}`,
    unit: "ms",
  });
  return [
    ...steps.map((step) =>
      fromSamples(
        named(step),
        each.map((times) => times[step]),
      ),
    ),
    fromSamples(named("restored"), again),
  ];
}

/** All ways in turn. */
async function measure(repository: string, count: number, rounds: number): Promise<readonly Figure[]> {
  const measured: Way[] = [];
  try {
    for (const network of networks)
      for (const [way, ahead] of Object.entries(ways)) {
        const name = `${network}, ${way}`;
        const factory = createLeanFactory({
          ...{
            instance: instanceName(`create-${name.replaceAll(/\W+/g, "-")}`),
            repository,
            network,
            startTimeoutMs,
          },
          interpreters: [{ kind, family: "python", version: "", path: "/usr/bin/sleep" }],
          ...{ environment: {}, scratchMB: 64, launcher: `${nativeFolder}lean`, ...ahead(count) },
        });
        measured.push({ name, factory, each: [], restored: [] });
        await factory.removeLeftovers();
        await removeOne((await makeOne(factory)).sandbox);
        await restored(factory);
      }
    for (let round = 0; round < rounds; round++) for (const way of measured) await burst(way, count);
    return measured.flatMap((way) => figuresOf(way, count));
  } finally {
    for (const { factory } of measured) await factory.close();
  }
}

export async function create(): Promise<readonly Figure[]> {
  const { folder, remove } = idleRepository();
  const putBack = allowForwarding();
  try {
    const figures: Figure[] = [];
    for (const [count, rounds] of roundsOf) figures.push(...(await measure(folder, count, rounds)));
    return figures;
  } finally {
    putBack();
    remove();
  }
}
