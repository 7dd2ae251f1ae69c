// What the live page shows of an invoker at one moment: states, counts and times, never what an activation was given or gave.

import type { Counter, Histogram } from "prom-client";
import type { Placed, StartKind, TaintReason } from "../../pool/index.ts";
import type { Metrics } from "../metrics.ts";
import type { Ended } from "../observe.ts";
import type { InvokerStatus } from "../service.ts";
import type { StatusCode } from "../wire/messages.ts";

/** Counts go from the start of the invoker on: whoever has two snapshots has rates. Times of day are epoch milliseconds. */
export interface Snapshot {
  /** `invoker0/unique/displayed` */
  readonly name: string;
  readonly takenMs: number;
  readonly startedMs: number;
  readonly phase: InvokerStatus["phase"];
  readonly isEnabled: boolean;
  readonly notReady: InvokerStatus["notReady"];
  /** How written pages are found, or `none`. */
  readonly rung: string;
  readonly underWay: number;
  readonly done: number;
  /** Jobs without a container. */
  readonly waiting: number;
  /** Messages on the bus that are still to be read, when it was last asked; absent: it cannot be asked. */
  readonly unread?: number;
  readonly memory: {
    readonly budgetMB: number;
    readonly reservedMB: number;
    /** Of the invoker's own process, resident. */
    readonly processMB: number;
  };
  readonly containers: readonly ShownContainer[];
  readonly activations: Counts<StatusCode>;
  readonly starts: Counts<StartKind>;
  readonly taints: Counts<TaintReason>;
  readonly rewinds: Distribution;
  /** The newest first. */
  readonly recent: readonly Ended[];
}

/** A container by its number: the names of Docker's have an action's in them. */
export interface ShownContainer {
  readonly id: number;
  readonly kind: string;
  readonly state: Placed["state"];
  readonly memoryMB: number;
  readonly sort: "lean" | "docker";
  /** It holds an action checkpoint. */
  readonly hasLevel: boolean;
  /** It has imported libraries. */
  readonly hasLibraries: boolean;
  /** Not started, but booted from the checkpoint of one that was. */
  readonly isBooted: boolean;
}

type Counts<Name extends string | number> = { readonly [name in Name]?: number };

/** How many took up to `upToMs[i]` and more than the one before; one more at the end for all that took longer. */
export interface Distribution {
  readonly upToMs: readonly number[];
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** What a snapshot is taken of, beside the metrics. */
export interface Looked extends Pick<Snapshot, "name" | "startedMs" | "rung"> {
  isEnabled(): boolean;
  status(): InvokerStatus;
}

const bytesPerMB = 1024 * 1024;
const millisecondsPerSecond = 1000;

export async function takeSnapshot(
  looked: Looked,
  metrics: Metrics,
  recent: readonly Ended[],
): Promise<Snapshot> {
  const { name, startedMs, rung } = looked;
  const { phase, notReady, underWay, done, pool } = looked.status();
  const { unread } = metrics.stock;
  return {
    ...{ name, takenMs: Date.now(), startedMs, rung, phase, notReady, underWay, done },
    isEnabled: looked.isEnabled(),
    waiting: pool.waiting,
    ...(unread === undefined ? {} : { unread }),
    memory: {
      budgetMB: pool.memoryMB,
      reservedMB: pool.reservedMB,
      processMB: Math.round(process.memoryUsage.rss() / bytesPerMB),
    },
    containers: pool.containers.map(shown),
    activations: await countsOf(metrics.activations, "status"),
    starts: await countsOf(metrics.starts, "start"),
    taints: await countsOf(metrics.tainted, "reason"),
    rewinds: await distributionOf(metrics.rewind),
    recent,
  };
}

function shown(placed: Placed): ShownContainer {
  const { id, kind, state, memoryMB, image, libraries, levelBytes, isBooted = false } = placed;
  return {
    ...{ id, kind, state, memoryMB, sort: image === undefined ? "lean" : "docker", isBooted },
    hasLevel: levelBytes !== undefined,
    hasLibraries: libraries !== undefined,
  };
}

/** By one of its labels. */
async function countsOf(counter: Counter, label: string): Promise<Counts<string>> {
  const counts: { [name: string]: number } = {};
  for (const { labels, value } of (await counter.get()).values) {
    const name = String(labels[label]);
    counts[name] = (counts[name] ?? 0) + value;
  }
  return counts;
}

/** Of all its labels together. */
async function distributionOf(histogram: Histogram): Promise<Distribution> {
  const { values } = await histogram.get();
  const upTo = new Map<number, number>();
  let sum = 0;
  for (const { metricName, labels, value } of values) {
    if (metricName?.endsWith("_sum")) sum += value;
    if (!metricName?.endsWith("_bucket")) continue;
    const bound = Number(labels.le === "+Inf" ? Number.POSITIVE_INFINITY : labels.le);
    upTo.set(bound, (upTo.get(bound) ?? 0) + value);
  }
  const bounds = [...upTo.keys()].sort((one, other) => one - other);
  const cumulative = bounds.map((bound) => upTo.get(bound) ?? 0);
  return {
    upToMs: bounds.filter(Number.isFinite).map((bound) => bound * millisecondsPerSecond),
    counts: cumulative.map((count, i) => count - (cumulative[i - 1] ?? 0)),
    sumMs: sum * millisecondsPerSecond,
  };
}
