// The invoker's way to a server: a proxy that can delay what passes, and a packet filter that can cut the way to it.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const host = "127.0.0.1";
const table = "inet chaos";

function nft(commands: string): void {
  execFileSync("nft", ["-f", "-"], { input: commands });
}

/** Makes the table that gates cut by. The network namespace is the run's own: nothing of it is anybody else's. */
export function openGates(): void {
  nft(`table ${table} {
    set cut { type inet_service; }
    chain output {
      type filter hook output priority filter
      tcp dport @cut drop
      tcp sport @cut drop
    }
  }`);
}

/** Lets TCP through to a port of this host. */
export class Gate {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;
  #delayMs = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (client: Socket) => this.#join(client));
  }

  static async open(): Promise<Gate> {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    return new Gate(server, address.port);
  }

  /** Where it leads from now on. */
  leadTo(port: number): void {
    this.#target = port;
  }

  /** Packets are dropped: connections stay, and neither end hears why nothing comes. */
  cut(): void {
    nft(`add element ${table} cut { ${this.port} }`);
  }

  mend(): void {
    nft(`delete element ${table} cut { ${this.port} }`);
  }

  /** What comes from now on passes so much later, in its order, either way. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const server = connect({ host, port: this.#target });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      const later = this.#later();
      from.on("data", (piece: Buffer) => later(() => to.write(piece)));
      from.on("error", () => undefined);
      // A server that was killed takes its connections with it at once.
      from.on("close", () => {
        this.#sockets.delete(from);
        later(() => to.destroy());
      });
    }
  }

  /** Runs what it is given in order, after the delay of the moment. */
  #later(): (what: () => void) => void {
    let last = Promise.resolve();
    return (what) => {
      const dueMs = performance.now() + this.#delayMs;
      last = last.then(async () => {
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) await sleep(leftMs);
        what();
      });
    };
  }
}
