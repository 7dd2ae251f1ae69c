// What a comparison came to, in words: how it ended, what leads the report, and whether all was well.

import { type Side, sides } from "./call.ts";
import type { EndpointFacts } from "./inspect.ts";
import type { Ledger, Outage } from "./ledger.ts";
import type { Row } from "./statistics.ts";
import { count, period } from "./words.ts";

/** How it ended. */
export type Ending =
  | { readonly kind: "complete" }
  /** It went through all steps, and these of them were left or gave nothing. */
  | { readonly kind: "incomplete"; readonly steps: readonly Unfinished[]; readonly of: number }
  | { readonly kind: "interrupted"; readonly during: string }
  | { readonly kind: "lost"; readonly side: Side; readonly during: string; readonly why: string };

/** A step that does not have all its figures. */
export interface Unfinished {
  readonly side: Side;
  readonly during: string;
  readonly why: string;
}

/** All that the report is made of. */
export interface Comparing {
  readonly facts: Readonly<Record<Side, EndpointFacts>>;
  readonly kinds: readonly string[];
  readonly asked: string;
  readonly callerMachine: string;
  readonly ledger: Ledger;
  readonly rows: readonly Row[];
  readonly ending: Ending;
  readonly tookMs: number;
}

export interface Alert {
  readonly level: "bad" | "note";
  readonly text: string;
}

const stepsShown = 4;

/** Nothing needs looking at before the figures can be believed. */
export function isSound({ ledger, ending }: Pick<Comparing, "ledger" | "ending">): boolean {
  return ending.kind === "complete" && ledger.differences.length === 0;
}

/** What a reader must know first, the worst first. */
export function alertsOf({
  ledger,
  ending,
  tookMs,
}: Pick<Comparing, "ledger" | "ending" | "tookMs">): readonly Alert[] {
  const bad: string[] = [];
  const notes: string[] = [];
  const { differences, compared, troubles, outages, throttled } = ledger;
  if (differences.length > 0) {
    const pairs = count(compared, "pair");
    bad.push(
      `Results differ: in ${differences.length} of ${pairs} of calls the two sides gave different outcomes. They are listed below; until they are explained, the times say little.`,
    );
  }
  if (ending.kind === "lost") {
    bad.push(
      `Partial report: ${ending.side} failed after ${period(tookMs)}, during “${ending.during}”: ${ending.why}. What follows is what was measured before.`,
    );
  }
  if (ending.kind === "interrupted") {
    bad.push(
      `Partial report: it was interrupted after ${period(tookMs)}, during “${ending.during}”. What follows is what was measured before.`,
    );
  }
  if (ending.kind === "incomplete") {
    const { steps, of } = ending;
    const more =
      steps.length > stepsShown ? ` And ${steps.length - stepsShown} more, which are in the JSON file.` : "";
    bad.push(
      `Partial report: ${steps.length} of ${of} steps are not complete. ${steps.slice(0, stepsShown).map(unfinishedText).join(" ")}${more}`,
    );
  }
  if (troubles.length > 0) {
    const total = count(troubles.length, "call");
    notes.push(`${total} gave no successful activation; they are listed below, and no figure has them.`);
  }
  for (const side of sides) notes.push(...outageTexts(outages.filter((outage) => outage.side === side)));
  for (const [side, { answers, waitedMs }] of Object.entries(throttled)) {
    if (answers === 0) continue;
    notes.push(
      `${side} throttled ${count(answers, "call")} (429), which cost ${period(waitedMs)} of waiting: rates of it are those of the namespace's limits. Raise them with wskadmin limits set NAMESPACE --invocationsPerMinute N --concurrentInvocations N.`,
    );
  }
  notes.push(...ledger.notes);
  const alerts =
    (level: Alert["level"]) =>
    (text: string): Alert => ({ level, text });
  return [...bad.map(alerts("bad")), ...notes.map(alerts("note"))];
}

export function unfinishedText({ during, why }: Unfinished): string {
  return `“${during}”: ${why}.`;
}

/** Of one side: many are one line. */
function outageTexts(outages: readonly Outage[]): readonly string[] {
  const [first] = outages;
  if (first === undefined) return [];
  const { side, startedMs } = first;
  const lasted = period(outages.reduce((sum, { lastedMs }) => sum + lastedMs, 0));
  return outages.length === 1
    ? [`${side} did not answer for ${lasted}, ${period(startedMs)} after the start.`]
    : [
        `${side} did not answer for ${lasted} in all, ${outages.length} times, first ${period(startedMs)} after the start.`,
      ];
}
