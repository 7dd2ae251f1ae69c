// What a workload works with: the plan, the kind, and both endpoints.

import type { Family } from "../programs.ts";
import type { Part } from "./call.ts";
import type { Comparison, Planned } from "./comparison.ts";

/** How much of everything. */
export interface Plan {
  readonly parts: readonly Part[];
  /** First calls of each kind, and calls again; a fifth of it for each size and each package. */
  readonly calls: number;
  /** Distinct actions of the mixed load, and of the last step of the throughput. */
  readonly actions: number;
  readonly sizes: readonly CodeSize[];
  readonly packages: readonly { readonly family: Family; readonly name: string }[];
  /** Calls under way at the same time in the mixed load and for the throughput. */
  readonly inFlight: number;
  readonly burst: number;
  readonly passes: number;
  /** Of the throughput. */
  readonly passMs: number;
  readonly seed: number;
}

export interface CodeSize {
  /** As people write it, such as `100k`. */
  readonly text: string;
  readonly bytes: number;
}

/** One part, for one kind. */
export interface Scene {
  readonly plan: Plan;
  readonly kind: string;
  readonly family: Family;
  readonly comparison: Comparison;
}

/** Names of actions of one sort, which are created on both sides. */
export async function putMany(
  { comparison, kind }: Scene,
  sort: string,
  codes: readonly string[],
): Promise<readonly string[]> {
  const stem = `${sort}-${kind}`.replaceAll(/[^A-Za-z0-9-]/g, "-");
  const drafts = codes.map((code, i) => ({ name: `${stem}-${i}`, kind, code }));
  await comparison.put(drafts);
  return drafts.map(({ name }) => name);
}

/** Letters beyond ASCII go in and come back. */
export function planned(action: string, i: number): Planned {
  return { action, args: { name: `call ${i} ÿ€😀` } };
}

/** From 0 on. */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
