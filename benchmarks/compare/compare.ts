// A comparison from its first look at both endpoints to the removal of all that it made there.

import { cpus, release, totalmem } from "node:os";
import { families, usualFamilies } from "../programs.ts";
import { type BySide, bySide, sides } from "./call.ts";
import { Comparison } from "./comparison.ts";
import { Endpoint, EndpointError } from "./endpoint.ts";
import { commonKind, type EndpointFacts, inspect, isOffered } from "./inspect.ts";
import { Ledger } from "./ledger.ts";
import { type Options, OptionsError } from "./options.ts";
import type { Progress } from "./progress.ts";
import { allRows } from "./statistics.ts";
import { type Comparing, type Ending, type Unfinished, unfinishedText } from "./summary.ts";
import { stepsOf } from "./workloads.ts";
import { Workspace } from "./workspace.ts";

export type Places = NonNullable<Options["places"]>;

interface Running {
  readonly progress: Progress;
  /** Aborted: what there is is to be reported. */
  readonly signal: AbortSignal;
  /** Gets all that was measured before anything is removed, which may take long or fail. */
  readonly report: (comparing: Comparing) => void;
}

/** Below it, the namespace's limit is what would be measured. */
const fewPerMinute = 5000;

/** Throws OptionsError with all reasons not to start. */
export async function compare(
  options: Options,
  places: Places,
  { progress, signal, report }: Running,
): Promise<Comparing> {
  const { insecure, inFlight, burst, prefix, memoryMB, gapMs, patienceMs } = options;
  const endpoints = bySide(
    (side) =>
      new Endpoint({ side, ...places[side], insecure, patienceMs, inFlight: Math.max(inFlight, burst) }),
  );
  const interrupt = (): void => {
    for (const side of sides) endpoints[side].interrupt();
  };
  signal.addEventListener("abort", interrupt);
  const opened: Workspace[] = [];
  const open = async (endpoint: Endpoint): Promise<Workspace> => {
    const workspace = await Workspace.open(endpoint, { prefix, memoryMB, signal });
    opened.push(workspace);
    return workspace;
  };
  const ledger = new Ledger();
  try {
    const facts = await both(sides.map((side) => inspect(endpoints[side])));
    const kinds = kindsToCompare(options, facts, progress);
    const workspaces = await both(sides.map((side) => open(endpoints[side])));
    ledger.notes.push(...tightLimits(options, facts));
    for (const note of ledger.notes) progress.say(note);
    const comparison = new Comparison({ endpoints, workspaces, ledger, progress, patienceMs, gapMs, signal });
    const ending = await follow(comparison, options, kinds);
    const tookMs = ledger.sinceBeginMs();
    progress.say(`Measured for ${Math.round(tookMs / 1000)} s.`);
    const { asked } = options;
    const comparing: Comparing = {
      ...{ facts, kinds, asked, ledger, ending, tookMs },
      rows: allRows(ledger),
      callerMachine: machine(),
    };
    report(comparing);
    if (options.keep) progress.say(`Left there, as wished: ${opened.map((one) => one.package).join(", ")}`);
    else ledger.notes.push(...(await clear(opened, progress)));
    return comparing;
  } catch (error) {
    await clear(opened, progress);
    throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
    await Promise.all(sides.map((side) => endpoints[side].close()));
  }
}

