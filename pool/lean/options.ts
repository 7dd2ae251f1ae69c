// How lean containers are to be, and how many are to be made ahead.

import type { Interpreter } from "./interpreters.ts";
import type { NetworkSettings } from "./network.ts";
import { repositoryFolder } from "./repository.ts";
import type { UidOptions } from "./uids.ts";

export interface LeanFactoryOptions extends UidOptions {
  /** Names the cgroups of this invoker; two that run at the same time must not have the same. */
  readonly instance: string;
  readonly interpreters: readonly Interpreter[];
  /** Environment of the runtimes, beside PATH, HOME and LANG. */
  readonly environment: Readonly<Record<string, string>>;
  /** Size of the one writable place of a container. */
  readonly scratchMB: number;
  /** Path of the launcher: build/native/lean. */
  readonly launcher: string;
  /** Folder that holds runtimes/ and pool/; the project's own where not given. */
  readonly repository?: string;
  /** Megabytes that stand for the whole machine when CPU shares are given out; without it every container has 1024. */
  readonly userMemoryMB?: number;
  readonly pidsMax?: number;
  readonly openFiles?: number;
  /** `none`: containers have the loopback interface alone. `nat`: they reach the outside, and nothing reaches them. */
  readonly network?: "none" | "nat";
  /** Only for `nat`. */
  readonly nat?: NetworkSettings;
  /** So many containers' networks are kept ready, once the first has been made. */
  readonly networksAhead?: number;
  /** So many containers of each kind are kept that only lack their program, or are booted, proved and stopped, once the first has been made. */
  readonly containersAhead?: number;
  /** For setting up a container, not for its runtime to become ready. */
  readonly startTimeoutMs?: number;
}

/** As OpenWhisk's Docker containers have it (`--pids-limit 1024 --ulimit nofile=1024:1024`). */
const defaults = {
  repository: repositoryFolder,
  pidsMax: 1024,
  openFiles: 1024,
  startTimeoutMs: 10_000,
  networksAhead: 16,
  containersAhead: 0,
};

/** All that has a default is there. */
export type Settled = LeanFactoryOptions & typeof defaults;

export function settled(options: LeanFactoryOptions): Settled {
  return { ...defaults, ...options };
}
