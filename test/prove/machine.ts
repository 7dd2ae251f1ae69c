// What this machine has to prove promises with: rungs, and runtimes.

import { findInterpreters, probe, type Rung } from "../../pool/index.ts";
import type { Family } from "../corpus.ts";

export type { Rung };

/** The kinds in which messages and random numbers are tried, by family. */
export type Kinds = Readonly<Record<Family, readonly string[]>>;

/** Says of the others why they are not. */
export async function rungsProven(): Promise<readonly Rung[]> {
  const { rungs } = await probe();
  for (const { rung, proven, why } of rungs)
    console.log(`rung ${rung}: ${proven ? "proven" : `not on this kernel (${why})`}`);
  return rungs.filter(({ proven }) => proven).map(({ rung }) => rung);
}

/** One kind of each interpreter. */
export async function kindsFound(): Promise<Kinds> {
  const paths = new Set<string>();
  const different = (await findInterpreters()).filter(({ path }) => !paths.has(path) && paths.add(path));
  const kindsOf = (wanted: Family): readonly string[] =>
    different.filter(({ family }) => family === wanted).map(({ kind }) => kind);
  return { nodejs: kindsOf("nodejs"), python: kindsOf("python"), ruby: kindsOf("ruby") };
}
