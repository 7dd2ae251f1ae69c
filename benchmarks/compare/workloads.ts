// Measures: blocking calls through the public REST API, from sending the request to the last byte of the answer, on both sides in
//   turn: actions never called before, an action called again, code of several sizes, packages imported at load, a mixed load of
//   more actions than fit in memory, bursts, and activations per second against the number of distinct actions; beside them what
//   the records tell of waiting, init and run; and what a bare HTTP client with a clock finds, to hold all of it against.
// Does not measure: triggers, rules, sequences, web actions; what an activation costs the machines that serve it.
// Varies: the kind, the size of the code, the package, the number of actions, how many calls are under way.

import { tiny } from "../programs.ts";
import { familyOf, importing, padded } from "./actions.ts";
import { type Part, type Series, sides } from "./call.ts";
import { chance, unevenly } from "./chance.ts";
import { checkAgainstBare } from "./check.ts";
import type { Comparison, Planned } from "./comparison.ts";
import { type Plan, planned, putMany, type Scene, upTo } from "./scene.ts";

/** A piece of the comparison, with the words for its progress. */
export interface Step {
  readonly part: Part;
  readonly title: string;
  readonly run: (comparison: Comparison) => Promise<void>;
}

/** Fewer calls will do where there is one series for each of several things. */
const fewer = 5;
const warmUpShare = 0.2;
const stepFactor = 4;
/** Each action of the mixed load is called so often on average in each pass. */
const callsPerMixedAction = 2;

const works: Readonly<Record<Part, (scene: Scene) => Promise<void>>> = {
  check: checkAgainstBare,
  first,
  warm,
  sizes: codeSizes,
  packages: imports,
  mixed,
  burst: bursts,
  throughput,
};

const titles: Readonly<Record<Part, string>> = {
  check: "this tool beside a bare client",
  first: "first calls",
  warm: "calls again",
  sizes: "sizes of code",
  packages: "packages",
  mixed: "mixed load",
  burst: "bursts",
  throughput: "throughput",
};

/** All steps in their order; the check is made with the first kind alone. */
export function stepsOf(plan: Plan, kinds: readonly string[]): readonly Step[] {
  return plan.parts.flatMap((part) =>
    (part === "check" ? kinds.slice(0, 1) : kinds).flatMap((kind) => {
      const family = familyOf(kind);
      if (family === undefined) return [];
      const run = (comparison: Comparison): Promise<void> => works[part]({ plan, kind, family, comparison });
      return [{ part, title: `${titles[part]}, ${kind}`, run }];
    }),
  );
}

async function tinyActions(scene: Scene, sort: string, count: number): Promise<readonly string[]> {
  return await putMany(
    scene,
    sort,
    upTo(count).map((serial) => tiny(scene.family, serial)),
  );
}

async function first(scene: Scene): Promise<void> {
  const { kind, plan, comparison } = scene;
  const actions = await tinyActions(scene, "first", plan.calls);
  await comparison.inTurn({ part: "first", kind, subject: "never called before" }, actions.map(planned));
}

async function warm(scene: Scene): Promise<void> {
  const { kind, plan, comparison } = scene;
  const series: Series = { part: "warm", kind, subject: "called before" };
  const [action = ""] = await tinyActions(scene, "warm", 1);
  for (const side of sides) {
    for (const i of upTo(fewer)) await comparison.warmUp(series, side, [planned(action, i)]);
  }
  await comparison.inTurn(
    series,
    upTo(plan.calls).map((i) => planned(action, i)),
  );
}

async function codeSizes(scene: Scene): Promise<void> {
  const { kind, family, plan, comparison } = scene;
  for (const { text, bytes } of plan.sizes) {
    const codes = upTo(Math.ceil(plan.calls / fewer)).map((serial) => padded(family, serial, bytes));
    const actions = await putMany(scene, `size-${text}`, codes);
    await comparison.inTurn({ part: "sizes", kind, subject: `${text}B of code` }, actions.map(planned));
  }
}

