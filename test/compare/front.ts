// A server in front of a real endpoint, for tests: passes everything on, and does to invocations what a bad day does.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What becomes of an invocation: passed on, cut off, answered otherwise, or its answer changed. */
export type Fate = "pass" | "cut" | Verdict | { readonly change: (text: string) => string };

interface Verdict {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Front {
  /** Asked for each invocation, with its number from 1 on and the action's name. */
  fate: (number: number, action: string) => Fate | Promise<Fate> = () => "pass";
  /** Asked for every request, invocations among them; `hold`: it gets no answer, and its connection stays. */
  rule: (method: string, path: string) => "pass" | "hold" | Verdict = () => "pass";
  /** True: every connection is cut. */
  isDown: boolean = false;
  /** Requests whose connection was cut, and those that are held. */
  cut = 0;
  held = 0;
  invocations = 0;
  readonly #target: URL;
  readonly #tls: { readonly cert: string; readonly key: string } | undefined;
  #close: () => Promise<void> = () => Promise.resolve();
  #port = 0;

  private constructor(target: URL, tls?: { readonly cert: string; readonly key: string }) {
    this.#target = target;
    this.#tls = tls;
  }

  static async start(target: URL, tls?: { readonly cert: string; readonly key: string }): Promise<Front> {
    const front = new Front(target, tls);
    const listener: RequestListener = (request, response) => {
      front.#serve(request, response).catch(() => request.socket.destroy());
    };
    const server = tls ? createTlsServer(tls, listener) : createServer(listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    front.#port = (server.address() as AddressInfo).port;
    front.#close = () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return front;
  }

  get url(): URL {
    return new URL(`${this.#tls ? "https" : "http"}://127.0.0.1:${this.#port}`);
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { method = "GET", url = "/", headers } = request;
    const isInvocation = method === "POST" && url.includes("/actions/");
    const action = /\/([^/?]+)\?/.exec(url)?.[1] ?? "";
    const own = isInvocation ? await this.fate(++this.invocations, action) : "pass";
    const rule = this.rule(method, url);
    if (rule === "hold") {
      this.held++;
      return;
    }
    const fate = rule === "pass" ? own : rule;
    if (this.isDown || fate === "cut") {
      this.cut++;
      request.socket.destroy();
      return;
    }
    if (fate !== "pass" && "status" in fate) {
      response.writeHead(fate.status, fate.headers).end(JSON.stringify(fate.body));
      return;
    }
    const answer = await fetch(new URL(url, this.#target), {
      method,
      headers: { authorization: headers.authorization ?? "", "content-type": "application/json" },
      ...(pieces.length > 0 && { body: Buffer.concat(pieces) }),
    });
    const text = await answer.text();
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(fate === "pass" ? text : fate.change(text));
  }
}
