// Action checkpoints that other containers are brought to: each as long as a container is at it.

import type { SharedLevel } from "./machine.ts";

/** How a container is brought to a level. */
export interface Bringing {
  readonly level: SharedLevel;
  /** What it spares: so long the init took that it was taken after. */
  readonly initMs: number;
  /** The oracle is to look, on the caller's way; else it does when the container first comes back to the level. */
  readonly verify: boolean;
}

interface Entry {
  readonly level: SharedLevel;
  readonly initMs: number;
  /** By their numbers. */
  readonly containers: Set<number>;
  brought: number;
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
      this.#entries.set(owner, { level, initMs, containers: new Set(), brought: 0 });
      this.#join(owner, container);
    }
  }

  of(owner: string): Bringing | undefined {
    const entry = this.#entries.get(owner);
    return entry && { ...entry, verify: entry.brought % this.#verifyOneIn === 0 };
  }

  /** This container has been brought there. */
  joined(owner: string, container: number): void {
    const entry = this.#entries.get(owner);
    if (entry !== undefined) entry.brought++;
    this.#join(owner, container);
  }

  #join(owner: string, container: number): void {
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
