// The metrics of this project in one table. Labels come from closed sets; there is never one for an action or a namespace.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import {
  type AheadCounts,
  type CodeCounts,
  codeUses,
  type EmbryoCounts,
  type LevelOutcome,
  levelBytes,
  levelRefusals,
  libraryRefusals,
  type PoolStatus,
  type RewindTimings,
  reliefs,
  removalCauses,
  type StartKind,
  type StartPlace,
  startPlaces,
  storedReasons,
  taintReasons,
} from "../pool/index.ts";
import { backgroundWorks } from "./background.ts";
import { StockMetrics } from "./stock-metrics.ts";

export const millisecondsPerSecond = 1000;
const microsecondsPerSecond = 1_000_000;
const bytesPerMB = 1024 * 1024;

const quickSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5];
const workSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const states = ["starting", "clean", "running", "warm", "rewinding", "tainted", "removing"] as const;

/** The parts of a rewind as the restorer times them, and their names as labels. */
const phases = {
  freezeUs: "freeze",
  layoutUs: "layout",
  scanUs: "scan",
  planUs: "plan",
  runUs: "run",
  stateUs: "state",
  registersUs: "registers",
  verifyUs: "verify",
  thawUs: "thaw",
} as const satisfies { readonly [phase in keyof RewindTimings]?: string };

const startOf = {
  ...{
    warm: "warm",
    level: "warm",
    brought: "warm",
    rewound: "rewound",
    clean: "clean",
    booted: "cold",
    started: "cold",
  },
} as const satisfies { readonly [place in StartPlace]: StartKind };

export class Metrics {
  readonly registry = new Registry();
  readonly stock: StockMetrics;

