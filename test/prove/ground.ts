// Real containers in which proofs are made: an action runs, its container is put back, and what became of it is told.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type Checkpoint,
  createLeanFactory,
  defaultPoolSettings,
  type Exchange,
  findInterpreters,
  type Lease,
  type LevelRefusal,
  type Machine,
  Pool,
  type PoolSettings,
  type Probe,
  probe,
  type RewindTimings,
  type Rung,
  realMachine,
  type StartKind,
  type TaintReason,
} from "../../pool/index.ts";
import { ContainerCheckpoint, RestorerError } from "../../restorer/index.ts";
import type { Family, Json, JsonObject } from "../corpus.ts";
import { isStopped } from "../processes.ts";
import { ownLibrary } from "../system/booted.ts";
import { instanceName } from "../system/instance.ts";
import { patience } from "../system/real-invoker.ts";
import { watched } from "../system/watched.ts";
import { holdsWithin } from "../within.ts";

/** build/native, seen from build/js/test/prove. */
const launcher = fileURLToPath(new URL("../../../native/lean", import.meta.url));
/** Of every job. */
export const memoryMB = 256;
const largestBody = 1 << 20;
const restTries = 10;
/** Until each thread of a process has taken that it is to stop. */
const stopPatienceMs = 10_000;

/** The Node that runs this is the one that is proved; the other ones on request. */
export const kindOf: Readonly<Record<Family, string>> = {
  nodejs: `nodejs:${process.versions.node.split(".")[0]}`,
  python: "python:3",
  ruby: "ruby:3",
};

/** An action as it is loaded: source text, or an archive. */
export interface Program {
  readonly source: string | Buffer;
  readonly binary?: boolean;
}

/** One use of a container, from its load to the end of its rewind. */
export interface Visit {
  readonly outcome: Exchange["outcome"];
  /** As the action proxy gives it: 200, or 502 where the action failed. Undefined without an answer. */
  readonly status: number | undefined;
  /** What the action returned; undefined without an answer. */
  readonly result: Json | undefined;
  readonly logs: readonly string[];
  readonly container: string;
  readonly start: StartKind;
  /** Undefined where the container was replaced, or kept as it was. */
  readonly timings: RewindTimings | undefined;
  /** Why its init has left no action checkpoint, where one might have been taken. */
  readonly refused: LevelRefusal | undefined;
  /** Why the container was replaced. */
  readonly taint: { readonly reason: TaintReason; readonly detail: string } | undefined;
}

export interface GroundOptions {
  readonly family: Family;
  readonly kind?: string;
  /** Tells it from others that live at the same time. */
  readonly name: string;
  /** After every rewind the oracle compares with the checkpoint. */
  readonly verify?: boolean;
  readonly rung?: Rung;
  /** Replaces parts of the machine, such as to leave out a step of the pool's. */
  readonly change?: (machine: Machine) => Machine;
  /** Folder that holds runtimes/ and pool/, where not the project's own. */
  readonly repository?: string;
  readonly pool?: Partial<PoolSettings>;
  /** Each program's first visit takes an action checkpoint, and the others of the same owner begin there. */
  readonly atLevel?: boolean;
  /** With atLevel and isBooted: the visits are in another container than that which has taken the action checkpoint, and is brought there. */
  readonly isBrought?: boolean;
  /** No container is used that was started: the first is only there for the others to be booted from. Without a `rung`. */
  readonly isBooted?: boolean;
  /** Containers have a library in their base, where the family can have some. */
  readonly hasLibrary?: boolean;
}

export interface VisitOptions {
  /** Two with the same may share live state under the policy on-change. */
  readonly owner?: string;
  readonly timeoutMs?: number;
  /** Of the load alone; by default as long as a run has. */
  readonly initTimeoutMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called between an answer and the rewind; `again` runs the program once more, and gives what that returned. */
  readonly beforeRelease?: (again: (value: JsonObject) => Promise<Json | undefined>) => Promise<void>;
}

function resultOf(exchange: Exchange): Json | undefined {
  return exchange.outcome === "answer" ? (JSON.parse(exchange.body) as Json) : undefined;
}

/** The checkpoint with another way to be rewound. */
export function rewoundBy(checkpoint: Checkpoint, rewind: Checkpoint["rewind"]): Checkpoint {
  return {
    summary: checkpoint.summary,
    get level() {
      return checkpoint.level;
    },
    takeLevel: (options) => checkpoint.takeLevel(options),
    rewind,
    release: () => checkpoint.release(),
  };
}

