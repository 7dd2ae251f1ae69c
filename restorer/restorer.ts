// Checkpoint and rewind of a container: all its processes, each by one native call.

import { setTimeout as sleep } from "node:timers/promises";
import { type Embryo, Template, type Vacancy, type Waiting } from "./boot.ts";
import { fromNative, isTooLarge, RestorerError } from "./errors.ts";
import {
  type NativeError,
  type NativeSummary,
  type NativeTimings,
  type ProcessHandle,
  rwCheckpoint,
  rwHow,
  rwRelease,
  rwRewind,
  rwRewindToLevel,
  rwTakeLevel,
  rwVerify,
} from "./native.ts";
import { type Rung, rungs } from "./probe.ts";
import { SharedLevel } from "./shared-level.ts";

/** One rewind by phase, microseconds; of several processes, the sum. */
export interface RewindTimings {
  readonly totalUs: number;
  readonly freezeUs: number;
  /** Descriptors looked at, new threads ended, mappings compared and mended. */
  readonly layoutUs: number;
  readonly scanUs: number;
  readonly planUs: number;
  /** Copying, and every other call the process makes for us. */
  readonly runUs: number;
  /** Children, signals and kernel state compared. */
  readonly stateUs: number;
  readonly registersUs: number;
  readonly verifyUs: number;
  readonly thawUs: number;
  readonly pagesCopied: number;
  readonly pagesZeroed: number;
  readonly pagesDropped: number;
  readonly threadsEnded: number;
  readonly mappingsChanged: number;
  readonly verified: boolean;
}

/** What a checkpoint holds. */
export interface CheckpointSummary {
  readonly threads: number;
  readonly regions: number;
  readonly descriptors: number;
  readonly pages: number;
  readonly tookUs: number;
}

/** A process answers a moment before it blocks: how often, and how long apart, a checkpoint is tried again. */
const quietTries = 200;
const quietPauseMs = 1;

async function checkpointProcess(
  pid: number,
  rung: Rung,
): Promise<{ handle: ProcessHandle; summary: NativeSummary }> {
  const error = {} as NativeError;
  const summary = {} as NativeSummary;
  const process: [ProcessHandle | null] = [null];
  for (let attempt = 0; ; attempt++) {
    const failed = await rwCheckpoint(pid, rungs.indexOf(rung) + 1, process, summary, error);
    if (failed === 0 && process[0]) return { handle: process[0], summary };
    const failure = fromNative(`checkpoint of process ${pid}`, error);
    if (failure.code !== "not-quiescent" || attempt >= quietTries) throw failure;
    await sleep(quietPauseMs);
  }
}

/** How often, a millisecond apart, where a process is not quiescent yet; and how many pages of its own it may hold. */
export interface LevelLimits {
  readonly tries?: number;
  readonly pages?: number;
}

async function levelOf(handle: ProcessHandle, limits: LevelLimits): Promise<NativeSummary | undefined> {
  const { tries = quietTries, pages = Number.MAX_SAFE_INTEGER } = limits;
  const error = {} as NativeError;
  const summary = {} as NativeSummary;
  for (let attempt = 1; ; attempt++) {
    if ((await rwTakeLevel(handle, pages, summary, error)) === 0) return summary;
    if (isTooLarge(error)) return undefined;
    const failure = fromNative("level", error);
    if (failure.code !== "not-quiescent" || !failure.untouched || attempt >= tries) throw failure;
    await sleep(quietPauseMs);
  }
}

