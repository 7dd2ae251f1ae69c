// The fuzzer as a program: for a family and a seed, some activations or a single case; exit code 1 on any difference.
//
//   node build/js/test/prove/fuzz-main.js --family python --seed 7 [--from 0] [--activations 500] | [--case 12]
//     [--place "in a booted container"]

import { parseArgs } from "node:util";
import { type Family, families } from "../corpus.ts";
import { type FuzzDifference, fuzz, summaryOf } from "./fuzz.ts";
import type { FuzzMessage } from "./fuzz-both.ts";
import { Repertoire } from "./fuzz-program.ts";
import { ignoringDraws, placeCalled } from "./places.ts";

const { values } = parseArgs({
  options: {
    family: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
    from: { type: "string", default: "0" },
    activations: { type: "string", default: "500" },
    case: { type: "string" },
    place: { type: "string" },
  },
});

const isAlone = process.send === undefined;
const progressEvery = 500;

function showProgress(done: number): void {
  if (isAlone && done % progressEvery === 0) console.log(`${done} ...`);
}

/** As it is kept in test/prove/regressions. */
function showDifference({ family, seed, index, isRepeatable, found, programs }: FuzzDifference): string {
  const title = `${family}, --seed ${seed} --case ${index}${isRepeatable ? "" : " (did not show again)"}`;
  return `${title}\n${JSON.stringify({ family, found, programs })}`;
}

const family = values.family as Family;
if (!families.includes(family)) throw new Error(`--family ${families.join(" or ")}`);
const seed = Number(values.seed);
const from = Number(values.case ?? values.from);
if (values.case !== undefined) console.log(JSON.stringify(new Repertoire(family).draw(seed, from)));
const report = await fuzz({
  ...{ family, seed, from, activations: values.case === undefined ? Number(values.activations) : 1 },
  // Two of one family may run at a time.
  ...{ name: `fuzz-${family}-${from}`, onProgress: showProgress },
  ...(values.place !== undefined && { ground: ignoringDraws(placeCalled(values.place)) }),
  onDifference: (difference) => isAlone && console.log(showDifference(difference)),
});
const message: FuzzMessage = { report };
process.send?.(message);
if (isAlone) console.log(summaryOf(report));
process.exitCode = report.differences.length === 0 ? 0 : 1;
process.disconnect?.();
