// Action checkpoints that other containers are brought to: each as long as a container is at it.

import type { SharedLevel } from "./machine.ts";

interface Entry {
  readonly level: SharedLevel;
  /** What it spares: so long the init took that it was taken after. */
  readonly initMs: number;
  /** By their numbers. */
  readonly containers: Set<number>;
}

export class SharedLevels {
  /** By the owner, who is of one kind. */
  readonly #entries = new Map<string, Entry>();
  readonly #ownerOf = new Map<number, string>();

  /** Taken by this container. One at a time is enough: of two that were taken at once, the second is that container's alone. */
  offer(owner: string, container: number, level: SharedLevel, initMs: number): void {
    if (this.#entries.has(owner)) level.release();
    else {
      this.#entries.set(owner, { level, initMs, containers: new Set() });
      this.joined(owner, container);
    }
  }

  of(owner: string): Pick<Entry, "level" | "initMs"> | undefined {
    return this.#entries.get(owner);
  }

  /** This container has been brought there. */
  joined(owner: string, container: number): void {
    this.#entries.get(owner)?.containers.add(container);
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

  /** Nobody is brought there any more. */
  drop(owner: string): void {
    this.#entries.get(owner)?.level.release();
    this.#entries.delete(owner);
  }

  /** Of all owners. */
  clear(): void {
    for (const owner of [...this.#entries.keys()]) this.drop(owner);
  }
}
