// A step that is left out must break a promise that names it.

import { type Rung, rungsProven } from "./machine.ts";
import { loadPromises, type PromiseRow } from "./promises.ts";
import { Prover } from "./rows.ts";
import { stepNames, without } from "./steps.ts";

/** What some notice is partly chance, such as on which CPU a victim goes on: one in sixty has missed the CPU's number. */
const tries = 5;

/** Those that name the step first: they are the ones that should notice. */
function rowsFor(step: string): readonly PromiseRow[] {
  const rows = loadPromises().flatMap((group) => group.rows);
  const claims = (row: PromiseRow): boolean => row.steps.includes(step);
  const named = rows.filter(claims);
  return [...Array.from({ length: tries }, () => named).flat(), ...rows.filter((row) => !claims(row))];
}

/** The first row that notices that the step is left out, and what it says. */
async function catchWithout(
  step: string,
  rungs: readonly Rung[],
): Promise<{ row: PromiseRow; complaint: string } | undefined> {
  return await without(step, async (ground) => {
    const prover = await Prover.open({ rungs, ground });
    try {
      for (const row of rowsFor(step)) {
        for await (const complaint of prover.complaints(row)) return { row, complaint };
      }
      return undefined;
    } finally {
      await prover.close();
    }
  });
}

/** Prints the promise that is broken. True: nothing notices. */
export async function proveWithout(step: string): Promise<boolean> {
  const caught = await catchWithout(step, await rungsProven());
  if (caught === undefined) {
    console.log(`Nothing notices that ${step} is left out.`);
    return true;
  }
  console.log(`Without ${step} this promise is broken:\n  ${caught.row.state}\n    ${caught.complaint}`);
  return false;
}

/** Prints a line for each step. True: each is missed by a promise that names it. */
export async function proveEachStep(): Promise<boolean> {
  const rungs = await rungsProven();
  let unnoticed = 0;
  for (const step of stepNames()) {
    const sinceMs = performance.now();
    const caught = await catchWithout(step, rungs);
    const what = caught === undefined ? "nothing" : `${caught.row.id}: ${caught.complaint}`;
    const isMissed = caught?.row.steps.includes(step) === true;
    if (!isMissed) unnoticed++;
    const tookS = ((performance.now() - sinceMs) / 1000).toFixed(1);
    console.log(
      `${step.padEnd(20)} ${tookS.padStart(5)} s  ${isMissed ? "" : "NOT MISSED by a promise that names it, but by "}${what}`,
    );
  }
  return unnoticed === 0;
}