/** A rewind that is to be verified is made as others are, and compared by a call of its own: that must not decide anything. */
function comparedAfterwards({ takeCheckpoint, ...machine }: Machine, rung: Rung | undefined): Machine {
  if (rung === undefined) return { ...machine, takeCheckpoint };
  return {
    ...machine,
    takeCheckpoint: async (pids) => {
      const checkpoint = await ContainerCheckpoint.take(pids, { rung });
      return rewoundBy(checkpoint, async ({ verify, to = "base" }) => {
        // Threads that wait for a time would go on meanwhile.
        const timings = await checkpoint.rewind({ verify: false, to, halts: verify });
        if (verify) await holdsWithin(stopPatienceMs, () => pids.every(isStopped));
        const difference = verify ? await checkpoint.verify() : undefined;
        if (verify) for (const pid of pids) process.kill(pid, "SIGCONT");
        if (difference === undefined) return { ...timings, verified: verify };
        throw new RestorerError("verify-difference", difference, true);
      });
    },
  };
}

/** A pool of (by default) one container. One visit at a time. */
export class Ground {
  readonly #pool: Pool;
  readonly #wanted: { readonly kind: string; readonly modules: ReadonlySet<string> };
  readonly #close: () => Promise<void>;
  readonly #isBrought: boolean;
  /** Of the container that has taken the action checkpoint: as long as it is in use, others are brought there. */
  #taker: Lease | undefined;
  #notBooted: string | undefined;
  #timings: RewindTimings | undefined;
  #taint: Visit["taint"];
  #refused: LevelRefusal | undefined;

  private constructor(
    pool: Pool,
    wanted: { readonly kind: string; readonly modules: ReadonlySet<string> },
    isBrought: boolean,
    close: () => Promise<void>,
  ) {
    this.#pool = pool;
    this.#isBrought = isBrought;
    this.#wanted = wanted;
    this.#close = close;
    pool.events.on("rewound", ({ timings }) => {
      this.#timings = timings;
    });
    pool.events.on("level", ({ outcome }) => {
      if ("refused" in outcome) this.#refused = outcome.refused;
    });
    pool.events.on("tainted", ({ reason, error }) => {
      this.#taint = { reason, detail: error.message };
    });
  }

  static async start(options: GroundOptions): Promise<Ground> {
    const { family, name, verify = true, rung, change = (machine) => machine, repository } = options;
    const { kind = kindOf[family], atLevel = false, isBooted: boots = false, hasLibrary = false } = options;
    const { isBrought = false } = options;
    const count = isBrought ? 2 : 1;
    const modules = [hasLibrary ? ownLibrary[family] : undefined].filter((name) => name !== undefined);
    const cell = { kind, count, memoryMB };
    const factory = createLeanFactory({
      instance: instanceName(name),
      interpreters: await findInterpreters(),
      environment: { __OW_API_HOST: "http://localhost:3233" },
      scratchMB: 256,
      launcher,
      ...(repository === undefined ? {} : { repository }),
    });
    await factory.removeLeftovers();
    const found: Probe = rung === undefined ? await probe() : { rung, rungs: [], obstacles: [] };
    const runtimes: number[] = [];
    const seen = watched(factory, ({ runtimePid }) => runtimes.push(runtimePid));
    const settings = {
      ...{ ...defaultPoolSettings, ...patience, boots },
      ...(modules.length > 0 ? { libraries: [{ ...cell, modules }] } : { stemCells: [cell] }),
      userMemoryMB: count * memoryMB,
      ...{ verifyFirst: verify ? Number.POSITIVE_INFINITY : 0, verifyOneIn: Number.MAX_SAFE_INTEGER },
      ...{ usesBeforeRetirement: Number.MAX_SAFE_INTEGER, ageBeforeRetirementMs: Number.MAX_SAFE_INTEGER },
      ...(atLevel && { levelMemoryMB: count * memoryMB, levelInitMs: 0 }),
      // What is verified on its way is not measured, so that no init is preferred.
      ...(isBrought && { sharesLevels: true, verifyOneIn: 1 }),
      ...options.pool,
    };
    const real = realMachine(seen, found, undefined, settings);
    const pool = new Pool(change(boots ? real : comparedAfterwards(real, found.rung)), settings);
    await pool.settled();
    const ground = new Ground(pool, { kind, modules: new Set(modules) }, isBrought, async () => {
      await pool.close();
      await factory.close();
    });
    if (boots) await ground.#replaceByBooted(runtimes[0] ?? 0);
    return ground;
  }

