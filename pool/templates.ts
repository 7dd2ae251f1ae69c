// What containers are booted from: of each kind the image of one that was started, which is renewed before it is too old.

import { ContainerCheckpoint, RestorerError, type Template, type Waiting } from "../restorer/index.ts";
import type { CommonMemory } from "./interior.ts";
import { LeanError } from "./lean/errors.ts";
import type { BootAhead } from "./lean/types.ts";
import { type Checkpoint, type Clock, toldMs } from "./machine.ts";
import type { Boot, BootFailure, BootsCopied, Renewal, TemplateStored, Way } from "./makings.ts";
import { asTaint } from "./taint.ts";
import { StoredError } from "./template-file.ts";
import type { StoredTemplate, TemplateStore } from "./template-store.ts";
import { within } from "./time.ts";
import type { PoolSettings } from "./types.ts";

interface Kept {
  readonly kind: string;
  readonly template: Template;
  readonly bornMs: number;
  /** Containers that are being booted from it: it is freed after the last of them. */
  users: number;
  isGivenUp: boolean;
  /** It has been told that what is booted from it has memory of its own. */
  isCopied: boolean;
  /** It was made in a former life of the invoker. */
  readonly stored?: StoredTemplate;
}

/** Of the age that a container may reach: what is booted has the address layout and the hash seeds of its template. */
const shareOfAge = 1 / 4;
/** Of the same: from then on the next template is made. */
const shareUntilDue = 1 / 5;

type BootFrom = (template: Template, waiting: Waiting) => Promise<Checkpoint>;
const bootUnverified: BootFrom = (template, waiting) =>
  ContainerCheckpoint.boot(template, waiting, { verify: false });

export class Templates {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #oldestMs: number;
  readonly #dueMs: number;
  readonly #bootFrom: BootFrom;
  readonly #kept = new Map<string, Kept>();
  readonly #renewals = new Map<string, Promise<void>>();
  /** Of what has been booted, and of what others have been booted from. */
  readonly #origins = new WeakMap<Checkpoint, { readonly kept: Kept; readonly isBooted: boolean }>();
  /** Until when kinds that could not be booted are started. */
  readonly #refusedUntilMs = new Map<string, number>();
  #onFailure: (failure: BootFailure) => void = () => undefined;
  #onCopied: (copied: BootsCopied) => void = () => undefined;
  #onStored: (stored: TemplateStored) => void = () => undefined;
  #onTemplate: (kind: string, boot: BootAhead | undefined) => void = () => undefined;
  readonly #store: TemplateStore | undefined;
  #isClosed: boolean = false;

  constructor(
    clock: Clock,
    { ageBeforeRetirementMs, startTimeoutMs }: Pick<PoolSettings, "ageBeforeRetirementMs" | "startTimeoutMs">,
    bootFrom: BootFrom = bootUnverified,
    store?: TemplateStore,
  ) {
    this.#clock = clock;
    this.#timeoutMs = startTimeoutMs;
    this.#oldestMs = ageBeforeRetirementMs * shareOfAge;
    this.#dueMs = ageBeforeRetirementMs * shareUntilDue;
    this.#bootFrom = bootFrom;
    this.#store = store;
    if (store !== undefined) for (const kind of store.stored()) this.#restore(kind, store);
  }

  follow(
    onFailure: (failure: BootFailure) => void,
    onCopied: (copied: BootsCopied) => void,
    onStored: (stored: TemplateStored) => void = () => undefined,
  ): void {
    this.#onFailure = onFailure;
    this.#onCopied = onCopied;
    this.#onStored = onStored;
  }

  /** `onTemplate` is told what boots containers of a kind before they are wanted, whenever that changes. */
  followTemplates(onTemplate: (kind: string, boot: BootAhead | undefined) => void): void {
    this.#onTemplate = onTemplate;
  }

  /**
   * To be awaited before a way is asked for, where there is nothing to boot from yet, but somebody makes it: so of many made at once only
   * one starts its interpreter.
   */
  renewalOf(kind: string): Promise<void> | undefined {
    this.sweep();
    return this.#kept.has(kind) ? undefined : this.#renewals.get(kind);
  }

  /** True: the next container of this kind is booted. */
  boots(kind: string): boolean {
    return this.#kept.has(kind) && !this.isDue(kind);
  }

