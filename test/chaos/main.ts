// A chaos run: load, faults one after the other and some at a time, and the account of every activation at the end.
// Arguments: see test/chaos.mjs. Exit code 1: something cannot be accounted for.

import { spawnSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectFolder } from "../../invoker/config/entries.ts";
import { within } from "../within.ts";
import { type Account, account } from "./account.ts";
import { seconds, strike } from "./faults.ts";
import type { LogLine } from "./lives.ts";
import { othersOf } from "./network.ts";
import { drawBlows, kindsOfFaults } from "./plan.ts";
import { startWorld, type World } from "./world.ts";

const startLimitMs = 180_000;
/** Until the balancer has completed by force what is lost, and the rest has been answered. */
const quietLimitMs = 180_000;
/** In a run that is as short as it can be, faults last so much less. */
const shortestFaults = 0.4;
/** What an invoker must never say, whatever happens around it. */
const neverSaid = [
  "record-dropped",
  "record-refused",
  "spool-unreadable",
  "message-failed",
  "message-unreadable",
];
/** How it says that it cannot start now, as with a server away. */
const cannotStart = "exit 2";
const shownComplaints = 40;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    logs: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 1e6);
if (!(minutes >= 0) || !Number.isSafeInteger(seed)) {
  console.error("--minutes is a number from 0 on, --seed a whole number");
  process.exit(2);
}

const startMs = performance.now();
const say = (line: string): void =>
  console.log(`${seconds(performance.now() - startMs).padStart(8)}  ${line}`);
let endedBy: string | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endedBy = signal;
    say(`${signal}: the run ends after this fault`);
  });
}

/** Until the time is over, but every kind of fault at least once. */
async function strikeAll(world: World): Promise<void> {
  const blows = drawBlows(seed, minutes === 0 ? shortestFaults : 1);
  const kinds = new Set<string>();
  let faults = 0;
  for (const blow of blows) {
    const isOver = performance.now() - startMs >= minutes * 60_000 && kinds.size === kindsOfFaults;
    if (isOver || endedBy !== undefined) break;
    say(await strike(world, blow));
    faults += blow.faults.length;
    for (const { fault } of blow.faults) kinds.add(`${fault.kind} ${fault.target}`);
  }
  say(`${faults} faults of ${kinds.size} kinds`);
}

/** All has been answered, and all slots are free. */
async function quieten({ load, running }: World): Promise<void> {
  await load.stop();
  const { balancer } = running.services;
  await within(quietLimitMs, () => balancer.inFlight === 0 || undefined).catch(() => undefined);
}

function complaintsOfLog(lines: readonly LogLine[]): readonly string[] {
  return lines
    .filter(({ event }) => neverSaid.includes(event ?? ""))
    .map((line) => `the invoker said ${JSON.stringify(line)}`);
}

function complaintsOfLives({ lives }: World): readonly string[] {
  const odd = lives.stories.filter(({ end = "" }) => !["killed", "drained", cannotStart].includes(end));
  return odd.map(({ name, end }) => `${name} of the invoker ended by itself: ${end}`);
}

function leftovers({ instance, folder }: World): readonly string[] {
  const script = join(projectFolder(), "test", "leftovers.mjs");
  const { stdout } = spawnSync(process.execPath, [script, "--instance", instance], { encoding: "utf8" });
  return [...stdout.split("\n").filter(Boolean), ...othersOf(folder)].map((what) => `left behind: ${what}`);
}

function keepLogs({ folder, notes }: World, place: string): void {
  cpSync(join(folder, "logs"), place, { recursive: true });
  writeFileSync(join(place, "controller.log"), `${notes.join("\n")}\n`);
}

function show({ table }: Account): string {
  const width = Math.max(...table.map(([what]) => what.length));
  return table.map(([what, count]) => `${what.padEnd(width)}  ${String(count).padStart(7)}`).join("\n");
}

/** Gives the account, and what else there is to complain of. */
async function run(world: World): Promise<{ readonly balance: Account; readonly complaints: string[] }> {
  world.lives.start();
  await world.load.prepare();
  await within(
    startLimitMs,
    async () => (world.isHealthy() && (await world.load.probe("image"))) || undefined,
  );
  say("all is up");
  world.load.start();
  const complaints: string[] = [];
  await strikeAll(world).catch((error: unknown) => {
    complaints.push(`the invoker does not recover: ${String(error)}`);
  });
  await quieten(world);
  await world.lives.end("drained");
  const { stories } = world.lives;
  const refused = stories.filter(({ end }) => end === cannotStart).length;
  say(`${stories.length} lives of the invoker, ${refused} of them could not start then; reading the books`);
  const balance = account(await world.ledger());
  complaints.push(...balance.complaints, ...complaintsOfLog(world.lives.log()), ...complaintsOfLives(world));
  complaints.push(...(await world.servers.containers()).map((name) => `left behind in Docker: ${name}`));
  return { balance, complaints };
}

async function runAndEnd(world: World): ReturnType<typeof run> {
  try {
    return await run(world);
  } finally {
    await world.lives.end("drained");
    if (values.logs !== undefined) keepLogs(world, values.logs);
    await world.close();
  }
}

async function main(): Promise<number> {
  console.log(`seed ${seed}`);
  const world = await startWorld(seed);
  const { balance, complaints } = await runAndEnd(world);
  complaints.push(...leftovers(world));
  console.log(`\n${show(balance)}\n\nseed ${seed}, ${seconds(performance.now() - startMs)}`);
  if (endedBy !== undefined) complaints.push(`ended early by ${endedBy}`);
  for (const complaint of complaints.slice(0, shownComplaints)) console.log(complaint);
  console.log(complaints.length === 0 ? "all accounted for" : `${complaints.length} complaints`);
  return complaints.length === 0 ? 0 : 1;
}

process.exit(await main());
