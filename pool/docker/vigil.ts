// Looks now and then whether a container that nobody has used yet still listens.

import { connect } from "node:net";
import type { Endpoint } from "../proxy/http.ts";

/** `whisk.container-proxy.action-health-check` */
export interface VigilSettings {
  readonly everyMs: number;
  /** So many failures in a row, and it counts as dead. */
  readonly failsMax: number;
}

export class Vigil {
  readonly #endpoint: Endpoint;
  readonly #settings: VigilSettings;
  #timer: NodeJS.Timeout | undefined;
  #isOver: boolean = false;
  #fails = 0;
  #fail: () => void = () => undefined;
  /** Resolves when it has failed so often; never, if it is ended before. */
  readonly failed: Promise<void>;

  constructor(endpoint: Endpoint, settings: VigilSettings) {
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Looks for the first time after a period: its proxy has to get ready. */
  begin(): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#look(), this.#settings.everyMs).unref();
  }

  /** Looks no more: who uses it finds out by that. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#fails = (await this.#listens()) ? 0 : this.#fails + 1;
    if (this.#isOver) return;
    if (this.#fails < this.#settings.failsMax) this.begin();
    else this.#fail();
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ ...this.#endpoint, timeout: this.#settings.everyMs });
      const answer = (listens: boolean): void => {
        socket.destroy();
        resolve(listens);
      };
      socket.once("connect", () => answer(true));
      socket.once("timeout", () => answer(false));
      socket.once("error", () => answer(false));
    });
  }
}
