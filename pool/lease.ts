// One job's hold on one container.

import type { Container } from "./container.ts";
import type { Timed } from "./proxy/exchange.ts";
import type { CollectedLogs, ExchangeLimits, InitFrame, Lease, StartKind } from "./types.ts";

export class PoolLease implements Lease {
  readonly start: StartKind;
  readonly #container: Container;
  readonly #takeBack: (wellBehaved: boolean) => Promise<void>;
  #released: Promise<void> | undefined;

  /** `takeBack` is called once, when the use ends. */
  constructor(container: Container, start: StartKind, takeBack: (wellBehaved: boolean) => Promise<void>) {
    this.#container = container;
    this.start = start;
    this.#takeBack = takeBack;
  }

  get containerId(): string {
    return this.#container.name;
  }

  get initialised(): boolean {
    return this.start === "warm";
  }

  init(frame: InitFrame, limits: ExchangeLimits): Promise<Timed> {
    return this.#held().init(frame, limits);
  }

  run(body: string, limits: ExchangeLimits): Promise<Timed> {
    return this.#held().run(body, limits);
  }

  keepLogs(limitBytes: number): void {
    this.#held().keepLogs(limitBytes);
  }

  collectLogs(): CollectedLogs {
    return this.#held().collectLogs();
  }

  release(wellBehaved: boolean): Promise<void> {
    this.#released ??= this.#takeBack(wellBehaved);
    return this.#released;
  }

  /** After the release the container is somebody else's. */
  #held(): Container {
    if (this.#released !== undefined) throw new Error("the lease has been released");
    return this.#container;
  }
}