  /** For the next container of this kind. */
  wayOf(kind: string): Way {
    this.sweep();
    const kept = this.#kept.get(kind);
    const isBeingRenewed = this.#renewals.has(kind);
    if (kept !== undefined && (isBeingRenewed || !this.isDue(kind))) return { boot: this.#hold(kept) };
    return isBeingRenewed || this.#isClosed || this.#isRefused(kind) ? {} : { renewal: this.#renew(kind) };
  }

  /** For a container that could not be booted and is started: where nobody makes the next template, it is for that. */
  renewalInstead(kind: string): Renewal | undefined {
    const isWanted = !this.#kept.has(kind) && !this.#renewals.has(kind);
    return isWanted && !this.#isClosed && !this.#isRefused(kind) ? this.#renew(kind) : undefined;
  }

  /** True: the next template should be made now, so that there is one when this one is too old. */
  isDue(kind: string): boolean {
    const { bornMs = Number.POSITIVE_INFINITY } = this.#kept.get(kind) ?? {};
    return this.#clock.nowMs() - bornMs > this.#dueMs && !this.#renewals.has(kind);
  }

  /**
   * What containers of a template have together that nobody is booted from any more: its image, and the embryo's memory, which is as much. Undefined: there
   * is no template of this checkpoint, and its image is its own.
   */
  commonOf(checkpoint: Checkpoint, imageBytes: number): readonly CommonMemory[] | undefined {
    const origin = this.#origins.get(checkpoint);
    if (origin === undefined) return undefined;
    const { kept, isBooted } = origin;
    if (!kept.isGivenUp) return [];
    const image = { of: kept, bytes: imageBytes };
    return isBooted && !kept.isCopied ? [image, { of: kept.template, bytes: imageBytes }] : [image];
  }

  /** Gives up what is too old. */
  sweep(): void {
    const tooOldMs = this.#clock.nowMs() - this.#oldestMs;
    for (const [kind, { bornMs }] of this.#kept) if (bornMs < tooOldMs) this.#giveUp(kind);
  }

  /** Keeps no more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const kind of [...this.#kept.keys()]) this.#forget(kind);
  }

  /** Who makes a container of the kind meanwhile waits for it, for no longer than for one that is started: nor do others that wait for their turn. */
  #restore(kind: string, store: TemplateStore): void {
    const loading = this.#load(kind, store).finally(() => this.#renewals.delete(kind));
    this.#renewals.set(kind, loading);
  }

  async #load(kind: string, store: TemplateStore): Promise<void> {
    try {
      const loading = store.load(kind, this.#oldestMs).then((stored) => ({ stored }));
      const loaded = await within(this.#timeoutMs, loading, (late) => late.stored?.template.release());
      if (loaded === undefined)
        throw new StoredError("unbootable", `it was not read within ${this.#timeoutMs} ms`);
      const { stored } = loaded;
      if (stored === undefined) return;
      if (this.#isClosed) {
        stored.template.release();
        return;
      }
      const bornMs = stored.bornMs - (this.#clock.setByMs?.() ?? 0);
      this.#keep({ kind, template: stored.template, bornMs, stored });
      this.#onStored({ kind, result: "loaded" });
    } catch (error) {
      this.#tellStored(kind, error);
    }
  }

  /**
   * What was booted from it is not what was to be booted, or nothing could be: unless a process was killed, the kind is started for as long as
   * a template serves. A stored one alone is given up, and whoever is started next makes another. It says nothing of one that has come since.
   */
  #failed(kept: Kept, failure: unknown): void {
    const { kind, isGivenUp, stored } = kept;
    const isEnd = asTaint(failure).reason === "process-gone";
    if (stored === undefined || isEnd) this.#tellFailure(kind, failure);
    if (isEnd || isGivenUp) return;
    this.#giveUp(kind);
    if (stored === undefined) this.#refuse(kind);
    else this.#tellStored(kind, failure);
  }

  #tellFailure(kind: string, failure: unknown): void {
    const { reason, message } = asTaint(failure);
    this.#onFailure({ kind, reason, error: new Error(message, { cause: failure }) });
  }

  #refuse(kind: string): void {
    this.#refusedUntilMs.set(kind, this.#clock.nowMs() + this.#oldestMs);
  }

