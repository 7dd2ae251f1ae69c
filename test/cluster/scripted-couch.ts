// A mock of CouchDB, for answers that a real one cannot be made to give: each request gets what the script says.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer; `how` it ends: whole, cut off in the middle of its body, without any, or never. */
export interface Scripted {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly type?: string;
  readonly how?: "whole" | "half" | "reset" | "hanging" | "stalled";
}

export class ScriptedCouch {
  readonly #server: Server;
  /** What was asked, with its body. */
  readonly asked: {
    readonly what: string;
    readonly body: string;
    readonly headers: IncomingMessage["headers"];
  }[] = [];
  /** Hears that an answer goes no further, and is not at its end. */
  onSilence: () => void = () => undefined;
  /** What is answered. Gets the request and how many came before it. */
  script: (what: string, count: number, body: string) => Scripted | Promise<Scripted>;

  private constructor(server: Server, script: ScriptedCouch["script"]) {
    this.#server = server;
    this.script = script;
  }

  static async start(script: ScriptedCouch["script"] = () => ({})): Promise<ScriptedCouch> {
    const server = createServer();
    const couch = new ScriptedCouch(server, script);
    server.on("request", (request, response) => void couch.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return couch;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const what = `${request.method} ${request.url}`;
    const count = this.asked.push({ what, body, headers: request.headers }) - 1;
    const answer = await this.script(what, count, body);
    const { how = "whole", type = "application/json" } = answer;
    const bytes = Buffer.from(answer.body ?? "{}");
    if (how === "hanging") {
      this.onSilence();
      return;
    }
    if (how === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status ?? 200, { "content-type": type, "content-length": bytes.length });
    if (how === "whole") {
      response.end(bytes);
      return;
    }
    // Half of it has to be on its way before the rest does not come.
    response.write(bytes.subarray(0, bytes.length >> 1), () => {
      if (how === "half") request.socket.destroy();
      // In the turn after the one in which it is read: that is this process too.
      else setImmediate(() => setImmediate(() => this.onSilence()));
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/**
 * From now on the time of a request is over as soon as the server says no more, and never before: a busy machine may take
 * long for all else. Gives what puts the clock back.
 */
export function stopTime(couch: ScriptedCouch): () => void {
  const { timeout } = AbortSignal;
  const waiting = new Set<AbortController>();
  AbortSignal.timeout = () => {
    const one = new AbortController();
    waiting.add(one);
    return one.signal;
  };
  couch.onSilence = () => {
    for (const one of waiting) one.abort(new DOMException("the time is over", "TimeoutError"));
    waiting.clear();
  };
  return () => {
    AbortSignal.timeout = timeout;
  };
}
