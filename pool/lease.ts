// One job's hold on one container.

import type { Container } from "./container.ts";
import type { Timed } from "./proxy/exchange.ts";
import type { Leaving } from "./round.ts";
import type { CollectedLogs, ExchangeLimits, InitFrame, Lease, StartKind, StartPlace } from "./types.ts";

export class PoolLease implements Lease {
  readonly start: StartKind;
  readonly place: StartPlace;
  readonly #container: Container;
  readonly #isFirst: boolean;
  readonly #takeBack: (leaving: Leaving) => Promise<void>;
  #released: Promise<void> | undefined;

  /** `isFirst`: the container was idle. `takeBack` is called once, when the use ends. */
  constructor(
    container: Container,
    how: { readonly start: StartKind; readonly place: StartPlace; readonly isFirst: boolean },
    takeBack: (leaving: Leaving) => Promise<void>,
  ) {
    this.#container = container;
    this.start = how.start;
    this.place = how.place;
    this.#isFirst = how.isFirst;
    this.#takeBack = takeBack;
  }

  get containerId(): string {
    return this.#container.name;
  }

  get libraries(): string | undefined {
    return this.#container.order.libraries;
  }

  get initialised(): boolean {
    return this.start === "warm";
  }

  init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed> {
    return this.#held().init(frame, limits);
  }

  run(body: string, limits: ExchangeLimits): Promise<Timed> {
    const container = this.#held();
    return this.#isFirst ? container.run(body, limits) : container.runBeside(body, limits);
  }

  keepLogs(limitBytes: number): void {
    const container = this.#held();
    // Neighbours' lines are being kept already.
    if (this.#isFirst) container.keepLogs(limitBytes);
  }

  collectLogs(isOrderly = true): Promise<CollectedLogs> {
    return this.#held().collectLogs(isOrderly);
  }

  release(wellBehaved: boolean): Promise<void> {
    this.#released ??= this.#takeBack({ wellBehaved, isFirst: this.#isFirst });
    return this.#released;
  }

  /** After the release the container is somebody else's. */
  #held(): Container {
    if (this.#released !== undefined) throw new Error("the lease has been released");
    return this.#container;
  }
}
