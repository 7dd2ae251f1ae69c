// The action checkpoints of a pool's containers: which may be taken, and which others are brought to.

import type { Container, LevelHooks } from "./container.ts";
import type { PoolEvents } from "./events.ts";
import { LevelTries } from "./level-tries.ts";
import { isLasting, levelRoomBytes } from "./levels.ts";
import { type Bringing, SharedLevels } from "./shared-levels.ts";
import type { PoolSettings } from "./types.ts";

const bytesPerPage = 4096;

/** What the pool knows besides. */
export interface Surroundings {
  readonly nowMs: () => number;
  /** Memory is to be spared. */
  readonly isSparing: () => boolean;
  /** What containers have of it at their checkpoints, or will: those of idle ones are given up for one that is taken. */
  readonly claimedBytes: () => readonly number[];
  /** There may be a container that there was not before. */
  readonly onTaken: () => void;
}

export class ActionLevels {
  /** Of each container. */
  readonly hooks: LevelHooks;
  readonly #settings: PoolSettings;
  readonly #surroundings: Surroundings;
  readonly #tries = new LevelTries();
  readonly #shared: SharedLevels;

  constructor(settings: PoolSettings, events: PoolEvents, surroundings: Surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#shared = new SharedLevels(settings.verifyOneIn);
    this.hooks = {
      isLevelDue: ({ owner }) => owner !== undefined && this.#tries.isDue(owner),
      onLevel: ({ name, kind, owner }, outcome) => {
        events.emit("level", { container: name, kind, outcome });
        if ("taken" in outcome) surroundings.onTaken();
        else if (owner !== undefined && isLasting(outcome.refused)) this.#tries.failed(owner);
      },
      onLevelFailed: ({ owner }) => {
        if (owner !== undefined) this.#tries.failed(owner);
      },
      levelRoomBytes: () => this.#roomBytes(),
      onShared: ({ id, owner }, level, initMs) => {
        if (owner === undefined) level.release();
        else this.#shared.offer(owner, id, level, initMs);
      },
      onLevelLeft: (container) => this.left(container),
    };
  }

  #roomBytes(): number {
    if (this.#surroundings.isSparing()) return 0;
    return levelRoomBytes(this.#surroundings.claimedBytes(), this.#settings.levelMemoryMB);
  }

  /** Where a container that has just been given to this owner can be brought, instead of an init; undefined where that took longer of late. */
  bringingFor(container: Container, owner: string): Bringing | undefined {
    if (!this.#settings.sharesLevels || container.hasLevel || !container.mayTakeLevel) return undefined;
    const shared = this.#shared.of(owner);
    if (shared === undefined) return undefined;
    return shared.level.summary.pages * bytesPerPage <= this.#roomBytes()
      ? this.#shared.bringing(owner, this.#surroundings.nowMs())
      : undefined;
  }

  /** What came of it: the container is there after so long, or is not. A level that nobody could be brought to is tried no more. */
  brought(bringing: Bringing, { id }: Container, owner: string, tookMs: number | undefined): void {
    if (tookMs === undefined) {
      this.#shared.drop(owner, bringing.level);
      return;
    }
    this.#shared.joined(owner, id, bringing.level);
    this.#shared.measured(owner, bringing, tookMs, this.#surroundings.nowMs());
  }

  /** It was put back to its action checkpoint. */
  returned({ owner }: Container): void {
    if (owner !== undefined) this.#tries.succeeded(owner);
  }

  /** It could not be put back to its action checkpoint: others are not brought there any more. */
  returnFailed({ owner }: Container): void {
    if (owner === undefined) return;
    this.#tries.failed(owner);
    this.#shared.drop(owner);
  }

  /** It is at its action checkpoint no more. Idempotent. */
  left({ id }: Container): void {
    this.#shared.left(id);
  }

  /** Nobody is brought anywhere any more. */
  close(): void {
    this.#shared.clear();
  }
}
