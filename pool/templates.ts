// What containers are booted from: of each kind the image of one that was started.

import { ContainerCheckpoint, RestorerError, type Template, type Waiting } from "../restorer/index.ts";
import type { Checkpoint, Clock } from "./machine.ts";

interface Kept {
  readonly template: Template;
  readonly bornMs: number;
}

/** Of the age that a container may reach: what is booted has the address layout and the hash seeds of its template. */
const shareOfAge = 1 / 4;

export class Templates {
  readonly #clock: Clock;
  readonly #oldestMs: number;
  readonly #kept = new Map<string, Kept>();
  /** Kinds that could not be booted: there is something that cannot be made anew. */
  readonly #refused = new Set<string>();
  #isClosed: boolean = false;

  constructor(clock: Clock, { ageBeforeRetirementMs }: { readonly ageBeforeRetirementMs: number }) {
    this.#clock = clock;
    this.#oldestMs = ageBeforeRetirementMs * shareOfAge;
  }

  /** Boots a container of this kind; undefined where one must be started. */
  bootOf(kind: string): ((waiting: Waiting) => Promise<Checkpoint>) | undefined {
    const kept = this.#kept.get(kind);
    if (kept === undefined) return undefined;
    if (this.#clock.nowMs() - kept.bornMs > this.#oldestMs) {
      this.#forget(kind);
      return undefined;
    }
    return (waiting) => ContainerCheckpoint.boot(kept.template, waiting, { verify: false });
  }

  /** The checkpoint of a started container of the kind, which is at rest. */
  offer(kind: string, checkpoint: Checkpoint): void {
    if (this.#isClosed || this.#kept.has(kind) || this.#refused.has(kind)) return;
    const template = checkpoint.template?.();
    if (template !== undefined) this.#kept.set(kind, { template, bornMs: this.#clock.nowMs() });
  }

  /** True: the boot itself has failed. Unless the process was killed, containers of this kind are started from now on. */
  hasFailed(kind: string, failure: unknown): boolean {
    const cause = failure instanceof Error ? failure.cause : undefined;
    if (!(cause instanceof RestorerError)) return false;
    if (cause.code === "process-gone") return true;
    this.#forget(kind);
    this.#refused.add(kind);
    return true;
  }

  /** Keeps no more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const kind of [...this.#kept.keys()]) this.#forget(kind);
  }

  #forget(kind: string): void {
    this.#kept.get(kind)?.template.release();
    this.#kept.delete(kind);
  }
}
