// The benchmarks: all or one of them, one table on the screen, and JSON where asked for.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { age } from "./age.ts";
import { archives } from "./archives.ts";
import { boot } from "./boot.ts";
import { burst } from "./burst.ts";
import { cluster } from "./cluster.ts";
import { compareOverhead } from "./compare-overhead.ts";
import { create } from "./create.ts";
import { day } from "./day/day.ts";
import { distinct } from "./distinct.ts";
import { type Figure, tableOf } from "./figures.ts";
import { firstCall } from "./first-call.ts";
import { fresh } from "./fresh.ts";
import { idle } from "./idle.ts";
import { library } from "./library.ts";
import { livePage } from "./live-page.ts";
import { machineText } from "./machine-text.ts";
import { ownTime } from "./own-time.ts";
import { partByPart } from "./parts.ts";
import { atOnce } from "./published/at-once.ts";
import { dirtyPages } from "./published/dirty-pages.ts";
import { imports } from "./published/imports.ts";
import { isolation } from "./published/isolation.ts";
import { replacement } from "./replacement.ts";
import { restart } from "./restart.ts";
import { rewind } from "./rewind.ts";
import { secondCall } from "./second-call.ts";
import { stockPath } from "./stock-path.ts";
import { stolenText, watchStolen } from "./stolen.ts";

const benches: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  rewind,
  "first-call": firstCall,
  "second-call": secondCall,
  library,
  archives,
  "own-time": ownTime,
  distinct,
  age,
  replacement,
  boot,
  restart,
  day,
  fresh,
  create,
  burst,
  idle,
  parts: partByPart,
  "stock-path": stockPath,
  "live-page": livePage,
  "compare-overhead": compareOverhead,
  cluster,
};

/** Published work repeated: run by name only, and by `npm run evaluate`. */
const published: typeof benches = {
  isolation: () => isolation(),
  "dirty-pages": () => dirtyPages(),
  "at-once": () => atOnce(),
  imports: () => imports(),
};

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { only: { type: "string" }, json: { type: "string" } },
  });
  const every = { ...benches, ...published };
  if (values.only !== undefined && every[values.only] === undefined)
    throw new Error(`no benchmark ${values.only}: there are ${Object.keys(every).join(", ")}`);
  console.log(machineText());
  const stolen = watchStolen();
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(values.only === undefined ? benches : every)) {
    if (values.only !== undefined && values.only !== name) continue;
    console.log(`${name} ...`);
    figures.push(...(await bench()));
  }
  console.log(tableOf(figures));
  console.log(stolenText(stolen()));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}
