// The load of a chaos run: activations of several namespaces and sorts through the API, and who sees their actions run.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request } from "./ledger.ts";
import { image } from "./servers.ts";

/** An owner of actions, as the API knows it. */
export interface Caller {
  readonly namespace: string;
  /** `uuid:key` */
  readonly auth: string;
}

const nodejsTrace = `const http = require("http");
const trace = (token) => new Promise((done, failed) => http
  .get(process.env.__OW_API_HOST + "/" + token, { agent: false }, (answer) => answer.resume().on("end", done))
  .on("error", failed));
`;
const pythonTrace = `import os, time, urllib.request
def trace(token):
    with urllib.request.urlopen("%s/%d" % (os.environ["__OW_API_HOST"], token)) as answer: answer.read()
`;

interface Sort {
  readonly exec: { readonly kind: string; readonly image?: string; readonly code: string };
  /** So many of a hundred activations are of it. */
  readonly share: number;
}

/** Each says outside that it runs before it does anything else. */
const sorts: { readonly [name: string]: Sort } = {
  tiny: {
    exec: {
      kind: "nodejs:default",
      code: `${nodejsTrace}exports.main = async ({ token }) => { await trace(token); return { token }; };`,
    },
    share: 50,
  },
  chatty: {
    exec: {
      kind: "python:default",
      code: `${pythonTrace}
def main(args):
    trace(args["token"])
    for i in range(20): print("line", i, args["token"])
    return {"token": args["token"]}
`,
    },
    share: 20,
  },
  slow: {
    exec: {
      kind: "python:default",
      code: `${pythonTrace}
def main(args):
    trace(args["token"])
    time.sleep(args["seconds"])
    return {"token": args["token"]}
`,
    },
    share: 15,
  },
  failing: {
    exec: {
      kind: "nodejs:default",
      code: `${nodejsTrace}exports.main = async ({ token }) => { await trace(token); throw new Error("as ever"); };`,
    },
    share: 8,
  },
  crashing: {
    exec: {
      kind: "nodejs:default",
      code: `${nodejsTrace}exports.main = async ({ token }) => { await trace(token); process.exit(3); };`,
    },
    share: 2,
  },
  image: {
    exec: {
      ...{ kind: "blackbox", image },
      code: `${pythonTrace}
def main(args):
    trace(args["token"])
    print("line", args["token"])
    return {"token": args["token"]}
`,
    },
    share: 5,
  },
};

const hundred = 100;
const everyMs = 200;
const longestSleepSeconds = 3;

/** A server that counts who has been there: the path is a token. */
export class Traces {
  readonly seen = new Map<number, number>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer(({ url = "" }, response) => {
      const token = Number(url.slice(1));
      this.seen.set(token, (this.seen.get(token) ?? 0) + 1);
      response.end();
    });
  }

  /** Gives the port. */
  async listen(address: string): Promise<number> {
    this.#server.listen(0, address);
    await once(this.#server, "listening");
    return (this.#server.address() as { readonly port: number }).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class Load {
  readonly requests: Request[] = [];
  readonly #url: string;
  readonly #callers: readonly Caller[];
  readonly #random: () => number;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #sending: Promise<void> = Promise.resolve();
  #tokens = 0;

  constructor(url: string, callers: readonly Caller[], random: () => number) {
    this.#url = url;
    this.#callers = callers;
    this.#random = random;
  }

  /** Creates the actions of every caller. */
  async prepare(): Promise<void> {
    for (const caller of this.#callers)
      for (const [name, { exec }] of Object.entries(sorts)) {
        const response = await this.#send("PUT", `actions/${name}?overwrite=true`, caller, {
          ...{ exec, limits: { timeout: 10_000, memory: 128 } },
        });
        if (response.status !== 200) throw new Error(`${name}: ${response.status} ${await response.text()}`);
      }
  }

  /** Sends from now on. */
  start(): void {
    this.#sending = this.#run();
  }

  /** Sends no more; resolves when all have been answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sending;
    await Promise.all(this.#underWay);
  }

  /** One blocking activation; true when it was answered with its result. */
  async probe(sort: "tiny" | "image" = "tiny"): Promise<boolean> {
    const request = await this.#invoke(sort, this.#callers[0] as Caller, true);
    return request.status === 200 && request.fault === undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (; !signal.aborted; await sleep(everyMs, undefined, { signal }).catch(() => undefined)) {
      const caller = this.#callers[Math.floor(this.#random() * this.#callers.length)] as Caller;
      const sent = this.#invoke(this.#draw(), caller, this.#random() < 0.5).then(() => {
        this.#underWay.delete(sent);
      });
      this.#underWay.add(sent);
    }
  }

  #draw(): string {
    let left = this.#random() * hundred;
    for (const [name, { share }] of Object.entries(sorts)) {
      left -= share;
      if (left < 0) return name;
    }
    return "tiny";
  }

  async #invoke(sort: string, caller: Caller, isBlocking: boolean): Promise<Request> {
    this.#tokens++;
    const token = this.#tokens;
    const seconds = this.#random() * longestSleepSeconds;
    let request: Request = { token, status: undefined, activationId: undefined, fault: undefined };
    try {
      const response = await this.#send("POST", `actions/${sort}?blocking=${isBlocking}`, caller, {
        ...{ token, seconds },
      });
      const body = (await response.json()) as Answer;
      const { activationId } = body;
      const fault = body.response && faultOf(body.response, token);
      request = { token, status: response.status, activationId, fault };
    } catch {
      // Whatever became of it stands in the other books.
    }
    this.requests.push(request);
    return request;
  }

  #send(method: string, path: string, { auth }: Caller, body: unknown): Promise<Response> {
    const authorization = `Basic ${Buffer.from(auth).toString("base64")}`;
    return fetch(`${this.#url}/api/v1/namespaces/_/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }
}

interface Answer {
  readonly activationId?: string;
  readonly response?: Outcome;
}

/** As answers and records have it. */
export interface Outcome {
  readonly result?: unknown;
  readonly status?: string;
  readonly statusCode?: number;
}

/** What is wrong with a success; faults of all sorts may make activations fail. */
export function faultOf(
  { result, status, statusCode }: Outcome,
  token: number | undefined,
): string | undefined {
  const isSuccess = status === "success" || statusCode === 0;
  if (!isSuccess || (result as { readonly token?: unknown } | undefined)?.token === token) return undefined;
  return `${JSON.stringify(result)} instead of token ${token}`;
}