async function imports(scene: Scene): Promise<void> {
  const { kind, family, plan, comparison } = scene;
  for (const { name } of plan.packages.filter((one) => one.family === family)) {
    const series: Series = { part: "packages", kind, subject: `imports ${name}` };
    const codes = upTo(Math.ceil(plan.calls / fewer) + 1).map((serial) => importing(family, serial, name));
    const [probe = "", ...actions] = await putMany(scene, `package-${name}`, codes);
    const without: string[] = [];
    for (const side of sides) {
      const [heard] = await comparison.warmUp(series, side, [planned(probe, 0)]);
      if (heard?.text.includes('"found":false')) without.push(side);
    }
    if (without.length === 0) await comparison.inTurn(series, actions.map(planned));
    else {
      const where = `what ${without.join(" and ")} ${without.length > 1 ? "have" : "has"} for ${kind}`;
      comparison.parts.ledger.notes.push(`The package ${name} is not in ${where}: it was not compared.`);
    }
  }
}

async function mixed(scene: Scene): Promise<void> {
  const { kind, plan, comparison } = scene;
  const count = plan.actions;
  const series: Series = {
    part: "mixed",
    kind,
    subject: `${count} actions, unevenly often`,
    distinctActions: count,
  };
  const actions = await tinyActions(scene, "mixed", count);
  const length = count * callsPerMixedAction;
  await comparison.inPasses(plan.passes, async (side, pass) => {
    const order = unevenly(count, length, chance(plan.seed + pass));
    const call = (i: number): Planned => planned(actions[order[i] ?? 0] ?? "", i);
    const { inFlight } = plan;
    await comparison.keepBusy({ series, side, pass, inFlight, planned: call, until: { calls: length } });
  });
}

async function bursts(scene: Scene): Promise<void> {
  const { kind, plan, comparison } = scene;
  const { burst, passes } = plan;
  const actions = await tinyActions(scene, "burst", burst * passes + 1);
  const [same = "", ...distinct] = actions;
  const bursting = async (series: Series, actionOf: (pass: number, i: number) => string): Promise<void> => {
    for (const side of sides)
      await comparison.warmUp(
        series,
        side,
        upTo(burst).map((i) => planned(same, i)),
      );
    await comparison.inPasses(passes, (side, pass) => {
      const call = (i: number): Planned => planned(actionOf(pass, i), i);
      const until = { calls: burst };
      return comparison.keepBusy({ series, side, pass, inFlight: burst, planned: call, until });
    });
  };
  await bursting({ part: "burst", kind, subject: `${burst} calls of one action at once` }, () => same);
  const subject = `${burst} calls of as many new actions at once`;
  await bursting({ part: "burst", kind, subject }, (pass, i) => distinct[pass * burst + i] ?? "");
}

/** 1, 4, 16 … and the number itself. */
export function stepsUpTo(count: number): readonly number[] {
  const steps: number[] = [];
  for (let step = 1; step < count; step *= stepFactor) steps.push(step);
  return [...steps, count];
}

async function throughput(scene: Scene): Promise<void> {
  const { kind, plan, comparison } = scene;
  const { inFlight, passMs } = plan;
  const actions = await tinyActions(scene, "many", plan.actions);
  for (const distinctActions of stepsUpTo(plan.actions)) {
    const subject = distinctActions === 1 ? "one action in turn" : `${distinctActions} actions in turn`;
    const series: Series = { part: "throughput", kind, subject, distinctActions };
    const call = (i: number): Planned => planned(actions[i % distinctActions] ?? "", i);
    await comparison.inPasses(plan.passes, async (side, pass) => {
      const stretch = { series, side, pass, inFlight, planned: call };
      await comparison.settleDown({ ...stretch, until: { forMs: passMs * warmUpShare } });
      await comparison.keepBusy({ ...stretch, until: { forMs: passMs } });
    });
  }
}
