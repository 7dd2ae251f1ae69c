// Measures: a process with a pool, as an invoker is that is started again, until its first answer: where it has templates of a former
//   life on disk, and where it has none and starts an interpreter; in turn. Until it could make a container at all it is the same.
// Does not measure: bus, database, and whoever starts the invoker.
// Varies: the language.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Restarted, RestartOptions } from "../test/system/restart-program.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { type Family, families, kindOf, tiny } from "./programs.ts";

const rounds = 15;
const goals: Partial<Record<Family, string>> = { nodejs: "<= 150" };
const program = fileURLToPath(new URL("../test/system/restart-program.js", import.meta.url));
const run = promisify(execFile);

async function restartOnce(options: RestartOptions, wanted: "booted" | "started"): Promise<Restarted> {
  const { stdout } = await run(process.execPath, [program, JSON.stringify(options)]);
  const restarted = JSON.parse(stdout) as Restarted;
  if (restarted.how.join() !== wanted) throw new Error(`a container was ${restarted.how}: ${stdout}`);
  return restarted;
}

async function measure(family: Family): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rewhisk-restart-"));
  const plain = { kind: kindOf[family], code: tiny(family, 0) };
  const kept = { ...plain, folder: join(folder, "templates") };
  try {
    await restartOnce(kept, "started");
    const samples = { booted: [] as Restarted[], started: [] as Restarted[] };
    for (let i = 0; i < rounds; i++) {
      samples.booted.push(await restartOnce(kept, "booted"));
      samples.started.push(await restartOnce(plain, "started"));
    }
    const named = (figure: string) => ({ bench: "restart", figure: `${family}, ${figure}` });
    const tookMs = (way: "booted" | "started"): number[] => samples[way].map((one) => one.tookMs);
    const answeredMs = (way: "booted" | "started"): number[] => samples[way].map((one) => one.answeredMs);
    const goal = goals[family];
    return [
      fromSamples(
        { ...named("stored, first answer"), unit: "ms", ...(goal !== undefined && { goal }) },
        tookMs("booted"),
      ),
      fromSamples({ ...named("started, first answer"), unit: "ms" }, tookMs("started")),
      ratio(named("first answer, stored / started"), tookMs("booted"), tookMs("started")),
      fromSamples({ ...named("stored, since the process began"), unit: "ms" }, answeredMs("booted")),
      fromSamples({ ...named("started, since the process began"), unit: "ms" }, answeredMs("started")),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function restart(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const family of families) figures.push(...(await measure(family)));
  return figures;
}