function sumTimings(parts: readonly NativeTimings[], verified: boolean): RewindTimings {
  const sum = (key: keyof NativeTimings) => parts.reduce((total, part) => total + part[key], 0);
  return {
    totalUs: sum("total_us"),
    freezeUs: sum("freeze_us"),
    layoutUs: sum("layout_us"),
    scanUs: sum("scan_us"),
    planUs: sum("plan_us"),
    runUs: sum("run_us"),
    stateUs: sum("state_us"),
    registersUs: sum("registers_us"),
    verifyUs: sum("verify_us"),
    thawUs: sum("thaw_us"),
    pagesCopied: sum("pages_copied"),
    pagesZeroed: sum("pages_zeroed"),
    pagesDropped: sum("pages_dropped"),
    threadsEnded: sum("threads_ended"),
    mappingsChanged: sum("mappings_changed"),
    verified,
  };
}

function sumSummaries(parts: readonly NativeSummary[]): CheckpointSummary {
  const sum = (key: keyof NativeSummary) => parts.reduce((total, part) => total + Number(part[key]), 0);
  return {
    threads: sum("threads"),
    regions: sum("regions"),
    descriptors: sum("descriptors"),
    pages: sum("pages"),
    tookUs: sum("took_us"),
  };
}

/** Where a rewind leads: to the base, or to the level that was taken over it. */
export type CheckpointLevel = "base" | "level";

export interface RewindOptions {
  readonly verify: boolean;
  readonly to?: CheckpointLevel;
  /** Nothing of it runs afterwards until somebody sends it SIGCONT. */
  readonly halts?: boolean;
}

/** The checkpoint of all base processes of one container. One call at a time. */
export class ContainerCheckpoint {
  readonly summary: CheckpointSummary;
  readonly #handles: ProcessHandle[];
  #onGone: (() => void) | undefined;
  #busy: boolean = false;
  #level: CheckpointSummary | undefined;

  private constructor(handles: ProcessHandle[], summary: CheckpointSummary, onGone?: () => void) {
    this.#handles = handles;
    this.summary = summary;
    this.#onGone = onGone;
  }

  /**
   * Takes the checkpoint of quiescent processes, by their ids in the host's pid namespace. Throws RestorerError; a process
   * that was not left untouched has been killed.
   */
  static async take(pids: readonly number[], options: { readonly rung: Rung }): Promise<ContainerCheckpoint> {
    const handles: ProcessHandle[] = [];
    const summaries: NativeSummary[] = [];
    try {
      for (const pid of pids) {
        const taken = await checkpointProcess(pid, options.rung);
        handles.push(taken.handle);
        summaries.push(taken.summary);
      }
    } catch (failure) {
      handles.forEach(rwRelease);
      throw failure;
    }
    return new ContainerCheckpoint(handles, sumSummaries(summaries));
  }

  /** The level over the base that the processes can be put back to; undefined where there is none. */
  get level(): CheckpointSummary | undefined {
    return this.#level;
  }

  /**
   * Makes a waiting process another one of the template's, and gives its checkpoint. Throws RestorerError; then it has been killed,
   * where it could be stopped at all.
   */
  static async boot(
    template: Template,
    waiting: Waiting,
    options: { readonly verify: boolean },
  ): Promise<ContainerCheckpoint> {
    const { handle, summary, onGone } = await template.boot(waiting, options);
    return new ContainerCheckpoint([handle], sumSummaries([summary]), onGone);
  }

  /** Gives a container a runtime that is forked from the embryo, and that one's checkpoint. Throws RestorerError; then it has none. */
  static async bootFrom(
    embryo: Embryo,
    vacancy: Vacancy,
    options: { readonly verify: boolean },
  ): Promise<ContainerCheckpoint> {
    const { handle, summary, onGone } = await embryo.boot(vacancy, options);
    return new ContainerCheckpoint([handle], sumSummaries([summary]), onGone);
  }

