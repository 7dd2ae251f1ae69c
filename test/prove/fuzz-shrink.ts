// From programs after which something is different to the fewest steps, with the smallest numbers, that still show it.

import type { Call, FuzzProgram } from "./fuzz-program.ts";

/** True where it still shows after these programs in a fresh container. */
export type Shows = (programs: readonly FuzzProgram[]) => Promise<boolean>;

/** A step, and the place of its program among the others. */
interface Placed {
  readonly at: number;
  readonly call: Call;
}

function programsOf(placed: readonly Placed[]): readonly FuzzProgram[] {
  const found: Call[][] = [];
  let last: number | undefined;
  for (const { at, call } of placed) {
    if (at !== last) found.push([]);
    found.at(-1)?.push(call);
    last = at;
  }
  return found;
}

/** Delta debugging (Zeller, ddmin): leaves out ever smaller pieces, until no single step can be missed. */
async function fewest(placed: readonly Placed[], shows: Shows): Promise<readonly Placed[]> {
  let left = placed;
  for (let pieces = 2; left.length > 1; ) {
    const length = Math.ceil(left.length / pieces);
    let smaller: readonly Placed[] | undefined;
    for (let from = 0; from < left.length && smaller === undefined; from += length) {
      const rest = [...left.slice(0, from), ...left.slice(from + length)];
      if (await shows(programsOf(rest))) smaller = rest;
    }
    if (smaller === undefined && length === 1) return left;
    pieces = smaller === undefined ? pieces * 2 : Math.max(pieces - 1, 2);
    left = smaller ?? left;
  }
  return left;
}

/** Each number 0, or else half of what it was. */
async function smallest(placed: readonly Placed[], shows: Shows): Promise<readonly Placed[]> {
  let left = placed;
  for (let i = 0; i < left.length; i++) {
    for (const which of [1, 2] as const) {
      const { at, call } = left[i] as Placed;
      for (const value of new Set([0, call[which] >> 1])) {
        const tried = call.with(which, value) as unknown as Call;
        const next = left.with(i, { at, call: tried });
        if (value === call[which] || !(await shows(programsOf(next)))) continue;
        left = next;
        break;
      }
    }
  }
  return left;
}

/** `programs` must show it themselves. */
export async function shrink(
  programs: readonly FuzzProgram[],
  shows: Shows,
): Promise<readonly FuzzProgram[]> {
  const placed = programs.flatMap((program, at) => program.map((call) => ({ at, call })));
  return programsOf(await smallest(await fewest(placed, shows), shows));
}