  #tellStored(kind: string, failure: unknown): void {
    const result = failure instanceof StoredError ? failure.code : "unbootable";
    const error = failure instanceof Error ? failure : new Error(String(failure));
    this.#onStored({ kind, result, error });
  }

  /** Nobody waits for it. */
  async #write(kind: string, template: Template, pid: number): Promise<void> {
    if (this.#store === undefined) return;
    try {
      if (await this.#store.keep(kind, template, pid, toldMs(this.#clock)))
        this.#onStored({ kind, result: "kept" });
    } catch (error) {
      this.#tellStored(kind, error);
    }
  }

  #isRefused(kind: string): boolean {
    return this.#clock.nowMs() < (this.#refusedUntilMs.get(kind) ?? 0);
  }

  #hold(kept: Kept): Boot {
    kept.users++;
    let isOver: boolean = false;
    return {
      from: (waiting) => this.#bootInTime(kept, waiting),
      failed: (failure) => this.#failed(kept, failure),
      hasFailed: (failure) => {
        const cause = bootFailureIn(failure);
        if (cause !== undefined) this.#failed(kept, cause);
        return cause !== undefined;
      },
      end: () => {
        if (isOver) return;
        isOver = true;
        kept.users--;
        freeIfUnused(kept);
      },
    };
  }

  /** What hangs ends with its container, which whoever is told of the failure removes, or with the embryo. */
  async #bootInTime(kept: Kept, waiting: Waiting): Promise<Checkpoint> {
    const { kind, template } = kept;
    const { pid } = "pid" in waiting ? waiting : { pid: waiting.vacancy.initPid };
    kept.stored?.requireSameFiles(pid);
    const booting = this.#bootFrom(template, waiting);
    const hung = (): void => {
      booting.then(
        (late) => late.release(),
        () => undefined,
      );
      template.endEmbryo();
    };
    const checkpoint = await this.#inTime("boot", booting, hung);
    this.#origins.set(checkpoint, { kept, isBooted: true });
    if (template.whyCopied !== undefined && !kept.isCopied) {
      kept.isCopied = true;
      this.#onCopied({ kind, error: template.whyCopied });
    }
    return checkpoint;
  }

  async #inTime<Result>(what: string, call: Promise<Result>, hung = (): void => undefined): Promise<Result> {
    const result = await within(this.#timeoutMs, call);
    if (result !== undefined) return result;
    hung();
    throw new RestorerError(
      "freeze-timeout",
      `the ${what} did not return within ${this.#timeoutMs} ms`,
      false,
    );
  }

  #bootAhead(kept: Kept): BootAhead {
    const proofs = new WeakMap<Checkpoint, Promise<unknown>>();
    /** Nobody else hears of it. */
    const tell = (error: unknown): never => {
      const isOurs = error instanceof RestorerError || error instanceof StoredError;
      if (isOurs && !kept.isGivenUp) this.#failed(kept, error);
      throw error;
    };
    return {
      isOver: () => kept.isGivenUp,
      from: async (waiting) => {
        if (kept.isGivenUp) throw new RestorerError("system", "the template has been given up", true);
        const boot = this.#hold(kept);
        return await boot.from(waiting).catch(tell).finally(boot.end);
      },
      prove: async (checkpoint) => {
        const proof = checkpoint.rewind({ verify: true, halts: true });
        proofs.set(checkpoint, proof);
        await this.#inTime("proof", proof).catch(tell);
      },
      discard: async (checkpoint) => {
        await proofs.get(checkpoint)?.catch(() => undefined);
        checkpoint.release();
      },
      failed: (why) => {
        if (!kept.isGivenUp) this.#failed(kept, why);
      },
    };
  }

  #renew(kind: string): Renewal {
    let settle = (): void => undefined;
    this.#renewals.set(kind, new Promise((resolve) => (settle = resolve)));
    let isOver: boolean = false;
    return {
      offer: (checkpoint, pid) => {
        if (!isOver && !this.#isClosed) this.#take(kind, checkpoint, pid);
      },
      end: () => {
        if (!isOver) this.#renewals.delete(kind);
        isOver = true;
        settle();
      },
    };
  }

  /** Not where an action's checkpoint is in use: what would be booted had that action in it. */
  #take(kind: string, checkpoint: Checkpoint, pid: number | undefined): void {
    if (checkpoint.level !== undefined || this.#isRefused(kind)) return;
    try {
      const template = checkpoint.template?.();
      if (template === undefined) return;
      this.#forget(kind);
      const kept = this.#keep({ kind, template, bornMs: this.#clock.nowMs() });
      this.#origins.set(checkpoint, { kept, isBooted: false });
      if (pid !== undefined) void this.#write(kind, template, pid);
    } catch (error) {
      this.#tellFailure(kind, error);
      this.#giveUp(kind);
      this.#refuse(kind);
    }
  }

  #keep(fresh: Pick<Kept, "kind" | "template" | "bornMs" | "stored">): Kept {
    const kept: Kept = { ...fresh, users: 0, isGivenUp: false, isCopied: false };
    this.#kept.set(kept.kind, kept);
    this.#onTemplate(kept.kind, this.#bootAhead(kept));
    return kept;
  }

  /** For the next life too. */
  #giveUp(kind: string): void {
    this.#forget(kind);
    void this.#store?.remove(kind);
  }

  #forget(kind: string): void {
    const kept = this.#kept.get(kind);
    if (kept === undefined) return;
    this.#kept.delete(kind);
    kept.isGivenUp = true;
    freeIfUnused(kept);
    this.#onTemplate(kind, undefined);
  }
}

function freeIfUnused({ template, users, isGivenUp }: Kept): void {
  if (isGivenUp && users === 0) template.release();
}

/** Undefined: it was not the boot itself, nor the end of its container. */
function bootFailureIn(failure: unknown): unknown {
  const cause = failure instanceof Error ? failure.cause : undefined;
  if (cause instanceof RestorerError || cause instanceof StoredError) return cause;
  return failure instanceof LeanError && failure.code === "process-gone" ? failure : undefined;
}
