// The metrics in one table. Labels come from closed sets; there is never one for an action or a namespace.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type PoolStatus, taintReasons } from "../pool/index.ts";

export const millisecondsPerSecond = 1000;

const quickSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5];
const workSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const states = ["starting", "clean", "running", "warm", "rewinding", "tainted", "removing"] as const;

export class Metrics {
  readonly registry = new Registry();

  readonly activations = this.#counter("activations_total", "Activations ended, by status code", ["status"]);
  readonly starts = this.#counter("starts_total", "Jobs given a container, by how they came by it", [
    "start",
  ]);
  readonly poolWait = this.#histogram("pool_wait_seconds", "From the job to its container", quickSeconds);
  readonly init = this.#histogram("init_seconds", "Time of an init", workSeconds);
  readonly run = this.#histogram("run_seconds", "Time of a run", workSeconds);
  readonly rewinds = this.#counter("rewinds_total", "Containers put back to their checkpoint", ["verified"]);
  readonly rewind = this.#histogram(
    "rewind_seconds",
    "From the end of an activation to a clean container",
    quickSeconds,
  );
  readonly tainted = this.#counter("tainted_total", "Containers not known to be clean, by reason", [
    "reason",
  ]);
  readonly containersStarted = this.#counter("container_starts_total", "Containers started", ["result"]);
  readonly containerStart = this.#histogram(
    "container_start_seconds",
    "From the order to a proven checkpoint",
    workSeconds,
  );
  readonly removed = this.#counter("containers_removed_total", "Containers removed, by cause", ["cause"]);
  readonly acks = this.#counter("acks_total", "Acknowledgements to controllers", ["shape", "result"]);
  readonly unreadable = this.#counter("messages_unreadable_total", "Messages skipped", []);
  readonly backgroundFailures = this.#counter("background_failures_total", "Failed unawaited work", ["what"]);
  readonly rungs = this.#gauge("rung_proven", "1 where a way of finding written pages proved itself", [
    "rung",
  ]);

  constructor() {
    for (const reason of taintReasons) this.tainted.inc({ reason }, 0);
    this.unreadable.inc(0);
  }

  /** Adds the gauges of a pool, read when somebody asks. */
  watch(status: () => PoolStatus): void {
    const containers = this.#gauge("containers", "Containers, by state", ["state"], () => {
      const present = status().containers;
      for (const state of states) {
        containers.set({ state }, present.filter((container) => container.state === state).length);
      }
    });
    const memory = this.#gauge("memory_reserved_bytes", "Memory reserved by containers", [], () => {
      memory.set(status().reservedMB * 1024 * 1024);
    });
    const waiting = this.#gauge("jobs_waiting", "Jobs without a container", [], () => {
      waiting.set(status().waiting);
    });
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `rewhisk_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[], collect?: () => void): Gauge {
    const registers = [this.registry];
    return new Gauge({ name: `rewhisk_${name}`, help, labelNames, registers, ...(collect && { collect }) });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `rewhisk_${name}`, help, buckets, registers: [this.registry] });
  }
}
