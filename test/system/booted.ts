// Has a pool of one container replace it by one that is booted from its checkpoint, and sees that it is.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { holdsWithin } from "../within.ts";
import type { RealInvoker } from "./real-invoker.ts";
import { runtimeOf } from "./runtime-process.ts";

/** How a container has come to be. */
export const waysOfMaking = ["started", "booted"] as const;
export type Way = (typeof waysOfMaking)[number];

const startMs = 60_000;

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

/** The pool's setting `boots` must be on. Leaves one taint behind. */
export async function replaceByBooted(real: RealInvoker): Promise<void> {
  const first = runtimeOf(startedContainers(real).at(-1) ?? "");
  const stack = stackOf(first);
  process.kill(first, "SIGKILL");
  expect(await holdsWithin(startMs, () => startedContainers(real).length === 2)).to.equal(true);
  expect(stackOf(runtimeOf(startedContainers(real).at(-1) ?? ""))).to.equal(stack);
}
