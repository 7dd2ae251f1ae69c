// Those who watch an invoker: one snapshot a second for all of them together, as server-sent events.

import type { ServerResponse } from "node:http";
import type { Look } from "./look.ts";

export interface WatchLimits {
  readonly everyMs: number;
  /** So many may watch at a time. */
  readonly watchersMax: number;
  /** Who has not taken what came before gets nothing new; after so many times in a row it is sent away. */
  readonly missedMax: number;
}

export const defaultWatchLimits: WatchLimits = { everyMs: 1000, watchersMax: 16, missedMax: 10 };

/** While there are none, nothing is looked at and no time is kept. */
export class Watchers {
  readonly #openLook: () => Look;
  readonly #onFault: (error: unknown) => void;
  readonly #limits: WatchLimits;
  /** How many snapshots each has missed since it last took one. */
  readonly #missed = new Map<ServerResponse, number>();
  #look: Look | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isTaking: boolean = false;

  /** `onFault` hears why no snapshot could be taken; those who watch are sent away then, and may come back. */
  constructor(
    openLook: () => Look,
    onFault: (error: unknown) => void,
    limits: WatchLimits = defaultWatchLimits,
  ) {
    this.#openLook = openLook;
    this.#onFault = onFault;
    this.#limits = limits;
  }

  get count(): number {
    return this.#missed.size;
  }

  get isFull(): boolean {
    return this.count >= this.#limits.watchersMax;
  }

  /** Sends snapshots from now on, the first at once, until the other side has gone. The head has been sent. */
  add(response: ServerResponse): void {
    if (response.destroyed) return;
    this.#missed.set(response, 0);
    response.once("close", () => this.#remove(response));
    this.#look ??= this.#openLook();
    this.#timer ??= setInterval(
      () => void this.#tell([...this.#missed.keys()]),
      this.#limits.everyMs,
    ).unref();
    void this.#tell([response], true);
  }

  /** Sends everybody away. */
  close(): void {
    for (const response of this.#missed.keys()) this.#remove(response.destroy());
  }

  /** One snapshot for all of these. While one is being taken there is no second, but for who has just come. */
  async #tell(responses: readonly ServerResponse[], isFirst = false): Promise<void> {
    if (this.#look === undefined || (this.#isTaking && !isFirst)) return;
    this.#isTaking = true;
    try {
      const event = `data: ${JSON.stringify(await this.#look.snapshot())}\n\n`;
      for (const response of responses) this.#send(response, event);
    } catch (error) {
      this.#onFault(error);
      this.close();
    } finally {
      this.#isTaking = false;
    }
  }

  #send(response: ServerResponse, event: string): void {
    // Gone meanwhile.
    if (!this.#missed.has(response)) return;
    if (!response.writableNeedDrain) {
      this.#missed.set(response, 0);
      response.write(event);
      return;
    }
    const missed = (this.#missed.get(response) ?? 0) + 1;
    this.#missed.set(response, missed);
    if (missed >= this.#limits.missedMax) response.destroy();
  }

  #remove(response: ServerResponse): void {
    this.#missed.delete(response);
    if (this.count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#look?.close();
    this.#look = undefined;
  }
}
