// Metrics that mean here what they mean in the stock invoker, under the names that its Prometheus endpoint gives them.

import type { Counter, Registry } from "prom-client";
import type { PoolStatus, StartKind } from "../pool/index.ts";
import { type Marker, Markers } from "./stock-markers.ts";
import { type DatabaseMeter, type DatabaseOperation, databaseOperations } from "./store/couchdb/meter.ts";

/** Parts of an activation that stock times. */
export type Phase = (typeof phases)[number];
const phases = ["activationInit", "activationRun", "collectLogs"] as const;

const bytesPerMB = 1024 * 1024;
const millisecondsPerSecond = 1000;

/** Stock's words for how a job came by its container. It knows no rewound ones. */
const containerStates = {
  cold: "cold",
  clean: "prewarmed",
  warm: "warmed",
  rewound: "rewound",
} as const satisfies { readonly [start in StartKind]: string };

/** Of the pool: which of our states are meant, and how that is said. */
const poolGauges = {
  active: { states: ["running"], help: "containers that run an activation" },
  prewarm: { states: ["clean"], help: "containers that are nobody's yet" },
  idles: { states: ["warm"], help: "containers that wait for their action's next activation" },
} as const;

/** The events as the invoker's parts tell them. */
export class StockMetrics implements DatabaseMeter {
  readonly #markers: Markers;
  readonly activations: Counter.Internal;
  readonly rescheduled: Counter.Internal;
  /** Messages that were still to be read when it was last asked; undefined: nobody has said yet. */
  unread: number | undefined;

  /** `tags` as in WireSettings. Whose names do not depend on what happens are there from the start. */
  constructor(registry: Registry, { tags }: { readonly tags: boolean }) {
    this.#markers = new Markers(registry, tags);
    this.activations = this.#markers.counter({
      name: "invoker_activation_start",
      help: "Activation messages taken",
    });
    this.rescheduled = this.#markers.counter({
      name: "containerPool_rescheduledActivation_counter",
      help: "Jobs given to another container, because theirs was dead",
    });
    for (const phase of phases) {
      this.#markers.counter(phaseMarker(phase, "start"));
      this.#markers.timer(phaseMarker(phase, "finish"));
    }
    for (const state of Object.values(containerStates)) this.#markers.counter(startMarker(state));
    for (const operation of databaseOperations) {
      this.#markers.counter(databaseMarker(operation, "start"));
      this.#markers.counter(databaseMarker(operation, "error"));
      this.#markers.timer(databaseMarker(operation, "finish"));
      this.#markers.timer(databaseMarker(operation, "error"));
    }
    for (const isHit of [true, false]) this.#markers.counter(cacheMarker(isHit));
    this.#markers.sizes(batchMarker);
  }

  /** Once in the life of an invoker. */
  startedUp(instance: number): void {
    const marker = {
      name: `invoker_startup${instance}_counter`,
      tagged: { name: "invoker_startup_counter", labels: { invoker_id: String(instance) } },
      help: "Starts of the invoker",
    };
    this.#markers.counter(marker).inc();
  }

  phaseBegun(phase: Phase): void {
    this.#markers.counter(phaseMarker(phase, "start")).inc();
  }

  phaseEnded(phase: Phase, tookMs: number): void {
    this.#markers.timer(phaseMarker(phase, "finish")).observe(tookMs / millisecondsPerSecond);
  }

  started(start: StartKind): void {
    this.#markers.counter(startMarker(containerStates[start])).inc();
  }

  /** A message was read so long after it had been sent, by the clocks of both. */
  read(topic: string, delayMs: number): void {
    const marker = {
      name: `kafka_${topic}_delay_start`,
      tagged: { name: "kafka_topic_start", labels: { topic } },
      help: "From the sending of a message until it is read",
    };
    this.#markers.timer(marker).observe(Math.max(0, delayMs) / millisecondsPerSecond);
  }

  /** So many messages of the topic are still to be read. */
  lagging(topic: string, messages: number): void {
    this.unread = messages;
    const marker = {
      name: `kafka_${topic}_counter`,
      tagged: { name: "kafka_topic_counter", labels: { topic } },
      help: "Messages that are still to be read",
    };
    this.#markers.gauge(marker).set(messages);
  }

  /** A request to the invoker's own HTTP server. */
  answered(method: string, status: number, tookMs: number): void {
    const action = `http_${method.toLowerCase()}`;
    const marker = {
      name: `${action}_${status}_counter`,
      tagged: { name: `${action}_counter`, labels: { statusCode: String(status) } },
      help: "Answers over HTTP",
    };
    this.#markers.counter(marker).inc();
    this.#markers.timer(marker).observe(tookMs / millisecondsPerSecond);
  }

  begun(operation: DatabaseOperation): void {
    this.#markers.counter(databaseMarker(operation, "start")).inc();
  }

  ended(operation: DatabaseOperation, tookMs: number, isFailed: boolean): void {
    const marker = databaseMarker(operation, isFailed ? "error" : "finish");
    this.#markers.timer(marker).observe(tookMs / millisecondsPerSecond);
    if (isFailed) this.#markers.counter(marker).inc();
  }

  batchSent(records: number): void {
    this.#markers.sizes(batchMarker).observe(records);
  }

  cacheAsked(isHit: boolean): void {
    this.#markers.counter(cacheMarker(isHit)).inc();
  }

  /** Adds the gauges of a pool, read when somebody asks. */
  watch(status: () => PoolStatus): void {
    const show = (name: string, help: string, value: () => number): void =>
      this.#markers.watched({ name: `containerPool_${name}`, help }, value);
    show("runBufferCount_counter", "Jobs without a container", () => status().waiting);
    for (const [name, { states, help }] of Object.entries(poolGauges)) {
      const present = (): PoolStatus["containers"] =>
        status().containers.filter(({ state }) => states.some((one) => one === state));
      show(`${name}Count_counter`, `Number of ${help}`, () => present().length);
      show(`${name}Size_counter_bytes`, `Memory of ${help}`, () =>
        present().reduce((sum, { memoryMB }) => sum + memoryMB * bytesPerMB, 0),
      );
    }
  }
}

const batchMarker: Marker = { name: "database_batchSize_counter", help: "Records of one request" };

function phaseMarker(phase: Phase, state: "start" | "finish"): Marker {
  return {
    name: `invoker_${phase}_${state}`,
    help: state === "start" ? `Begun: ${phase}` : `Time of ${phase}`,
  };
}

function startMarker(containerState: string): Marker {
  return {
    name: `invoker_containerStart_${containerState}_counter`,
    tagged: { name: "invoker_containerStart_counter", labels: { containerState } },
    help: "Jobs given a container, by how they came by it",
  };
}

function databaseMarker(operation: DatabaseOperation, state: "start" | "finish" | "error"): Marker {
  return { name: `database_${operation}_${state}`, help: `Database: ${operation}, ${state}` };
}

function cacheMarker(isHit: boolean): Marker {
  return isHit
    ? { name: "database_cacheHit_counter", help: "Actions found in the cache" }
    : { name: "database_cacheMiss_counter", help: "Actions fetched from the database" };
}
