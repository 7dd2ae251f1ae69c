// The rows of docs/PROMISES.md: each kind of state, what is done about it, and what proves it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rung, TaintReason } from "../../restorer/index.ts";
import type { Family } from "../corpus.ts";
import type { OtherRefusal } from "./refusals.ts";

/** test/prove in the sources, seen from build/js/test/prove. */
export const proveFolder = fileURLToPath(new URL("../../../../test/prove/", import.meta.url));

/**
 * Denied: no action can change it. Put back: it equals the checkpoint again. Renewed: it must not. Replaced: the container is.
 */
export type Decision = "denied" | "put back" | "renewed" | "replaced";

export type Proof =
  /** A program of test/native/victims, rewound under every rung that the kernel has, or only under these. */
  | { readonly victim: string; readonly rungs?: readonly Rung[] }
  /** A pair of programs of test/prove/messages: one tries to leave a message, one to read it. */
  | { readonly message: string; readonly families: readonly Family[] }
  /** A program of test/prove/draws: its random numbers are different in every activation. `archive`: whose libraries it uses. */
  | { readonly draws: string; readonly families: readonly Family[]; readonly archive?: string }
  /** A look at the container from the host, of test/prove/checks.ts. */
  | { readonly check: string; readonly families: readonly Family[] }
  /** The title of a test that npm test runs. */
  | { readonly test: string };

export interface PromiseRow {
  readonly id: string;
  /** In words, for people. */
  readonly state: string;
  readonly decision: Decision;
  /** Which call is denied, where it is read and put back, or how it is noticed. */
  readonly how: string;
  /** The steps of the rewind that put it back or notice it; none where it is denied. */
  readonly steps: readonly string[];
  /** Only of what is replaced. */
  readonly reason?: TaintReason;
  /** Only of what is denied: who refuses calls of its messages besides the filter. */
  readonly alsoRefused?: readonly OtherRefusal[];
  readonly proofs: readonly Proof[];
}

export interface PromiseGroup {
  readonly group: string;
  readonly rows: readonly PromiseRow[];
}

/** How the names of programs end. */
export const endings = { nodejs: "cjs", python: "py", ruby: "rb" } as const satisfies Record<Family, string>;

/** Where the pair of programs of a message lies. */
export function messageFile(family: Family, name: string): string {
  return `${proveFolder}messages/${name}.${endings[family]}`;
}

/** All groups, in the order of their files' names. */
export function loadPromises(): readonly PromiseGroup[] {
  const folder = join(proveFolder, "promises");
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as PromiseGroup);
}