/** All steps, one after the other, as far as they go. */
async function follow(comparison: Comparison, options: Options, kinds: readonly string[]): Promise<Ending> {
  const { ledger, progress, signal } = comparison.parts;
  const steps = stepsOf(options, kinds);
  const unfinished: Unfinished[] = [];
  const early = (ending: Ending): Ending => {
    ledger.notes.push(...unfinished.map(unfinishedText));
    return ending;
  };
  for (const [i, { title, run }] of steps.entries()) {
    const troublesBefore = ledger.troubles.length;
    progress.begin(`${i + 1} of ${steps.length}, ${title}`);
    try {
      await run(comparison);
    } catch (error) {
      if (signal.aborted) return early({ kind: "interrupted", during: title });
      if (!(error instanceof EndpointError)) throw error;
      const { side, message } = error;
      if (error.code !== "refused") return early({ kind: "lost", side, during: title, why: message });
      unfinished.push({ side, during: title, why: `${side} refused: ${message}` });
      continue;
    } finally {
      ledger.endSeries();
    }
    const barren = ledger.barrenSince(troublesBefore);
    if (barren === undefined) continue;
    const { side, series } = barren;
    unfinished.push({ side, during: title, why: `no call of ${side} succeeded (${series.subject})` });
  }
  if (unfinished.length === 0) return { kind: "complete" };
  return { kind: "incomplete", steps: unfinished, of: steps.length };
}

async function clear(opened: readonly Workspace[], progress: Progress): Promise<readonly string[]> {
  const left = await Promise.all(opened.map((workspace) => workspace.clear()));
  const notes = left.filter((one) => one !== undefined);
  for (const note of notes) progress.say(note);
  return notes;
}

/** What both have come to. Throws OptionsError with what is wrong with either. */
async function both<Of>(all: readonly Promise<Of>[]): Promise<BySide<Of>> {
  const results = await Promise.allSettled(all);
  const failures = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  const other = failures.find((failure) => !(failure instanceof EndpointError));
  if (other !== undefined) throw other;
  if (failures.length > 0) {
    throw new OptionsError(
      failures.map((failure) => `${(failure as EndpointError).side}: ${(failure as Error).message}`),
    );
  }
  const values = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return bySide((side) => values[sides.indexOf(side)] as Of);
}

function kindsToCompare(
  { kinds }: Options,
  { stock, rewhisk }: BySide<EndpointFacts>,
  progress: Progress,
): readonly string[] {
  if (kinds === undefined) {
    // Where one does not tell its kinds, those alone that every OpenWhisk has.
    const areTold = stock.kinds !== undefined && rewhisk.kinds !== undefined;
    const sought = areTold ? families : usualFamilies;
    const found = families.map((family) =>
      sought.some((one) => one === family) ? commonKind(family, stock.kinds, rewhisk.kinds) : undefined,
    );
    const common = found.filter((kind) => kind !== undefined);
    const absent = families.filter((_family, i) => found[i] === undefined);
    if (common.length > 0) {
      if (absent.length > 0)
        progress.say(`Not compared, as no kind is known to be on both sides: ${absent.join(", ")}`);
      return common;
    }
    throw new OptionsError([
      `The two sides have no kind of ${families.join(" or ")} in common: see wsk property get --all`,
    ]);
  }
  const problems = [stock, rewhisk].flatMap((facts) =>
    kinds
      .filter((kind) => !isOffered(kind, facts.kinds))
      .map((kind) => `--kinds ${kind}: ${facts.url} has ${facts.kinds?.map((one) => one.kind).join(", ")}`),
  );
  if (problems.length > 0) throw new OptionsError(problems);
  return kinds;
}

function tightLimits({ inFlight, burst }: Options, facts: BySide<EndpointFacts>): readonly string[] {
  return sides.flatMap((side) => {
    const { invocationsPerMinute = fewPerMinute, concurrentInvocations = Number.POSITIVE_INFINITY } =
      facts[side];
    const atOnce = Math.max(inFlight, burst);
    return [
      ...(invocationsPerMinute < fewPerMinute
        ? [
            `${side} allows the namespace ${invocationsPerMinute} invocations per minute: beyond them it throttles, and what is measured is that limit.`,
          ]
        : []),
      ...(concurrentInvocations < atOnce
        ? [
            `${side} allows the namespace ${concurrentInvocations} invocations at once, ${atOnce} are made: it will throttle.`,
          ]
        : []),
    ];
  });
}

function machine(): string {
  const memoryGB = Math.round(totalmem() / 1024 ** 3);
  const processors = `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores`;
  return `${processors}, ${memoryGB} GB, Linux ${release()}, Node ${process.versions.node}`;
}
