// Library sets: what containers of a kind have imported before their checkpoint is taken, and for which jobs they are.

import type { Job, LibrarySet, StemCell } from "./types.ts";

/** A longer name nobody asks for. */
export const longestModuleName = 100;

/** Why there are no containers with these libraries, for a while (docs/TROUBLESHOOTING.md). */
export type LibraryRefusal =
  | "missing"
  | "failed"
  | "randomness"
  | "ended"
  | "memory"
  | "late"
  | "processes"
  | "sockets"
  | "files"
  | "not-quiescent"
  | "unsupported"
  | "system";
const refusals = {
  ...{ missing: true, failed: true, randomness: true, ended: true, memory: true, late: true },
  ...{ processes: true, sockets: true, files: true, "not-quiescent": true, unsupported: true, system: true },
} as const satisfies Record<LibraryRefusal, true>;

/** All of them, for metrics that show each from the start. */
export const libraryRefusals = Object.keys(refusals) as readonly LibraryRefusal[];

/** Why a container could not have its libraries. */
export class LibraryError extends Error {
  readonly code: LibraryRefusal;
  constructor(code: LibraryRefusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LibraryError";
    this.code = code;
  }
}

const separator = "+";

/** By which orders and containers name a set. */
export function nameOf({ modules }: Pick<LibrarySet, "modules">): string {
  return modules.join(separator);
}

export function modulesOf(libraries: string): readonly string[] {
  return libraries.split(separator);
}

/** What containers have the same base by: the kind, and what is imported. */
export function baseOf({
  kind,
  libraries,
}: {
  readonly kind: string;
  readonly libraries?: string | undefined;
}): string {
  return libraries === undefined ? kind : `${kind} with ${libraries}`;
}

/** The containers to be kept at the ready. */
export function cellsOf(sets: readonly LibrarySet[]): readonly StemCell[] {
  return sets.map((set) => ({ ...set, libraries: nameOf(set) }));
}

/** The sets of which the job asks for every module, the larger ones first. */
export function suiting(
  sets: readonly LibrarySet[],
  { kind, image, memoryMB, modules: asked }: Pick<Job, "kind" | "image" | "memoryMB" | "modules">,
): readonly string[] {
  if (asked === undefined || image !== undefined) return [];
  return sets
    .filter((set) => set.kind === kind && set.memoryMB <= memoryMB)
    .filter(({ modules }) => modules.every((one) => asked.has(one)))
    .sort((one, other) => other.modules.length - one.modules.length)
    .map(nameOf);
}

/** So long a set that was refused is not tried again: it takes a start, and what it needs may have come meanwhile. */
const refusedForMs = 600_000;

/** Until when sets are refused, by their bases. */
export class RefusedSets {
  readonly #untilMs = new Map<string, number>();

  refuse(base: string, nowMs: number): void {
    for (const [other, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(other);
    this.#untilMs.set(base, nowMs + refusedForMs);
  }

  isHeldBack(base: string, nowMs: number): boolean {
    return nowMs < (this.#untilMs.get(base) ?? 0);
  }

  /** That are remembered. */
  get size(): number {
    return this.#untilMs.size;
  }

  /** Milliseconds until the first may be tried again; undefined when none is refused. */
  nextTryInMs(nowMs: number): number | undefined {
    const waits = [...this.#untilMs.values()]
      .map((untilMs) => untilMs - nowMs)
      .filter((waitMs) => waitMs > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }
}
