// Which library sets are worth their memory: by how often they have been asked for of late, and how long their import takes.

import { baseOf, nameOf } from "./libraries.ts";
import type { LibrarySet } from "./types.ts";

/** What actions import: these very modules, and no others. */
export interface Asked {
  readonly kind: string;
  readonly modules: readonly string[];
  /** Activations, those of long ago for less. */
  readonly times: number;
}

/** Of a set that nobody has imported yet it is believed until it is tried. */
const believedMs = 50;
/** A set is tried, or kept, where it spares so much for each activation that is counted, all of them together. */
const leastSparedMs = 200;
/** What is there already is given up only for what spares half as much again. */
const loyalty = 1.5;

export interface Facts {
  readonly asked: readonly Asked[];
  /** How long the import takes, by base, of sets that have been imported. */
  readonly importMs: ReadonlyMap<string, number>;
  /** Bases that cannot be had at present. */
  readonly isRefused: (base: string) => boolean;
  /** The bases that there are; the operator's too. */
  readonly held: ReadonlySet<string>;
  /** The operator's, which serve whoever asks for all of them. */
  readonly given: readonly LibrarySet[];
}

/**
 * The sets to hold, `most` of them: one after the other the one that spares most beside those that are held then. A set serves all
 * who ask for its modules and more, so a small one beside a large one that extends it is held where enough ask for that alone.
 */
export function chooseSets(facts: Facts, most: number, memoryMB: number): readonly LibrarySet[] {
  const { asked, isRefused, given, held } = facts;
  const candidates = asked
    .map(({ kind, modules }) => ({ kind, modules, count: 1, memoryMB }))
    .filter((set) => !isRefused(baseOfSet(set)) && !given.some((one) => baseOfSet(one) === baseOfSet(set)));
  const chosen: LibrarySet[] = [];
  while (chosen.length < most) {
    const before = sparedMs([...given, ...chosen], facts);
    const gains = candidates
      .filter((set) => !chosen.includes(set))
      .map((set) => {
        const gainMs = sparedMs([...given, ...chosen, set], facts) - before;
        return { set, gainMs, weight: held.has(baseOfSet(set)) ? gainMs * loyalty : gainMs };
      })
      .filter(({ gainMs }) => gainMs >= leastSparedMs);
    const best = gains.reduce<(typeof gains)[number] | undefined>(
      (one, other) => (one === undefined || other.weight > one.weight ? other : one),
      undefined,
    );
    if (best === undefined) break;
    chosen.push(best.set);
  }
  return chosen;
}

function baseOfSet(set: LibrarySet): string {
  return baseOf({ kind: set.kind, libraries: nameOf(set) });
}

/** All activations that are counted: each has the set that spares most of those of which it asks for all. */
function sparedMs(sets: readonly LibrarySet[], { asked, importMs }: Facts): number {
  return asked.reduce((sum, { kind, modules, times }) => {
    const fitting = sets.filter(
      (set) => set.kind === kind && set.modules.every((one) => modules.includes(one)),
    );
    const spared = fitting.map((set) => importMs.get(baseOfSet(set)) ?? believedMs);
    return sum + times * Math.max(0, ...spared);
  }, 0);
}

/** In this time what was asked for comes to count for half. */
const halfLifeMs = 600_000;
/** Different imports that are remembered; those that count least are forgotten. */
const rememberedMax = 100;
/** More modules than this nobody imports for good. */
const modulesMax = 20;
/** A module of Python's, a package of Node's or a file in one: what is found wherever the container's own files are. */
const importable = /^(?:@\w[\w.-]*\/)?\w[\w.-]*(?:\/\w[\w.-]*)*$/;

/** What has been asked for of late. */
export class Demand {
  readonly #asked = new Map<string, Asked & { readonly sinceMs: number }>();

  note(kind: string, imports: readonly string[], nowMs: number): void {
    if (imports.length === 0 || imports.length > modulesMax) return;
    if (!imports.every((name) => importable.test(name))) return;
    const modules = [...new Set(imports)].sort((one, other) => (one < other ? -1 : 1));
    const base = baseOf({ kind, libraries: nameOf({ modules }) });
    this.#asked.set(base, { kind, modules, times: this.#timesOf(base, nowMs) + 1, sinceMs: nowMs });
    if (this.#asked.size > rememberedMax) this.#forget(nowMs);
  }

  of(nowMs: number): readonly Asked[] {
    return Array.from(this.#asked, ([base, { kind, modules }]) => ({
      ...{ kind, modules, times: this.#timesOf(base, nowMs) },
    }));
  }

  #timesOf(base: string, nowMs: number): number {
    const { times, sinceMs } = this.#asked.get(base) ?? { times: 0, sinceMs: nowMs };
    return times * 2 ** ((sinceMs - nowMs) / halfLifeMs);
  }

  #forget(nowMs: number): void {
    const [least] = [...this.#asked.keys()].sort((a, b) => this.#timesOf(a, nowMs) - this.#timesOf(b, nowMs));
    if (least !== undefined) this.#asked.delete(least);
  }
}
