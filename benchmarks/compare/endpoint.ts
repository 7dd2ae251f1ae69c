// One OpenWhisk, spoken to through its public REST API: the calls that are measured, and apart from them all other requests.

import { Agent, type RequestOptions, request } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import { Pool } from "undici";
import type { Side } from "./call.ts";

export interface EndpointPlace {
  readonly side: Side;
  readonly url: URL;
  /** `uuid:key` */
  readonly auth: string;
  /** True: any certificate will do. */
  readonly insecure: boolean;
  /** Calls under way at the same time. */
  readonly inFlight: number;
  /** How long an endpoint that does not answer is waited for. */
  readonly patienceMs: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of `performance.now()`. */
  readonly startMs: number;
  readonly tookMs: number;
  /** Seconds, as the header `Retry-After` has it. */
  readonly retryAfter: string | undefined;
}

/** Why an endpoint cannot be compared, or not any more. The message names it and the remedy. */
export class EndpointError extends Error {
  readonly code: "unreachable" | "certificate" | "not-openwhisk" | "key" | "refused" | "lost";
  readonly side: Side;

  constructor(side: Side, code: EndpointError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EndpointError";
    this.code = code;
    this.side = side;
  }
}

/** A blocking call is answered after a minute at the latest. */
const answerLimitMs = 120_000;
/** What is created may be long. */
const putLimitMs = 60_000;
/** With little patience too: an endpoint that is busy is not gone. */
const leastLimitMs = 5000;
/** Longer than the pauses between calls: what is measured is no connection being made. */
const keptIdleMs = 30_000;
/** For all that is not measured. */
export const controlsInFlight = 8;

interface SendOptions {
  readonly body?: object;
  readonly withKey?: boolean;
  readonly signal?: AbortSignal;
}

export class Endpoint {
  readonly place: EndpointPlace;
  readonly #measured: Agent;
  readonly #send: typeof request;
  readonly #control: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: RequestOptions;
  readonly #interrupted = new AbortController();

  constructor(place: EndpointPlace) {
    this.place = place;
    const { url, auth, insecure, inFlight } = place;
    const isTls = url.protocol === "https:";
    const kept = { keepAlive: true, maxSockets: inFlight, timeout: keptIdleMs };
    this.#measured = isTls ? new TlsAgent({ ...kept, rejectUnauthorized: !insecure }) : new Agent(kept);
    this.#send = isTls ? requestTls : request;
    this.#control = new Pool(url.origin, {
      ...{ connections: controlsInFlight, keepAliveTimeout: keptIdleMs },
      connect: { rejectUnauthorized: !insecure },
    });
    this.#headers = {
      authorization: `Basic ${Buffer.from(auth).toString("base64")}`,
      "content-type": "application/json",
    };
    this.#options = {
      ...{ method: "POST", agent: this.#measured, headers: this.#headers, timeout: answerLimitMs },
      ...{ host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || (isTls ? 443 : 80) },
    };
  }

  get side(): Side {
    return this.place.side;
  }

  /** Of each request that is not measured. */
  get limitMs(): number {
    return Math.max(this.place.patienceMs, leastLimitMs);
  }

  /** Below the address that was given, which may have a path of its own. */
  pathOf(path: string): string {
    return `${this.place.url.pathname.replace(/\/$/, "")}${path}`;
  }

  /**
   * A call that is measured: between the two looks at the clock there is the request and nothing else. By Node's own client, as
   * undici writes to a connection that was used before only when the event loop has gone round.
   */
  invoke(path: string, body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startMs = performance.now();
      const asked = this.#send({ ...this.#options, path }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("error", reject);
        answer.on("data", (piece: string) => {
          text += piece;
        });
        answer.on("end", () => {
          const tookMs = performance.now() - startMs;
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, text, startMs, tookMs, retryAfter: headers["retry-after"] });
        });
      });
      asked.on("error", reject);
      asked.on("timeout", () => asked.destroy(new Error(`no answer for ${answerLimitMs / 1000} s`)));
      asked.end(body);
    });
  }

  /**
   * Any other request, below the given address; `signal` ends it earlier than its time. A body that is no JSON comes as undefined.
   * Throws EndpointError `unreachable`.
   */
  async send(
    method: "GET" | "PUT" | "DELETE",
    path: string,
    { body, withKey = true, signal }: SendOptions = {},
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const { authorization: _, ...open } = this.#headers;
    const headers = withKey ? this.#headers : open;
    const limitMs = method === "PUT" ? putLimitMs : this.limitMs;
    const overdue = AbortSignal.timeout(limitMs);
    // Nobody needs what it would tell; what creates or removes goes on.
    const ends = [
      overdue,
      ...(method === "GET" ? [this.#interrupted.signal] : []),
      ...(signal ? [signal] : []),
    ];
    try {
      const answer = await this.#control.request({
        ...{ method, path: this.pathOf(path), headers, signal: AbortSignal.any(ends) },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: readJson(await answer.body.text()) };
    } catch (cause) {
      const why = overdue.aborted ? new Error(`nothing came for ${limitMs / 1000} s`, { cause }) : cause;
      throw new EndpointError(this.side, "unreachable", `it does not answer (${codeOf(why)})`, {
        cause: why,
      });
    }
  }

  /** Ends the calls that are under way, and what is asked for, with an error; what creates or removes goes on. */
  interrupt(): void {
    this.#interrupted.abort(new Error("interrupted"));
    this.#measured.destroy();
  }

  async close(): Promise<void> {
    this.#measured.destroy();
    await this.#control.close();
  }
}

/** Of an error of the network: what Node, OpenSSL or undici call it. */
export function codeOf(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return code ?? message;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of an answer that is no business of what was asked for: whoever asked is not let in. */
export function keyRefused(side: Side, words: string): EndpointError {
  return new EndpointError(side, "key", `it does not take the key any more (${words})`);
}

/** Of an answer of the API that refuses something: its own words. */
export function errorText({ status, body }: { readonly status: number; readonly body: unknown }): string {
  const { error } = (body ?? {}) as { readonly error?: unknown };
  return typeof error === "string" ? `${status}: ${error}` : `${status}`;
}
