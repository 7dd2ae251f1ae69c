// Measures: what a live page costs the invoker's thread, as its processor time: a snapshot of 100 containers, made and sent to one
//   and to sixteen who watch, which are other processes; and what it costs more to end an activation while somebody watches. Then
//   all of it for a second with one snapshot and 500 activations, in percent of one CPU.
// Does not measure: the kernel's part in sending, beyond this thread's calls; the browser.
// Varies: how many watch.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { serveAdmin } from "../invoker/http.ts";
import { openLook } from "../invoker/ui/look.ts";
import { defaultWatchLimits } from "../invoker/ui/watchers.ts";
import { orderOf } from "../test/unit/invoker/orders.ts";
import { StandIn } from "../test/unit/invoker/stand-in.ts";
import { World } from "../test/unit/invoker/world.ts";
import { type Figure, fromSamples } from "./figures.ts";

const containers = 100;
const memoryMB = 256;
const perSecond = 500;
const rounds = 40;
const snapshotsPerRound = 50;
const endingsPerRound = 20_000;
const [username, password] = ["operator", "page"];
const nsPerMs = 1e6;

/** Processor time of this process's main thread so far, as the scheduler counts it: see proc_pid_schedstat(5). */
function threadMs(): number {
  return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / nsPerMs;
}

/** A process that watches, once its first snapshot has come. */
async function watch(port: number): Promise<ChildProcess> {
  const where = JSON.stringify({ port, path: "/ui/events", auth: `${username}:${password}` });
  const program = `require("node:http").get(${where}, (response) => response.once("data", () => console.log()).resume())`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

/** An invoker with a pool, and how many snapshots of it have been taken. */
class Watched extends StandIn {
  readonly world: World;
  snapshots = 0;

  constructor(world: World) {
    super();
    this.world = world;
    this.look = () => {
      const { observer, pool } = this.world;
      const status = (): StandIn["shown"] => ({ ...this.shown, pool: pool.status() });
      const state = { name: this.name, startedMs: 0, rung: "soft-dirty", status, isEnabled: () => true };
      const look = openLook(state, observer);
      const snapshot: typeof look.snapshot = () => {
        this.snapshots++;
        return look.snapshot();
      };
      return { ...look, snapshot };
    };
  }
}

const outcome = { statusCode: 0, result: {}, resultText: "{}", size: 2 } as const;
const work = { outcome, startMs: 1, endMs: 9, initMs: 3, begunMs: 1, timedOut: false };

function endActivations({ observer }: World, count: number): void {
  const { message } = orderOf();
  for (let i = 0; i < count; i++)
    observer.activationDone(message, work, { start: "rewound", place: "rewound" });
}

/** Milliseconds for each snapshot that is made and sent to so many. */
async function snapshotCosts(watched: Watched, watchers: number): Promise<readonly number[]> {
  const server = await serveAdmin(
    watched,
    {
      ...{ host: "127.0.0.1", port: 0, username, password, showsMetrics: true, tls: undefined },
      transactionHeader: "X-Request-ID",
    },
    undefined,
    { ...defaultWatchLimits, everyMs: 10 },
  );
  const children = await Promise.all(Array.from({ length: watchers }, () => watch(server.port)));
  endActivations(watched.world, perSecond);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [beforeMs, before] = [threadMs(), watched.snapshots];
    while (watched.snapshots < before + snapshotsPerRound) await sleep(snapshotsPerRound);
    costs.push((threadMs() - beforeMs) / (watched.snapshots - before));
  }
  await server.close();
  await Promise.all(
    children.map(async (child) => {
      child.kill();
      await once(child, "close");
    }),
  );
  return costs;
}

/** Milliseconds for each activation that ends, more than while nobody watches. */
function endingCosts({ world, look }: Watched): readonly number[] {
  const endAll = (): number => {
    const beforeMs = threadMs();
    endActivations(world, endingsPerRound);
    return (threadMs() - beforeMs) / endingsPerRound;
  };
  return Array.from({ length: rounds }, () => {
    const withoutMs = endAll();
    const opened = look();
    const costMs = endAll() - withoutMs;
    opened.close();
    return costMs;
  }).slice(1);
}

export async function livePage(): Promise<readonly Figure[]> {
  const stemCells = [{ kind: "nodejs:20", count: containers, memoryMB }];
  const world = new World({}, undefined, { userMemoryMB: containers * memoryMB, stemCells }, "warn");
  world.observer.watch(world.pool);
  await world.pool.settled();
  const watched = new Watched(world);
  const ending = endingCosts(watched);
  const one = await snapshotCosts(watched, 1);
  const sixteen = await snapshotCosts(watched, 16);
  await world.pool.close();
  const bench = "live-page";
  const usPerMs = 1000;
  const figures = [
    fromSamples(
      { bench, figure: "an activation ends, more than unwatched", unit: "us" },
      ending.map((ms) => ms * usPerMs),
    ),
    fromSamples({ bench, figure: "a snapshot, one watches", unit: "ms" }, one),
    fromSamples({ bench, figure: "a snapshot, sixteen watch", unit: "ms" }, sixteen),
  ];
  const [endingUs, ...snapshots] = figures.map(({ value }) => value);
  const shares = snapshots
    .map((snapshotMs) => ((endingUs ?? 0) / usPerMs) * perSecond + snapshotMs)
    .map((ms) => ms / 10);
  return [
    ...figures,
    ...["one watches", "sixteen watch"].map((who, i) =>
      fromSamples(
        { bench, figure: `invoker's thread, ${who}`, unit: "% CPU", goal: "<= 1" },
        shares.slice(i, i + 1),
      ),
    ),
  ];
}
