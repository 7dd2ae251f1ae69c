// The library sets that there are: the operator's, and those that are learnt from what jobs ask for.

import { chooseSets, Demand } from "./demand.ts";
import { baseOf, cellsOf, nameOf, RefusedSets, suiting } from "./libraries.ts";
import type { Job, LibrarySet, PoolSettings, StemCell } from "./types.ts";

/** Of each set that is learnt; what an action has that states no memory. */
const learntSetMB = 256;

export class LibrarySets {
  readonly refused = new RefusedSets();
  readonly #given: readonly LibrarySet[];
  readonly #most: number;
  readonly #nowMs: () => number;
  readonly #demand = new Demand();
  readonly #importMs = new Map<string, number>();
  #learnt: readonly LibrarySet[] = [];
  #isRestrained: boolean = false;

  constructor(
    { libraries, learntMemoryMB }: Pick<PoolSettings, "libraries" | "learntMemoryMB">,
    nowMs: () => number,
  ) {
    this.#given = libraries;
    this.#most = Math.floor(learntMemoryMB / learntSetMB);
    this.#nowMs = nowMs;
  }

  /** True: `learn` may change what there is. */
  get isLearning(): boolean {
    return this.#most > 0;
  }

  get cells(): readonly StemCell[] {
    return cellsOf(this.#all);
  }

  /** The sets that a job may meet, the best first, and the one to make a container with. */
  of(job: Job): { readonly libraries: readonly string[]; readonly making?: string | undefined } {
    const libraries = suiting(this.#all, job);
    const { kind } = job;
    return {
      libraries,
      making: libraries.find((name) => !this.#isRefused(baseOf({ kind, libraries: name }))),
    };
  }

  /** True: it has libraries that the operator has not asked for. */
  isLearnt({ kind, libraries }: { readonly kind: string; readonly libraries?: string | undefined }): boolean {
    return (
      libraries !== undefined && !this.#given.some((set) => set.kind === kind && nameOf(set) === libraries)
    );
  }

  /** For want of memory: none are held that were learnt, until the next call. What jobs ask for is counted all the same. */
  restrain(isRestrained: boolean): void {
    this.#isRestrained = isRestrained;
    if (isRestrained) this.#learnt = [];
  }

  /** A job has come. */
  note({ kind, image, imports }: Job): void {
    if (this.isLearning && image === undefined && imports !== undefined)
      this.#demand.note(kind, imports, this.#nowMs());
  }

  /** A container of this base has been made, whose import took so long. */
  measured(base: string, importMs: number): void {
    if (this.isLearning) this.#importMs.set(base, importMs);
  }

  /** Decides anew. Of what nobody knows the price of, one at a time is tried. True: something has changed. */
  learn(): boolean {
    if (this.#isRestrained) return false;
    const asked = this.#demand.of(this.#nowMs());
    const known = new Set([...asked.map(({ base }) => base), ...this.#given.map(baseOfSet)]);
    for (const base of this.#importMs.keys()) if (!known.has(base)) this.#importMs.delete(base);
    const facts = {
      ...{ asked, importMs: this.#importMs, isRefused: (base: string) => this.#isRefused(base) },
      ...{ held: new Set(this.#all.map(baseOfSet)), given: this.#given },
    };
    const chosen = chooseSets(facts, this.#most, learntSetMB);
    const tried = chosen.find((set) => !this.#importMs.has(baseOfSet(set)));
    const next = chosen.filter((set) => set === tried || this.#importMs.has(baseOfSet(set)));
    const before = this.#learnt.map(baseOfSet).join();
    this.#learnt = next;
    return next.map(baseOfSet).join() !== before;
  }

  get #all(): readonly LibrarySet[] {
    return [...this.#given, ...this.#learnt];
  }

  #isRefused(base: string): boolean {
    return this.refused.isHeldBack(base, this.#nowMs());
  }
}

function baseOfSet(set: Pick<LibrarySet, "kind" | "modules">): string {
  return baseOf({ kind: set.kind, libraries: nameOf(set) });
}
