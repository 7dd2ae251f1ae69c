// The ways in which a pool of one container can have come by it: started, with libraries in its base, or booted from another's checkpoint.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { KeyValue, PoolSettings, StemCell } from "../../invoker/index.ts";
import type { Family } from "../../pool/index.ts";
import { holdsWithin } from "../within.ts";
import { RealInvoker } from "./real-invoker.ts";
import { runtimeOf } from "./runtime-process.ts";

/** How a container has come to be. */
export const waysOfMaking = ["started", "booted"] as const;
export type Way = (typeof waysOfMaking)[number] | "started with libraries" | "booted from disk";

/** There wherever the interpreter is, and no part of any base without libraries. */
export const ownLibrary: { readonly [family in Family]?: string } = {
  nodejs: "express",
  python: "unittest.mock",
};

/** Of all actions that are run in such a container. */
const leastMB = 128;

/** With libraries too, where containers of the family can have some. */
export function waysOf(family: Family): readonly Way[] {
  return ownLibrary[family] === undefined ? waysOfMaking : [...waysOfMaking, "started with libraries"];
}

/** A pool's settings for containers that come to be so; of those that are to be booted one has to be replaced then. */
export function madeSo(
  way: Way,
  family: Family,
  cell: StemCell,
): Pick<PoolSettings, "boots" | "stemCells" | "libraries"> {
  const made = { boots: way.startsWith("booted"), stemCells: [cell], libraries: [] };
  if (way !== "started with libraries") return made;
  return {
    ...made,
    stemCells: [],
    libraries: [{ ...cell, memoryMB: leastMB, modules: [ownLibrary[family] ?? ""] }],
  };
}

/** By which an action asks for the libraries of such containers. */
export function askingSo(way: Way, family: Family): { readonly annotations?: readonly KeyValue[] } {
  if (way !== "started with libraries") return {};
  return { annotations: [{ key: "libraries", value: [ownLibrary[family] ?? ""] }] };
}

const startMs = 60_000;

/** A pool of one container, that `madeSo` is for, booted from what a pool before it has left on disk: nothing of that one is left else. */
export async function bootedFromDisk(pool: Partial<PoolSettings>): Promise<RealInvoker> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-templates-"));
  const start = (): Promise<RealInvoker> =>
    RealInvoker.start(pool, "from-disk", undefined, 1, {}, undefined, folder);
  try {
    const former = await start();
    const isKept = (): boolean => readdirSync(folder).some((name) => name.endsWith(".template"));
    expect(await holdsWithin(startMs, isKept)).to.equal(true);
    await former.stop();
    const real = await start();
    expect(await real.metric('rewhisk_stored_templates_total{result="loaded"}')).to.equal(1);
    expect(await real.metric('rewhisk_containers_made_total{how="started"}')).to.equal(0);
    return real;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In the order of their starts. */
function startedContainers(real: RealInvoker): string[] {
  return real.lines
    .map((line) => JSON.parse(line) as { event: string; container?: string })
    .filter(({ event }) => event === "container-started")
    .map(({ container = "" }) => container);
}

/** Where chance has put the stack of a runtime. */
const stackOf = (pid: number): string | undefined =>
  /^.*(?= +\[stack\]$)/m.exec(readFileSync(`/proc/${pid}/maps`, "latin1"))?.[0];

/** Has a pool of one container, which `madeSo` is for, have the one that is wanted. Booted, it leaves one taint behind. */
export async function makeSo(real: RealInvoker, way: Way): Promise<void> {
  if (way === "booted") await replaceByBooted(real);
  if (way !== "started with libraries") return;
  const libraries = real.invoker.status().pool.containers.map((container) => container.libraries);
  expect(libraries.filter((one) => one !== undefined)).to.have.lengthOf(1);
}

async function replaceByBooted(real: RealInvoker): Promise<void> {
  const first = runtimeOf(startedContainers(real).at(-1) ?? "");
  const stack = stackOf(first);
  process.kill(first, "SIGKILL");
  expect(await holdsWithin(startMs, () => startedContainers(real).length === 2)).to.equal(true);
  expect(stackOf(runtimeOf(startedContainers(real).at(-1) ?? ""))).to.equal(stack);
}
