// An action proxy of stock's kind for tests: an HTTP server that answers as it is told, and notes what it was asked.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Endpoint } from "../../../../pool/proxy/http.ts";
import { freePort } from "../../../../standalone/cluster/java.ts";

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Of the connection that it came by. */
  readonly port: number | undefined;
}

export type Script = (response: ServerResponse, asked: Asked) => void;

/** Answers with a status and a body whose length it tells. */
export function say(status: number, body: string): Script {
  return (response) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(body) });
    response.end(body);
  };
}

export class ScriptedServer {
  readonly asked: Asked[] = [];
  script: Script = say(200, "{}");
  readonly #server: Server;
  #endpoint: Endpoint = { host: "127.0.0.1", port: 0 };

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** On a port that nobody else is given while it is stopped. */
  static async start(port?: number): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    const endpoint = { host: "127.0.0.1", port: port ?? (await freePort()) };
    scripted.#endpoint = endpoint;
    await once(scripted.#server.listen(endpoint), "listening");
    return scripted;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Ends open connections too. */
  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const asked = {
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(pieces).toString(),
      port: request.socket.remotePort,
    };
    this.asked.push(asked);
    this.script(response, asked);
  }
}
