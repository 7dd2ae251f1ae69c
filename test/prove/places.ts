// Where promises are kept besides at the base of a container that was started.

import type { GroundOptions } from "./ground.ts";
import { loadPromises, type PromiseRow } from "./promises.ts";

/** Nearest to what can go wrong: it has all that is special of the others. */
export const bothAtOnce = "at an action checkpoint of a booted container";

export const brought = "at an action checkpoint that another booted container has taken";

/** By what it is called in sentences. */
export const places: Readonly<Record<string, Partial<GroundOptions>>> = {
  "at an action checkpoint": { atLevel: true },
  "in a booted container": { isBooted: true },
  [bothAtOnce]: { atLevel: true, isBooted: true },
  [brought]: { atLevel: true, isBooted: true, isBrought: true },
  "in a container with a library": { hasLibrary: true },
  "in a booted container with a library": { hasLibrary: true, isBooted: true },
};

/** Throws where there is none of this name. */
export function placeCalled(name: string): Partial<GroundOptions> {
  const found = places[name];
  if (found === undefined)
    throw new Error(`no place is called ${name}: there are ${Object.keys(places).join(", ")}`);
  return found;
}

/** For programs that load native code, as nearly all do that prove something: it may hide a draw. */
export function ignoringDraws(options: Partial<GroundOptions>): Partial<GroundOptions> {
  return { ...options, change: (machine) => ({ ...machine, ignoresDraws: true }) };
}

/** The rows that have messages, with these proofs alone. */
export function messageRows(): readonly PromiseRow[] {
  return loadPromises()
    .flatMap(({ rows }) => rows)
    .map((row) => ({ ...row, proofs: row.proofs.filter((proof) => "message" in proof) }))
    .filter(({ proofs }) => proofs.length > 0);
}
