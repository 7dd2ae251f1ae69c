// npm run prove: what is asked for, in order. See test/prove.mjs.

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { proveEachStep, proveWithout } from "./left-out.ts";
import { stepNames } from "./steps.ts";
import { proveCanary, proveElsewhere, proveFaults, proveFuzzed, proveRows } from "./whole.ts";

const largestSeed = 2 ** 31;

/** Gives the exit code: 1 where a promise is broken. Throws on unknown arguments. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      steps: { type: "boolean" },
      without: { type: "string" },
      "without-each": { type: "boolean" },
      only: { type: "string" },
      all: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      marks: { type: "string", default: "200" },
      activations: { type: "string", default: "5000" },
      seed: { type: "string", default: String(randomInt(1, largestSeed)) },
    },
  });
  if (values.steps) {
    for (const name of stepNames()) console.log(name);
    return 0;
  }
  if (values.without !== undefined) return (await proveWithout(values.without)) ? 0 : 1;
  if (values["without-each"]) return (await proveEachStep()) ? 0 : 1;
  const [marks, activations, seed] = (["marks", "activations", "seed"] as const).map((name) => {
    const number = Number(values[name]);
    if (!(Number.isSafeInteger(number) && number > 0))
      throw new Error(`--${name} ${values[name]}: a whole number above zero`);
    return number;
  }) as [number, number, number];
  const parts = {
    rows: () => proveRows({ write: values.write }),
    places: () => proveElsewhere(),
    canary: () => proveCanary({ marks }),
    faults: () => proveFaults({ all: values.all }),
    fuzz: () => proveFuzzed({ seed, activations }),
  };
  if (values.only !== undefined && !(values.only in parts))
    throw new Error(`--only ${values.only}: there are ${Object.keys(parts).join(", ")}`);
  let isProved = true;
  for (const [name, prove] of Object.entries(parts))
    if (values.only === undefined || values.only === name) isProved = (await prove()) && isProved;
  return isProved ? 0 : 1;
}