  /** To boot others from, for the caller to release. Not while a call is under way, nor at a level. Throws RestorerError. */
  template(): Template {
    const [handle, another] = this.#handles;
    if (handle === undefined || another !== undefined || this.#busy)
      throw new RestorerError("unsupported", "no checkpoint of one idle process", true);
    return Template.of(handle);
  }

  /**
   * Takes a level over the base, of quiescent processes that are at none; undefined where it would be larger than it may. Throws
   * RestorerError. Where there is none, or the error says *untouched*, the processes go on as they were and can be put back to
   * their base; else the container must be replaced.
   */
  async takeLevel(limits: LevelLimits = {}): Promise<CheckpointSummary | undefined> {
    // One that had its own would be alone with it where that of another fails.
    if (this.#handles.length > 1)
      throw new RestorerError("unsupported", "a level of several processes", true);
    const [summary] = await this.#exclusively((handle) => levelOf(handle, limits));
    this.#level = summary && sumSummaries([summary]);
    return this.#level;
  }

  /**
   * The level, for others of the same base to be brought to; for the caller to release. Not while a call is under way. Throws
   * RestorerError, always *untouched*: where there is no level, or where it holds what is this container's alone (other threads or
   * descriptors than the base has, another directory, files without a name).
   */
  shareLevel(): SharedLevel {
    const [handle, another] = this.#handles;
    if (handle === undefined || another !== undefined || this.#busy || this.#level === undefined)
      throw new RestorerError("unsupported", "no level of one idle process", true);
    return SharedLevel.of(handle, this.#level);
  }

  /**
   * Puts the process, which is at no level, to one that another container has taken over the same base: this one's image, or the
   * one that both were booted from. From then on it is this container's as well. Throws RestorerError: *untouched* where the base
   * is another; else the container must be replaced.
   */
  async bringToLevel(level: SharedLevel, options: { readonly verify: boolean }): Promise<RewindTimings> {
    if (this.#handles.length > 1)
      throw new RestorerError("unsupported", "a level of several processes", true);
    const parts = await this.#exclusively((handle) => level.bring(handle, options.verify));
    this.#level = level.summary;
    return sumTimings(parts, options.verify);
  }

  /**
   * Puts every process back, by default to its base, where a level ends. Throws RestorerError; then the container must be replaced
   * (a process that was touched has been killed already).
   */
  async rewind(options: RewindOptions): Promise<RewindTimings> {
    const { verify, to = "base", halts = false } = options;
    const how = (verify ? rwHow.verify : 0) | (halts ? rwHow.halt : 0);
    const call = to === "base" ? rwRewind : rwRewindToLevel;
    const parts = await this.#exclusively(async (handle) => {
      const error = {} as NativeError;
      const timings = {} as NativeTimings;
      if ((await call(handle, how, timings, error)) !== 0) throw fromNative("rewind", error);
      return timings;
    });
    if (to === "base") this.#level = undefined;
    return sumTimings(parts, verify);
  }

  /** The first difference between the live processes and their level, or base, in words; undefined where there is none. */
  async verify(): Promise<string | undefined> {
    const differences = await this.#exclusively(async (handle) => {
      const error = {} as NativeError;
      if ((await rwVerify(handle, error)) === 0) return undefined;
      const failure = fromNative("verify", error);
      if (failure.code === "verify-difference") return error.what;
      throw failure;
    });
    return differences.find((difference) => difference !== undefined);
  }

  /** Frees the images. Idempotent; when no process of the container is left, and not while a call is under way. */
  release(): void {
    if (this.#busy) throw new RestorerError("system", "release of a checkpoint in use", true);
    for (const handle of this.#handles.splice(0)) rwRelease(handle);
    this.#onGone?.();
    this.#onGone = undefined;
  }

  async #exclusively<Result>(call: (handle: ProcessHandle) => Promise<Result>): Promise<Result[]> {
    if (this.#busy) throw new RestorerError("system", "two calls at once on one checkpoint", true);
    if (this.#handles.length === 0)
      throw new RestorerError("system", "the checkpoint has been released", true);
    this.#busy = true;
    try {
      const results: Result[] = [];
      for (const handle of this.#handles) results.push(await call(handle));
      return results;
    } finally {
      this.#busy = false;
    }
  }
}