  /**
   * Loads a program, runs it once with `value`, gives the container back. Resolves after the rewind. Throws PoolError where
   * there is no container.
   */
  async visit(program: Program, value: JsonObject, options: VisitOptions = {}): Promise<Visit> {
    const { owner = "prover", timeoutMs = 60_000, environment = {}, beforeRelease } = options;
    const limits = { timeoutMs, maxBodyBytes: largestBody, keptBodyBytes: largestBody };
    const initLimits = { ...limits, timeoutMs: options.initTimeoutMs ?? timeoutMs };
    // Nobody is brought any more to where one could not be put back.
    const hasFailed = this.#taint !== undefined;
    this.#timings = this.#taint = this.#refused = undefined;
    const lease = await this.#pool.lease({ ...this.#wanted, memoryMB, owner });
    const { containers } = this.#pool.status();
    if (this.#wanted.modules.size > 0 && containers.some(({ libraries }) => libraries === undefined))
      throw new Error("a container has no library");
    if (this.#notBooted !== undefined) throw new Error(`a container was not booted: ${this.#notBooted}`);
    const { containerId: container, start, place } = lease;
    if (this.#taker !== undefined && place !== "brought" && place !== "level" && !hasFailed) {
      await lease.release(false);
      throw new Error(`a container was not brought: ${place}`);
    }
    lease.keepLogs(largestBody);
    const { source, binary = false } = program;
    const code = Buffer.from(source as string);
    const frame = { name: "proof", main: "main", binary, env: environment, code };
    const loaded = lease.initialised ? undefined : (await lease.init(frame, initLimits)).exchange;
    const isLoaded = loaded === undefined || (loaded.outcome === "answer" && loaded.status === 200);
    const run = async (args: JsonObject): Promise<Exchange> =>
      (await lease.run(JSON.stringify({ value: args }), limits)).exchange;
    const exchange = isLoaded ? await run(value) : loaded;
    if (exchange.outcome === "answer") await beforeRelease?.(async (args) => resultOf(await run(args)));
    const { lines: logs } = await lease.collectLogs();
    await lease.release(exchange.outcome === "answer");
    const status = exchange.outcome === "answer" ? exchange.status : undefined;
    return {
      ...{ outcome: exchange.outcome, status, result: resultOf(exchange), logs, container, start },
      ...{ timings: this.#timings, taint: this.#taint, refused: this.#refused },
    };
  }

  /** A visit that leaves an action checkpoint, where one can be left: on a busy machine threads may be late to come to rest. */
  async visitFirst(program: Program, value: JsonObject, options: VisitOptions = {}): Promise<Visit> {
    await this.#letTakerGo();
    for (let attempt = 1; ; attempt++) {
      const visit = await this.visit(program, value, options);
      if (visit.refused === "not-quiescent" && attempt < restTries) continue;
      if (!this.#isBrought || visit.refused !== undefined) return visit;
      await this.#holdTaker(visit, options);
      // What is each container's own, such as its name, is that of the one that the others are in.
      return await this.visit(program, value, options);
    }
  }

  async stop(): Promise<void> {
    await this.#letTakerGo();
    await this.#close();
  }

  async #holdTaker({ container }: Visit, { owner = "prover" }: VisitOptions): Promise<void> {
    this.#taker = await this.#pool.lease({ ...this.#wanted, memoryMB, owner });
    const { containerId, place } = this.#taker;
    if (containerId !== container || place !== "level")
      throw new Error(
        `the action checkpoint of ${container} was not come back to: ${place} in ${containerId}`,
      );
  }

  async #letTakerGo(): Promise<void> {
    await this.#taker?.release(true);
    this.#taker = undefined;
  }

  async #replaceByBooted(runtimePid: number): Promise<void> {
    const { events } = this.#pool;
    let failure = "there was nothing to boot it from";
    events.on("bootFailed", ({ reason, error }) => {
      failure = `${reason}: ${error.message}`;
    });
    events.on("started", ({ isBooted }) => {
      if (!isBooted) this.#notBooted = failure;
    });
    const replaced = once(events, "started");
    process.kill(runtimePid, "SIGKILL");
    await replaced;
  }
}
