// Action checkpoints that other containers are brought to: each as long as a container is at it.

import type { SharedLevel } from "./machine.ts";
import { backOffMs } from "./prewarm.ts";

/** How a container is brought to a level. */
export interface Bringing {
  readonly level: SharedLevel;
  /** The oracle is to look, on the caller's way; else it does when the container first comes back to the level. */
  readonly verify: boolean;
  /** So long the init took that ended there. */
  readonly initMs: number;
}

interface Entry {
  readonly level: SharedLevel;
  /** What it spares: so long the init took that it was taken after. */
  readonly initMs: number;
  /** By their numbers. */
  readonly containers: Set<number>;
  brought: number;
  /** So many bringings in a row took longer than the init. */
  late: number;
  heldBackUntilMs: number;
}

export class SharedLevels {
  /** By the owner, who is of one kind. */
  readonly #entries = new Map<string, Entry>();
  readonly #ownerOf = new Map<number, string>();
  readonly #verifyOneIn: number;

  /** The oracle looks at the first bringing to each level, and then at one in so many. */
  constructor(verifyOneIn: number) {
    this.#verifyOneIn = verifyOneIn;
  }

  /** Taken by this container. One at a time is enough: of two that were taken at once, the second is that container's alone. */
  offer(owner: string, container: number, level: SharedLevel, initMs: number): void {
    if (this.#entries.has(owner)) level.release();
    else {
      const before = { containers: new Set<number>(), brought: 0, late: 0, heldBackUntilMs: 0 };
      this.#entries.set(owner, { level, initMs, ...before });
      this.joined(owner, container, level);
    }
  }

  of(owner: string): Pick<Entry, "level" | "initMs"> | undefined {
    return this.#entries.get(owner);
  }

  /** The next one to it, which is to be begun. Undefined also where the last took longer than an init: whether the next does is seen after a while. */
  bringing(owner: string, nowMs: number): Bringing | undefined {
    const entry = this.#entries.get(owner);
    if (entry === undefined || nowMs < entry.heldBackUntilMs) return undefined;
    const { level, initMs } = entry;
    return { level, initMs, verify: entry.brought++ % this.#verifyOneIn === 0 };
  }

  /** One has led there. Where the oracle has a part of the time, that says nothing of others. */
  measured(owner: string, { level, verify }: Bringing, tookMs: number, nowMs: number): void {
    const entry = this.#entries.get(owner);
    if (entry?.level !== level || verify) return;
    entry.late = tookMs > entry.initMs ? entry.late + 1 : 0;
    entry.heldBackUntilMs = nowMs + backOffMs(entry.late);
  }

  /** This container is there; by now the owner may have another level. */
  joined(owner: string, container: number, level: SharedLevel): void {
    const entry = this.#entries.get(owner);
    if (entry?.level !== level) return;
    entry.containers.add(container);
    this.#ownerOf.set(container, owner);
  }

  /** It is there no more. Idempotent. */
  left(container: number): void {
    const owner = this.#ownerOf.get(container);
    if (owner === undefined) return;
    this.#ownerOf.delete(container);
    const entry = this.#entries.get(owner);
    entry?.containers.delete(container);
    if (entry?.containers.size === 0) this.drop(owner);
  }

  /** Nobody is brought there any more: to this level, or to whichever there is. */
  drop(owner: string, level = this.of(owner)?.level): void {
    if (level === undefined || this.of(owner)?.level !== level) return;
    level.release();
    this.#entries.delete(owner);
  }

  /** Of all owners. */
  clear(): void {
    for (const owner of [...this.#entries.keys()]) this.drop(owner);
  }
}
