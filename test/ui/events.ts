// The stream of the live page as a program reads it.

import { get, type IncomingMessage } from "node:http";
import type { Snapshot } from "../../invoker/ui/snapshot.ts";

export class EventReader {
  readonly response: IncomingMessage;
  /** All that has come so far. */
  text = "";
  #heard = (): void => undefined;

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding("utf8").on("data", (piece: string) => {
      this.text += piece;
      this.#heard();
    });
    response.on("error", () => undefined).on("close", () => this.#heard());
  }

  /** `url` with name and password. Resolves with the head of the answer, whatever it says. */
  static async open(url: string): Promise<EventReader> {
    const { username, password, origin, pathname } = new URL(url);
    const auth = `${username}:${password}`;
    return await new Promise((resolve, reject) => {
      get(`${origin}${pathname}`, { auth, agent: false }, (response) => {
        resolve(new EventReader(response));
      }).on("error", reject);
    });
  }

  /** Of snapshots that have come. */
  get count(): number {
    return this.text.split("\n\n").length - 1;
  }

  get snapshots(): Snapshot[] {
    const events = this.text.split("\n\n").slice(0, -1);
    return events.map((event) => JSON.parse(event.replace(/^data: /, "")) as Snapshot);
  }

  /** The first snapshot of which this holds. Throws where the stream ends before. */
  async until(holds: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (let seen = 0; ; ) {
      const all = this.snapshots;
      const found = all.slice(seen).find(holds);
      if (found !== undefined) return found;
      if (this.response.closed) throw new Error("the stream has ended");
      seen = all.length;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  close(): void {
    this.response.destroy();
  }
}
