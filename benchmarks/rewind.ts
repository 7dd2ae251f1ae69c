// Measures: one rewind of a real container by phase, every language of this machine, three sizes of action, each activation a new action.
// Does not measure: emptying the scratch, killing children, or anything of the invoker.
// Varies: size of the action.

import { findInterpreters } from "../pool/index.ts";
import { Bench } from "./bench.ts";
import { type Figure, fromSamples, quantile } from "./figures.ts";
import { type Family, familiesOf, kindOf, sizes } from "./programs.ts";

const rounds = { tiny: 1000, middle: 300, large: 60 } as const;
const goalsMs: Readonly<Partial<Record<Family, string>>> = { nodejs: "<= 0.45", python: "<= 0.15" };
const phases = ["freeze", "layout", "scan", "plan", "run", "state", "registers", "thaw"] as const;

export async function rewind(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const kinds = (await findInterpreters()).map(({ kind }) => kind);
  for (const family of familiesOf(kinds)) {
    const bench = await Bench.start(kindOf[family], "always");
    for (const [size, program] of Object.entries(sizes)) {
      const name = size as keyof typeof sizes;
      bench.rewinds.length = 0;
      for (let i = 0; i < rounds[name]; i++) await bench.runNew(program(family, i));
      // The first ones are verified, which warms nothing up and costs time of its own.
      const taken = bench.rewinds.filter((timings) => !timings.verified);
      const bare = `${family} ${name}`;
      const totals = taken.map((timings) => timings.totalUs / 1000);
      const goalMs = name === "tiny" ? goalsMs[family] : undefined;
      const goal = goalMs === undefined ? {} : { goal: goalMs };
      figures.push(fromSamples({ bench: "rewind", figure: bare, unit: "ms", ...goal }, totals));
      if (name !== "tiny") continue;
      const tail = quantile(totals, 0.99) / quantile(totals, 0.5);
      const spread = { value: tail, p50: tail, p95: tail, p99: tail, n: totals.length, unit: "ratio" };
      figures.push({ bench: "rewind", figure: `${bare}, p99 / p50`, goal: "<= 2", ...spread });
      for (const phase of phases)
        figures.push(
          fromSamples(
            { bench: "rewind", figure: `${bare}, ${phase}`, unit: "us" },
            taken.map((timings) => timings[`${phase}Us`]),
          ),
        );
    }
    await bench.stop();
  }
  return figures;
}
