// Those that use one container between two rewinds at the same time: usually one, several where an action's author allows it.

import { isLoaded, type Timed, type Unloaded } from "./proxy/exchange.ts";
import type { Job, RewindPolicy } from "./types.ts";

/** How one of them leaves. */
export interface Leaving {
  /** False forbids keeping live state, and that anybody joins. */
  readonly wellBehaved: boolean;
  /** It was the one that found the container idle, and had to load the action. */
  readonly isFirst: boolean;
}

/**
 * All are of one owner. Under `always` nobody joins once one has left: so nobody sees anything of an activation that had
 * ended before its own began, and however many come the container is rewound after at most three time limits.
 */
export class Round {
  readonly #concurrency: number;
  readonly #policy: RewindPolicy;
  readonly #hasOwnInit: boolean;
  #users = 1;
  #isOpen: boolean = true;
  #isWellBehaved: boolean = true;
  #settleLoad: (obstacle: Unloaded | undefined) => void = () => undefined;
  /** What keeps those that joined from running: an init that failed, or never was. Resolves when it is known. */
  readonly obstacle: Promise<Unloaded | undefined>;

  /** Begun by the job that finds the container idle. `isLoaded`: with its action in it. */
  constructor({ concurrency = 1, hasOwnInit = false }: Job, policy: RewindPolicy, isAlreadyLoaded: boolean) {
    this.#concurrency = policy === "fresh" ? 1 : concurrency;
    this.#hasOwnInit = hasOwnInit;
    this.#policy = policy;
    this.obstacle = new Promise((resolve) => {
      this.#settleLoad = resolve;
    });
    if (isAlreadyLoaded) this.#settleLoad(undefined);
  }

  /** True: there may be more than one at a time. */
  get isShared(): boolean {
    return this.#concurrency > 1;
  }

  get users(): number {
    return this.#users;
  }

  /** How many more may join now. */
  get spare(): number {
    return this.#isOpen ? this.#concurrency - this.#users : 0;
  }

  /** True: once the last has left, the owner's state may stay. */
  get mayKeep(): boolean {
    return this.#policy === "on-change" && this.#isWellBehaved;
  }

  /** True: nobody else is to have the container. */
  get isOnly(): boolean {
    return this.#policy === "fresh";
  }

  /** True: what its init makes may be come back to for the owner's later jobs. */
  get mayTakeLevel(): boolean {
    return this.#policy === "always" && !this.isShared && !this.#hasOwnInit;
  }

  join(): void {
    this.#users++;
  }

  /** What the first one's init came to: a failure is that of all who joined, as in stock. */
  initEnded(init: Timed): void {
    this.#settleLoad(isLoaded(init.exchange) ? undefined : { outcome: "unloaded", init });
  }

  /** True: it was the last. */
  leave({ wellBehaved, isFirst }: Leaving): boolean {
    this.#users--;
    this.#isWellBehaved &&= wellBehaved;
    this.#isOpen &&= wellBehaved && this.#policy === "on-change";
    // No effect where the init has ended.
    if (isFirst) this.#settleLoad({ outcome: "unloaded", init: undefined });
    return this.#users === 0;
  }
}
