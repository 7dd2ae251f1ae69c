// Holds the comparison's own figures against a bare HTTP client and a clock, in turn, on each side: what does measuring add?

import { tiny } from "../programs.ts";
import { BareCallError, bareClient } from "./bare.ts";
import { type Series, type Side, sides } from "./call.ts";
import { planned, putMany, type Scene, upTo } from "./scene.ts";

export const byTool = "by this tool";
export const byBareClient = "by a bare client";

const warmUpCalls = 20;
/** Warm calls take little time, and what is looked for is small. */
const moreCalls = 5;
const msPerSecond = 1000;

export async function checkAgainstBare(scene: Scene): Promise<void> {
  const { kind, family } = scene;
  const [action = ""] = await putMany(scene, "check", [tiny(family, 0)]);
  const series = (subject: string): Series => ({ part: "check", kind, subject });
  const busy = `, ${scene.plan.inFlight} at a time`;
  const all = {
    ...{ tool: series(byTool), bare: series(byBareClient) },
    ...{ busyTool: series(byTool + busy), busyBare: series(byBareClient + busy) },
  };
  for (const side of sides) {
    await checkSide(scene, side, { ...all, action }).catch((error: unknown) => {
      if (!(error instanceof BareCallError)) throw error;
      scene.comparison.parts.ledger.notes.push(
        `${side} was not checked against a bare client: ${error.message}.`,
      );
    });
  }
}

interface Checked {
  readonly tool: Series;
  readonly bare: Series;
  readonly busyTool: Series;
  readonly busyBare: Series;
  readonly action: string;
}

async function checkSide(
  { plan, comparison }: Scene,
  side: Side,
  { tool, bare, busyTool, busyBare, action }: Checked,
): Promise<void> {
  const { endpoints, workspaces, ledger } = comparison.parts;
  const client = bareClient(endpoints[side].place);
  const path = workspaces[side].invocationPath(action);
  const bareCall = async (index: number): Promise<void> => {
    const body = JSON.stringify(planned(action, index).args);
    const startedMs = ledger.sinceBeginMs();
    const tookMs = await client.call(path, body);
    const unknown = { waitMs: undefined, initMs: undefined, durationMs: undefined, activationId: "" };
    ledger.calls.push({
      ...{ series: bare, side, pass: 0, index, startedMs, tookMs },
      ...unknown,
      throttled: 0,
    });
  };
  const bareRate = async (pass: number): Promise<void> => {
    let answered = 0;
    const beganMs = performance.now();
    const worker = async (): Promise<void> => {
      for (; performance.now() - beganMs < plan.passMs; answered++) {
        await client.call(path, JSON.stringify(planned(action, answered).args));
      }
    };
    await Promise.all(Array.from({ length: plan.inFlight }, worker));
    const perSecond = (answered * msPerSecond) / (performance.now() - beganMs);
    ledger.rates.push({ series: busyBare, side, pass, perSecond, answered });
  };
  const stretch = {
    series: busyTool,
    side,
    inFlight: plan.inFlight,
    planned: (i: number) => planned(action, i),
  };
  const toolRate = (pass: number): Promise<void> =>
    comparison.keepBusy({ ...stretch, pass, until: { forMs: plan.passMs } });
  try {
    for (const i of upTo(warmUpCalls)) {
      await comparison.warmUp(tool, side, [planned(action, i)]);
      await client.call(path, "{}");
    }
    for (const i of upTo(plan.calls * moreCalls)) {
      const tries = [
        () => comparison.one({ series: tool, side, pass: 0, index: i }, planned(action, i)),
        () => bareCall(i),
      ];
      for (const attempt of i % 2 === 0 ? tries : tries.toReversed()) await attempt();
    }
    await comparison.settleDown({ ...stretch, pass: 0, until: { forMs: plan.passMs } });
    for (const pass of upTo(plan.passes)) {
      const tries = [toolRate, bareRate];
      for (const attempt of pass % 2 === 0 ? tries : tries.toReversed()) await attempt(pass);
    }
  } finally {
    client.close();
  }
}
