// Measures: what `npm run compare` adds to what it measures: blocking calls of a warm action by its caller and by a bare client
//   (node:http and a clock), in turn, to an endpoint of which there is but the time it takes; one call at a time, and several.
// Does not measure: an endpoint that takes longer, where the share of what is added is less.
// Varies: who calls, and how many calls are under way.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Series, sides } from "./compare/call.ts";
import { byBareClient, byTool } from "./compare/check.ts";
import { compare } from "./compare/compare.ts";
import type { Ledger } from "./compare/ledger.ts";
import { type Options, readOptions } from "./compare/options.ts";
import { Progress } from "./compare/progress.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";

const bench = "compare-overhead";
/** Many short passes: what else the machine does meanwhile is in one of either. */
const amounts = ["--calls", "200", "--passes", "100"];
const passMs = 100;
const msPerSecond = 1000;

export async function compareOverhead(): Promise<readonly Figure[]> {
  const endpoint = fork(fileURLToPath(new URL("fixed-delay.js", import.meta.url)));
  const ended = once(endpoint, "exit");
  try {
    const [port] = await once(endpoint, "message");
    const place = { url: new URL(`http://127.0.0.1:${port}`), auth: "uuid:key" };
    const options = readOptions(["--here", "--parts", "check", "--gap", "0", ...amounts], ".") as Options;
    const progress = new Progress({ write: () => undefined, isTerminal: false });
    const running = { progress, signal: new AbortController().signal, report: () => undefined };
    // Both sides are the same: all pairs of calls tell of one endpoint.
    const places = { stock: place, rewhisk: place };
    const { ledger, ending } = await compare({ ...options, passMs }, places, running);
    if (ending.kind !== "complete" || ledger.troubles.length > 0)
      throw new Error(`the comparison failed: ${JSON.stringify([ending, ledger.troubles])}`);
    return figuresOf(ledger, options.inFlight);
  } finally {
    endpoint.kill();
    await ended;
  }
}

function figuresOf(ledger: Ledger, inFlight: number): readonly Figure[] {
  const figures = (
    what: string,
    timesOf: (subject: string) => readonly number[],
    goal?: string,
  ): readonly Figure[] => {
    const [tool, bare] = [timesOf(byTool), timesOf(byBareClient)];
    return [
      fromSamples({ bench, figure: `${what}, ${byBareClient}`, unit: "ms" }, bare),
      fromSamples({ bench, figure: `${what}, ${byTool}`, unit: "ms" }, tool),
      ratio({ bench, figure: `${what}, tool / bare`, ...(goal && { goal }) }, tool, bare),
    ];
  };
  const series = (subject: string): Series => ledger.series.find((one) => one.subject === subject) as Series;
  const busy = `${inFlight} at a time`;
  return [
    ...figures(
      "a call",
      (subject) => {
        const calls = ledger.callsOf(series(subject));
        return sides.flatMap((side) => calls[side].map(({ tookMs }) => tookMs));
      },
      "<= 1.02",
    ),
    // Without a goal: how much the machine gets done changes by more than this from one pass to the next.
    ...figures(`a call of ${busy}, by pass`, (subject) => {
      const rates = ledger.ratesOf(series(`${subject}, ${busy}`));
      return sides.flatMap((side) => rates[side].map(({ perSecond }) => msPerSecond / perSecond));
    }),
  ];
}
