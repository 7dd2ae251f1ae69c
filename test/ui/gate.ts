// A way to a server that can be closed and opened: what a browser meets when the network goes, on an address that stays.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen: boolean = true;

  private constructor(toPort: () => number) {
    this.#server = createServer((socket) => {
      if (!this.#isOpen) {
        socket.destroy();
        return;
      }
      const onward = connect(toPort(), "127.0.0.1");
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(one);
        one
          .on("error", () => undefined)
          .on("close", () => {
            this.#sockets.delete(one);
            other.destroy();
          });
        one.pipe(other);
      }
    });
  }

  /** `toPort` is asked for each connection. */
  static async open(toPort: () => number): Promise<Gate> {
    const gate = new Gate(toPort);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections and takes none. */
  shut(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes connections again. */
  reopen(): void {
    this.#isOpen = true;
  }

  /** Lets nothing through any more, and cuts nothing. */
  hold(): void {
    for (const socket of this.#sockets) socket.unpipe();
  }

  async close(): Promise<void> {
    this.shut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
