// Which library sets are worth their memory: by how often they have been asked for of late, and how long their import takes.

import { baseOf, longestModuleName, nameOf } from "./libraries.ts";
import type { LibrarySet } from "./types.ts";

/** What actions import: these very modules, and no others. */
export interface Asked {
  readonly kind: string;
  readonly modules: ReadonlySet<string>;
  readonly base: string;
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
  const { asked, isRefused, given, held, importMs } = facts;
  const givenBases = new Set(given.map((set) => baseOf({ kind: set.kind, libraries: nameOf(set) })));
  /** Of each who asks, by what is chosen so far. */
  const sparedMs = asked.map(({ kind, modules }) =>
    Math.max(
      0,
      ...given
        .filter((set) => set.kind === kind && set.modules.every((one) => modules.has(one)))
        .map((set) => importMs.get(baseOf({ kind, libraries: nameOf(set) })) ?? believedMs),
    ),
  );
  let candidates = asked
    .filter(({ base }) => !isRefused(base) && !givenBases.has(base))
    .map((one) => ({ ...one, ms: importMs.get(one.base) ?? believedMs, served: servedBy(one, asked) }));
  const chosen: LibrarySet[] = [];
  while (chosen.length < most) {
    let best: { readonly one: (typeof candidates)[number]; readonly weight: number } | undefined;
    for (const one of candidates) {
      const gainMs = one.served.reduce(
        (sum, index) => sum + (asked[index]?.times ?? 0) * Math.max(0, one.ms - (sparedMs[index] ?? 0)),
        0,
      );
      const weight = held.has(one.base) ? gainMs * loyalty : gainMs;
      if (gainMs >= leastSparedMs && weight > (best?.weight ?? 0)) best = { one, weight };
    }
    if (best === undefined) break;
    const { one } = best;
    for (const index of one.served) sparedMs[index] = Math.max(sparedMs[index] ?? 0, one.ms);
    chosen.push({ kind: one.kind, modules: [...one.modules], count: 1, memoryMB });
    candidates = candidates.filter((other) => other !== one);
  }
  return chosen;
}

/** The places of those in `asked` who ask for all modules of a set. */
function servedBy({ kind, modules }: Asked, asked: readonly Asked[]): readonly number[] {
  const wanted = [...modules];
  return asked.flatMap((other, index) =>
    other.kind === kind && wanted.every((one) => other.modules.has(one)) ? [index] : [],
  );
}

/** In this time what was asked for comes to count for half. */
const halfLifeMs = 600_000;
/** Different imports that are remembered. */
const rememberedMax = 100;
/** More modules than this nobody imports for good. */
const modulesMax = 20;
/** A module of Python's, a package of Node's or a file in one: what is found wherever the container's own files are. */
const importable = /^(?:@\w[\w.-]*\/)?\w[\w.-]*(?:\/\w[\w.-]*)*$/;

/** Inherited: of the times, those that may have been another's. */
interface Counted extends Asked {
  readonly inherited: number;
  readonly sinceMs: number;
}

/** What has been asked for of late. */
export class Demand {
  readonly #asked = new Map<string, Counted>();

  note(kind: string, imports: readonly string[], nowMs: number): void {
    if (imports.length === 0 || imports.length > modulesMax) return;
    if (!imports.every((name) => name.length <= longestModuleName && importable.test(name))) return;
    const modules = [...new Set(imports)].sort((one, other) => (one < other ? -1 : 1));
    const base = baseOf({ kind, libraries: nameOf({ modules }) });
    const known = this.#asked.get(base);
    const before = known === undefined ? this.#forgetLeast(nowMs) : timesAt(known, known.times, nowMs);
    this.#asked.set(base, {
      ...{ kind, base, modules: known?.modules ?? new Set(modules), times: before + 1, sinceMs: nowMs },
      inherited: known === undefined ? before : timesAt(known, known.inherited, nowMs),
    });
  }

  of(nowMs: number): readonly Asked[] {
    return Array.from(this.#asked.values(), (one) => ({
      ...{ kind: one.kind, modules: one.modules, base: one.base },
      times: timesAt(one, one.times - one.inherited, nowMs),
    }));
  }

  /**
   * Where there is no more room what counts least goes, and who comes inherits its times: so whoever is asked for often stays, or comes to
   * stay, however many others are asked for once each. What is inherited counts for nothing else.
   */
  #forgetLeast(nowMs: number): number {
    if (this.#asked.size < rememberedMax) return 0;
    let [least, leastTimes] = ["", Number.POSITIVE_INFINITY];
    for (const one of this.#asked.values()) {
      const times = timesAt(one, one.times, nowMs);
      if (times < leastTimes) [least, leastTimes] = [one.base, times];
    }
    this.#asked.delete(least);
    return leastTimes;
  }
}

function timesAt({ sinceMs }: Pick<Counted, "sinceMs">, times: number, nowMs: number): number {
  return times * 2 ** ((sinceMs - nowMs) / halfLifeMs);
}
