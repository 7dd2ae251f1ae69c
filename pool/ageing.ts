// How long a container serves: address layout, hash seeds and stack canaries are as old as its process, whatever is rewound.

import type { PoolSettings } from "./types.ts";

/** Young: serves. Due: a successor is made for it, if there is room. Worn: has no more jobs. */
export type Age = "young" | "due" | "worn";

type Limits = Pick<PoolSettings, "usesBeforeRetirement" | "ageBeforeRetirementMs">;

/** Each container's limits are this share of the settings', or more. */
const leastShare = 0.92;
/** How long before its end, as a share of the settings, a container is due. */
const notice = 0.02;
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** From 0 to 1. Of numbers in sequence, any few lie far apart: containers born together do not retire together. */
function spread(id: number): number {
  return (id * goldenRatio) % 1;
}

export function ageOf(
  container: { readonly id: number; readonly uses: number; readonly bornMs: number },
  nowMs: number,
  limits: Limits,
): Age {
  const used = container.uses / limits.usesBeforeRetirement;
  const lived = (nowMs - container.bornMs) / limits.ageBeforeRetirementMs;
  const wear = Math.max(used, lived);
  const end = leastShare + (1 - leastShare) * spread(container.id);
  if (wear >= end) return "worn";
  return wear >= end - notice ? "due" : "young";
}
