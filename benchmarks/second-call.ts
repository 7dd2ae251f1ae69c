// Measures: a further call of an action whose init takes 50 ms, from its lease to its answer: at its action checkpoint, in a
// container that is kept as it is, and in one that is put back to its base, in turn. And, from when the container is asked for, one
// in another container that is brought to that checkpoint, while the first one is in use.
// Does not measure: the rewind, which comes after the answer; anything of the invoker.
// Varies: the language, and what a run does.

import { Bench } from "./bench.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { kindOf, usualFamilies } from "./programs.ts";

const rounds = 200;
/** Of the one that pays an init each time. */
const roundsAtBase = 20;
const warmUps = 20;
const goal = "<= 1.3";
/** Ends the other container's way to the checkpoint: it is back at its base then. */
const other = { nodejs: "function main() { return {}; }", python: "def main(args):\n  return {}\n" } as const;

/** Busy for 50 ms, and keeps some thousand objects; a run looks at one of them, or at all. */
const programs = {
  nodejs: {
    tiny: "const end = process.hrtime.bigint() + 50000000n; const all = []; while (process.hrtime.bigint() < end) if (all.length < 20000) all.push({ i: all.length }); function main() { return { i: all[7].i }; }",
    work: "const end = process.hrtime.bigint() + 50000000n; const all = []; while (process.hrtime.bigint() < end) if (all.length < 20000) all.push({ i: all.length }); function main() { return { n: JSON.stringify(all).length }; }",
  },
  python: {
    tiny: "import time\nend = time.monotonic() + 0.05\nrows = []\nwhile time.monotonic() < end:\n  if len(rows) < 20000: rows.append({'i': len(rows)})\ndef main(args):\n  return {'i': rows[7]['i']}\n",
    work: "import json, time\nend = time.monotonic() + 0.05\nrows = []\nwhile time.monotonic() < end:\n  if len(rows) < 20000: rows.append({'i': len(rows)})\ndef main(args):\n  return {'n': len(json.dumps(rows))}\n",
  },
} as const;

export async function secondCall(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of usualFamilies)
    for (const [size, code] of Object.entries(programs[family])) {
      const kind = kindOf[family];
      const level = await Bench.start(kind, "always", { name: "level", settings: { levelMemoryMB: 256 } });
      const kept = await Bench.start(kind, "on-change", { name: "kept" });
      const base = await Bench.start(kind, "always", { name: "base" });
      const shared = await Bench.start(kind, "always", {
        name: "shared",
        stemCell: { count: 2 },
        settings: { levelMemoryMB: 256, boots: true, sharesLevels: true },
      });
      const letGo = await shared.hold(code);
      const atAnother: number[] = [];
      const keptInAll: number[] = [];
      const calls = async (bench: Bench, into: number[]): Promise<void> => {
        const { initMs, runMs } = await bench.call(code);
        into.push(initMs + runMs);
      };
      const [atLevel, asKept, atBase]: [number[], number[], number[]] = [[], [], []];
      for (let i = 0; i < warmUps; i++) for (const bench of [level, kept]) await calls(bench, []);
      for (let i = 0; i < rounds; i++) {
        await calls(level, atLevel);
        const { runMs, answeredMs } = await kept.call(code);
        asKept.push(runMs);
        keptInAll.push(answeredMs);
        await shared.call(other[family]);
        const brought = await shared.call(code);
        // An init where that was sooner of late, as in the pool.
        atAnother.push(brought.answeredMs);
        if (i < roundsAtBase) await calls(base, atBase);
      }
      await letGo();
      for (const bench of [level, kept, base, shared]) await bench.stop();
      const named = (figure: string) => ({ bench: "second-call", figure: `${family} ${size}, ${figure}` });
      figures.push(
        fromSamples({ ...named("at its checkpoint"), unit: "ms" }, atLevel),
        fromSamples({ ...named("kept warm"), unit: "ms" }, asKept),
        fromSamples({ ...named("at the base"), unit: "ms" }, atBase),
        fromSamples({ ...named("another container of the kind"), unit: "ms" }, atAnother),
        fromSamples({ ...named("kept warm, from the asking"), unit: "ms" }, keptInAll),
        ratio({ ...named("checkpoint / kept warm"), goal }, atLevel, asKept),
        ratio(
          { ...named("another container of the kind / kept warm, from the asking"), goal },
          atAnother,
          keptInAll,
        ),
        ratio({ ...named("checkpoint / base") }, atLevel, atBase),
      );
    }
  return figures;
}
