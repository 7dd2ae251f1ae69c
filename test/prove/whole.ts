// The parts of `npm run prove`: each prints what it found. True: all is as promised.

import { type Family, families } from "../corpus.ts";
import { faultLines, injectFaults } from "../native/faults-table.ts";
import { canary } from "./canary.ts";
import { type Costs, costsOf } from "./cost.ts";
import { costText, writeDocument } from "./document.ts";
import { summaryOf } from "./fuzz.ts";
import { fuzzBoth } from "./fuzz-both.ts";
import type { GroundOptions } from "./ground.ts";
import { kindsFound, rungsProven } from "./machine.ts";
import { brought, ignoringDraws, messageRows, places } from "./places.ts";
import { loadPromises } from "./promises.ts";
import { Prover } from "./rows.ts";

/** Those that the document has a price of. */
const priced: readonly Family[] = ["python", "nodejs"];
const stateColumns = 72;
const shownFinds = 20;
/** Of the marks and activations that are asked for, in each other place. */
const shareElsewhere = 1 / 4;

async function measureCosts(): Promise<ReadonlyMap<Family, Costs>> {
  const costs = new Map<Family, Costs>();
  for (const family of priced) {
    const measured = await costsOf(family);
    const [whole, core] = [measured.wholeUs, measured.coreUs].map((us) => us.toFixed(0));
    const rest = (measured.wholeUs - measured.coreUs).toFixed(0);
    console.log(
      `${family}: an idle rewind ${whole} us, memory and registers alone ${core} us, all else ${rest} us (medians, n ${measured.n})`,
    );
    costs.set(family, measured);
  }
  return costs;
}

/** Every promise by every proof it has. */
export async function proveRows({ write }: { readonly write: boolean }): Promise<boolean> {
  const groups = loadPromises();
  const rows = groups.flatMap((group) => group.rows);
  const costs = await measureCosts();
  const prover = await Prover.open({ rungs: await rungsProven(), kinds: await kindsFound(), rows });
  let broken = 0;
  for (const { group, rows } of groups) {
    console.log(`\n${group}`);
    for (const row of rows) {
      const complaints: string[] = [];
      for await (const complaint of prover.complaints(row)) complaints.push(complaint);
      const mark = complaints.length === 0 ? "ok  " : "FAIL";
      const cost = costText(row, costs);
      console.log(`  ${mark} ${row.state.padEnd(stateColumns)} ${row.decision.padEnd(9)} ${cost}`);
      for (const complaint of complaints) console.log(`       ${complaint}`);
      if (complaints.length > 0) broken++;
    }
  }
  await prover.close();
  console.log(`\n${rows.length} promises, ${broken} broken (cost: Python / Node, us)`);
  if (broken === 0 && write) writeDocument(groups, costs);
  return broken === 0;
}

/** Every message in each other place. */
export async function proveElsewhere(): Promise<boolean> {
  const rows = messageRows();
  let broken = 0;
  for (const [place, ground] of Object.entries(places)) {
    const prover = await Prover.open({ rungs: [], ground: ignoringDraws(ground) });
    const complaints: string[] = [];
    for (const row of rows)
      for await (const complaint of prover.complaints(row)) complaints.push(`${row.state}: ${complaint}`);
    await prover.close();
    console.log(`${place}: ${rows.length} promises by all messages, ${complaints.length} complaints`);
    for (const complaint of complaints) console.log(`  ${complaint}`);
    broken += complaints.length;
  }
  return broken === 0;
}

/** `marks` marks in each family, found before the rewind and not after it; and a share of them in each other place. */
export async function proveCanary({ marks }: { readonly marks: number }): Promise<boolean> {
  let isProved = await proveCanaryAt("in a started container", {}, marks);
  // It searches the memory of one runtime, and has to know of which.
  for (const [place, ground] of Object.entries(places).filter(([name]) => name !== brought))
    isProved =
      (await proveCanaryAt(place, ignoringDraws(ground), Math.ceil(marks * shareElsewhere))) && isProved;
  return isProved;
}

async function proveCanaryAt(place: string, ground: Partial<GroundOptions>, marks: number): Promise<boolean> {
  let isProved = true;
  for (const family of families) {
    const { foundBefore, missedBefore, foundAfter } = await canary({ family, marks, ...ground });
    console.log(
      `canary search, ${family}, ${place}: ${marks} marks, before the rewind each found in ${foundBefore} places or more, after it in ${foundAfter.length}`,
    );
    for (const find of [...missedBefore.map((what) => `not seen before: ${what}`), ...foundAfter].slice(
      0,
      shownFinds,
    ))
      console.log(`  ${find}`);
    isProved &&= missedBefore.length === 0 && foundAfter.length === 0 && foundBefore > 0;
  }
  return isProved;
}

/** The table of faults: every call of the native library, what was made to go wrong with it, and what came of that. */
export async function proveFaults(options: { readonly all: boolean }): Promise<boolean> {
  const table = await injectFaults(options);
  console.log(`\n${faultLines(table).join("\n")}`);
  console.log(
    `fault injection: ${table.runs} runs, ${table.complaints.length} wrong outcomes or empty cells`,
  );
  for (const complaint of table.complaints) console.log(`  ${complaint}`);
  return table.complaints.length === 0;
}

export interface FuzzProof {
  readonly seed: number;
  readonly activations: number;
}

/** `activations` fuzzed activations in each family; and a share of them in each other place. */
export async function proveFuzzed({ seed, activations }: FuzzProof): Promise<boolean> {
  console.log(`fuzzer: seed ${seed}`);
  let isProved = await proveFuzzedAt({ seed, activations });
  for (const place of Object.keys(places)) {
    console.log(`fuzzer, ${place}:`);
    const share = { seed, activations: Math.ceil(activations * shareElsewhere), place };
    isProved = (await proveFuzzedAt(share)) && isProved;
  }
  return isProved;
}

async function proveFuzzedAt(options: FuzzProof & { readonly place?: string }): Promise<boolean> {
  const onProgress = (family: Family, done: number): void => console.log(`fuzzer, ${family}: ${done} ...`);
  const reports = await fuzzBoth({ ...options, onProgress });
  for (const report of reports) {
    console.log(summaryOf(report));
    for (const difference of report.differences) console.log(`  ${JSON.stringify(difference)}`);
  }
  return reports.every(
    ({ activations, differences }) => differences.length === 0 && activations === options.activations,
  );
}