  readonly activations = this.#counter("activations_total", "Activations ended, by status code", ["status"]);
  readonly starts = this.#counter(
    "starts_total",
    "Jobs given a container, by how they came by it, where they begin, and whether libraries are there",
    ["start", "place", "libraries"],
  );
  readonly poolWait = this.#histogram("pool_wait_seconds", "From the job to its container", quickSeconds);
  readonly rewinds = this.#counter("rewinds_total", "Containers put back to their checkpoint", ["verified"]);
  readonly rewind = this.#histogram(
    "rewind_seconds",
    "From the end of an activation to a clean container, by the way of finding written pages",
    quickSeconds,
    ["rung"],
  );
  readonly rewindPhase = this.#histogram(
    "rewind_phase_seconds",
    "The parts of a rewind",
    quickSeconds.map((seconds) => seconds / 10),
    ["phase"],
  );
  readonly levels = this.#counter(
    "action_checkpoints_total",
    "Inits that might have left an action checkpoint, by what became of it",
    ["result"],
  );
  readonly levelTaking = this.#histogram(
    "action_checkpoint_seconds",
    "How long an activation waited for its action checkpoint",
    quickSeconds,
  );
  readonly tainted = this.#counter("tainted_total", "Containers not known to be clean, by reason", [
    "reason",
  ]);
  readonly containersStarted = this.#counter("container_starts_total", "Containers started", ["result"]);
  readonly containersMade = this.#counter(
    "containers_made_total",
    "Containers that became ready: started, or booted from the checkpoint of one that was",
    ["how"],
  );
  readonly bootsFailed = this.#counter(
    "boots_failed_total",
    "Containers that could not be booted, by reason",
    ["reason"],
  );
  readonly templatesStored = this.#counter(
    "stored_templates_total",
    "Templates on disk: kept, loaded, or why one was not",
    ["result"],
  );
  readonly librariesRefused = this.#counter(
    "libraries_refused_total",
    "Library sets that no container could be made with, by reason",
    ["reason"],
  );
  readonly containerStart = this.#histogram(
    "container_start_seconds",
    "From the order to a proven checkpoint",
    workSeconds,
  );
  readonly removed = this.#counter("containers_removed_total", "Containers removed, by cause", ["cause"]);
  readonly relieved = this.#counter(
    "memory_relieved_total",
    "What was given up because the machine's memory was short",
    ["what"],
  );
  readonly acks = this.#counter("acks_total", "Acknowledgements to controllers", ["shape", "result"]);
  readonly unreadable = this.#counter("messages_unreadable_total", "Messages skipped", []);
  readonly backgroundFailures = this.#counter("background_failures_total", "Failed unawaited work", ["what"]);
  readonly recordsLost = this.#counter("records_lost_total", "Records that no database will have", ["why"]);
  readonly spans = this.#counter("spans_total", "Spans for Zipkin, by what became of them", ["result"]);
  readonly rungs = this.#gauge("rung_proven", "1 where a way of finding written pages proved itself", [
    "rung",
  ]);

  /** `tags` as in WireSettings. */
  constructor(options: { readonly tags: boolean } = { tags: false }) {
    this.stock = new StockMetrics(this.registry, options);
    // What happens for the first time is a rise only where there was a 0 before.
    for (const reason of taintReasons) {
      this.tainted.inc({ reason }, 0);
      this.bootsFailed.inc({ reason }, 0);
    }
    for (const result of ["kept", "loaded", ...storedReasons]) this.templatesStored.inc({ result }, 0);
    for (const reason of libraryRefusals) this.librariesRefused.inc({ reason }, 0);
    for (const how of ["started", "booted"]) this.containersMade.inc({ how }, 0);
    for (const status of [0, 1, 2, 3]) this.activations.inc({ status }, 0);
    for (const place of startPlaces)
      for (const libraries of ["no", "yes"]) this.starts.inc({ start: startOf[place], place, libraries }, 0);
    for (const result of ["ready", "failed", "put-off"]) this.containersStarted.inc({ result }, 0);
    for (const shape of ["result", "completion", "combined"])
      for (const result of ["sent", "failed"]) this.acks.inc({ shape, result }, 0);
    for (const cause of removalCauses) this.removed.inc({ cause }, 0);
    for (const result of ["taken", ...levelRefusals]) this.levels.inc({ result }, 0);
    for (const what of backgroundWorks) this.backgroundFailures.inc({ what }, 0);
    for (const why of ["dropped", "refused"]) this.recordsLost.inc({ why }, 0);
    for (const what of reliefs) this.relieved.inc({ what }, 0);
    this.unreadable.inc(0);
  }

  /** Adds the gauges of a pool, read when somebody asks. */
  watch(status: () => PoolStatus): void {
    this.stock.watch(status);
    const containers = this.#gauge("containers", "Containers, by state", ["state"], () => {
      const present = status().containers;
      for (const state of states) {
        containers.set({ state }, present.filter((container) => container.state === state).length);
      }
    });
    const libraries = this.#gauge("containers_with_libraries", "Containers that have libraries", [], () => {
      libraries.set(status().containers.filter((container) => container.libraries !== undefined).length);
    });
    const memory = this.#gauge("memory_reserved_bytes", "Memory reserved by containers", [], () => {
      memory.set(status().reservedMB * bytesPerMB);
    });
    const levels = this.#gauge(
      "action_checkpoints_bytes",
      "Memory that action checkpoints take beside the containers",
      [],
      () => {
        levels.set(levelBytes(status().containers));
      },
    );
    const short = this.#gauge(
      "memory_short",
      "1 while nothing is made that was given up because the machine's memory was short",
      [],
      () => {
        short.set(status().memory?.isShort === true ? 1 : 0);
      },
    );
    const available = this.#gauge(
      "memory_available_bytes",
      "What is left of the machine's memory, or of a limit above the containers if that is scarcer; absent where nobody has looked",
      [],
      () => {
        available.reset();
        const { availableMB = Number.POSITIVE_INFINITY } = status().memory ?? {};
        if (Number.isFinite(availableMB)) available.set(availableMB * bytesPerMB);
      },
    );
    const budget = this.#gauge(
      "memory_budget_bytes",
      "Memory that all containers together may have",
      [],
      () => {
        budget.set(status().memoryMB * bytesPerMB);
      },
    );
  }

  /** Adds what is made ahead, read when somebody asks. */
  watchAhead(ahead: () => AheadCounts): void {
    const ready = this.#gauge("ahead", "Parts of lean containers that are ready", ["what"], () => {
      const { networks, containers } = ahead();
      ready.set({ what: "networks" }, networks.ready);
      ready.set({ what: "containers" }, containers.ready);
    });
    const replaced = this.#counted(
      "containers_replaced_total",
      "Containers made ahead that had ended when they were to run, in whose place others were made",
      [],
      () => {
        replaced.inc(ahead().containers.replaced);
      },
    );
    const made = this.#counted("networks_made_total", "Networks of lean containers made", [], () => {
      made.inc(ahead().networks.made);
    });
    const left = this.#counted(
      "networks_left_total",
      "Networks that containers have left",
      ["result"],
      () => {
        const { reused, discarded } = ahead().networks;
        left.inc({ result: "reused" }, reused);
        left.inc({ result: "discarded" }, discarded);
      },
    );
  }

  /** Adds what booted containers share their memory with, read when somebody asks. */
  watchEmbryos(counts: () => EmbryoCounts): void {
    const living = this.#gauge("embryos", "Processes that booted containers share memory with", [], () => {
      living.set(counts().living);
    });
    const bytes = this.#gauge("embryos_bytes", "Memory that they have", [], () => {
      bytes.set(counts().bytes);
    });
  }

  /** Adds the store of code, read when somebody asks. */
  watchCodes(counts: () => CodeCounts): void {
    const uses = this.#counted(
      "code_store_uses_total",
      "Archives that were to be run out of the code store, by what became of it",
      ["result"],
      () => {
        for (const result of codeUses) uses.inc({ result }, counts().uses[result]);
      },
    );
    const archives = this.#gauge("code_store_archives", "Archives in the code store", [], () => {
      archives.set(counts().archives);
    });
    const bytes = this.#gauge("code_store_bytes", "What they take on disk", [], () => {
      bytes.set(counts().bytes);
    });
  }

  level(outcome: LevelOutcome): void {
    if ("refused" in outcome) {
      this.levels.inc({ result: outcome.refused });
      return;
    }
    this.levels.inc({ result: "taken" });
    this.levelTaking.observe(outcome.taken.tookMs / millisecondsPerSecond);
  }

  rewound(timings: RewindTimings, tookMs: number, rung: string): void {
    this.rewinds.inc({ verified: String(timings.verified) });
    this.rewind.observe({ rung }, tookMs / millisecondsPerSecond);
    for (const [field, phase] of Object.entries(phases)) {
      this.rewindPhase.observe({ phase }, timings[field as keyof typeof phases] / microsecondsPerSecond);
    }
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `rewhisk_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** One that somebody else counts: `collect` adds all since the start. */
  #counted(name: string, help: string, labelNames: readonly string[], collect: () => void): Counter {
    const counter = new Counter({
      ...{ name: `rewhisk_${name}`, help, labelNames, registers: [this.registry] },
      collect() {
        counter.reset();
        collect();
      },
    });
    return counter;
  }

  #gauge(name: string, help: string, labelNames: readonly string[], collect?: () => void): Gauge {
    const registers = [this.registry];
    return new Gauge({ name: `rewhisk_${name}`, help, labelNames, registers, ...(collect && { collect }) });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: readonly string[] = []): Histogram {
    return new Histogram({ name: `rewhisk_${name}`, help, buckets, labelNames, registers: [this.registry] });
  }
}
