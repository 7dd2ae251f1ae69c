// Stands between Kafka's clients and a broker, and loses what a test tells it to lose.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Numbers of Kafka's requests. */
export const requestKinds = { produce: 0, offsetCommit: 8 };

/** Enough for the names of the client and the topic. */
const shownBytes = 200;

interface Loss {
  readonly kind: number;
  readonly what: "request" | "answer" | "silence";
  readonly done: () => void;
}

export class KafkaProxy {
  readonly port: number;
  /** Where it lets clients through to. */
  target = 0;
  /** The beginnings of the requests that brought messages, each with the number of its connection. */
  readonly produced: { readonly connection: number; readonly request: string }[] = [];
  #connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #loss: Loss | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (client: Socket) => this.#join(client));
  }

  static async open(): Promise<KafkaProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    return new KafkaProxy(server, address.port);
  }

  /** Loses the next request of the kind, or the broker's answer to it, with its connection, or in silence without; resolves then. */
  lose(kind: number, what: Loss["what"]): Promise<void> {
    return new Promise((done) => {
      this.#loss = { kind, what, done };
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const broker = connect({ host: "127.0.0.1", port: this.target });
    const end = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on("error", end).on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let lost: Loss | undefined;
    const connection = ++this.#connections;
    client.on("data", (chunk: Buffer) => {
      if (chunk.length > 6 && chunk.readInt16BE(4) === requestKinds.produce) {
        this.produced.push({ connection, request: chunk.toString("latin1", 0, shownBytes) });
      }
      // Four bytes of length, then the kind; kafkajs writes each request in one piece, and short ones arrive so.
      if (chunk.length > 6 && chunk.readInt16BE(4) === this.#loss?.kind) {
        lost = this.#loss;
        this.#loss = undefined;
        if (lost.what === "request") {
          end();
          lost.done();
          return;
        }
      }
      broker.write(chunk);
    });
    broker.on("data", (chunk: Buffer) => {
      if (lost === undefined) {
        client.write(chunk);
        return;
      }
      if (lost.what !== "silence") end();
      lost.done();
    });
  }
}
