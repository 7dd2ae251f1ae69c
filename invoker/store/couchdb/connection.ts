// The one place that talks to CouchDB, by undici: why not by nano stands in decision 0020.

import { Agent } from "undici";
import { isJsonObject } from "../../wire/json.ts";
import { reasonOf } from "./events.ts";
import { type DatabaseMeter, type DatabaseOperation, metered, noMeter } from "./meter.ts";

export interface ConnectionSettings {
  readonly protocol: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly tls?: {
    /** PEM texts of the authorities to trust, in place of the well-known ones. */
    readonly ca?: string;
    /** False: any certificate will do. */
    readonly rejectUnauthorized?: boolean;
  };
  /** For a whole request, and for making a connection. */
  readonly requestTimeoutMs: number;
}

/**
 * `denied`: wrong name or password, or no right; `missing`: no such document, attachment or database; `mismatch`: not at
 * this revision; `unfit`: never in this form; `unreachable`: no whole answer in time; `failed`: any other.
 */
export type CouchFailure = "denied" | "missing" | "mismatch" | "unfit" | "unreachable" | "failed";

/** A request had not the answer it wanted. */
export class CouchError extends Error {
  readonly code: CouchFailure;
  constructor(code: CouchFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CouchError";
    this.code = code;
  }
}

/** What came of one of several documents; without an error it is stored. */
export interface StoreResult {
  readonly error?: string;
  readonly reason?: string;
}

interface Request {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly query?: { readonly [name: string]: string };
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

const failureOf: { readonly [status: number]: CouchFailure } = {
  400: "unfit",
  401: "denied",
  403: "denied",
  404: "missing",
  412: "mismatch",
  413: "unfit",
};
const connectionsAtMost = 32;
/** What only reads is asked again where a connection breaks, as by stock's client: a restarted server breaks them all. */
const readAttempts = 3;
const json = { accept: "application/json", "content-type": "application/json" } as const;

/** Sends the credentials with every request, and waits for no answer longer than agreed. Its methods throw CouchError. */
export class CouchConnection {
  readonly #origin: string;
  readonly #authorization: string;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #meter: DatabaseMeter;

  constructor(settings: ConnectionSettings, meter: DatabaseMeter = noMeter) {
    const { protocol, host, port, username, password, requestTimeoutMs } = settings;
    this.#origin = `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    this.#timeoutMs = requestTimeoutMs;
    this.#meter = meter;
    const connect = { ...settings.tls, timeout: requestTimeoutMs };
    this.#agent = new Agent({ connections: connectionsAtMost, connect });
  }

  /** Resolves where the database is there, and these credentials may read it. */
  async check(database: string): Promise<void> {
    await this.#readJson({ path: pathOf(database) });
  }

  /** The document as it is now; `revision` is a wish that CouchDB does not heed. Its numbers are doubles: nothing of it is printed again. */
  async document(database: string, id: string, revision: string | undefined): Promise<unknown> {
    const wish = revision === undefined ? {} : { "if-match": `"${revision}"` };
    const request = { path: pathOf(database, id), headers: { ...json, ...wish } };
    return await this.#metered("getDocument", () => this.#readJson(request));
  }

  /** What the view gives; `view` is `_design/<name>/_view/<name>`. */
  async view(database: string, view: string, query: { readonly [name: string]: string }): Promise<unknown> {
    const request = { path: `${pathOf(database)}/${view}`, query };
    return await this.#metered("queryView", () => this.#readJson(request));
  }

  /** The bytes kept under `name` beside the document. */
  async attachment(database: string, id: string, name: string, revision: string): Promise<Buffer> {
    const request = { path: pathOf(database, id, name), query: { rev: revision }, headers: {} };
    return await this.#metered("getDocumentAttachment", () =>
      this.#again((signal) => this.#ask(request, signal)),
    );
  }

  /** Stores new documents, given as JSON. One result for each, in their order. */
  async storeAll(database: string, texts: readonly string[]): Promise<readonly StoreResult[]> {
    const path = `${pathOf(database)}/_bulk_docs`;
    // As text it goes out as it is, with all digits of its numbers.
    const request = { method: "POST", path, body: `{"docs":[${texts.join(",")}]}` } as const;
    this.#meter.batchSent(texts.length);
    return await this.#metered("saveDocumentBulk", async () => {
      const answer = this.#parse(request, await this.#ask(request, AbortSignal.timeout(this.#timeoutMs)));
      if (Array.isArray(answer) && answer.length === texts.length) return answer as StoreResult[];
      throw new CouchError("unreachable", `${this.#origin}/${path} did not answer for each document`);
    });
  }

  /** Ends all requests that are under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** As in stock, that there is no such thing is an answer and no failure. */
  async #metered<Answer>(operation: DatabaseOperation, ask: () => Promise<Answer>): Promise<Answer> {
    const isFailure = (error: unknown): boolean => !(error instanceof CouchError && error.code === "missing");
    return await metered(this.#meter, operation, ask, isFailure);
  }

  async #readJson(request: Request): Promise<unknown> {
    return await this.#again(async (signal) => this.#parse(request, await this.#ask(request, signal)));
  }

  /** Several times, if it must be, but not for longer. */
  async #again<Answer>(ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask(signal);
      } catch (error) {
        const isBroken = error instanceof CouchError && error.code === "unreachable";
        if (!isBroken || signal.aborted || attempt === readAttempts) throw error;
      }
    }
  }

  async #ask(
    { method = "GET", path, query = {}, headers = json, body }: Request,
    signal: AbortSignal,
  ): Promise<Buffer> {
    let status: number;
    let bytes: Buffer;
    try {
      const answer = await this.#agent.request({
        ...{ origin: this.#origin, path: `/${path}`, query, method, signal },
        headers: { ...headers, authorization: this.#authorization },
        body: body ?? null,
      });
      status = answer.statusCode;
      bytes = Buffer.from(await answer.body.arrayBuffer());
    } catch (error) {
      const what = `${method} ${this.#origin}/${path} had no answer: ${reasonOf(error)}`;
      throw new CouchError("unreachable", what, { cause: error });
    }
    if (status >= 200 && status < 300) return bytes;
    const said = reasonIn(bytes);
    // No document is at fault where the database's name is.
    const code = said.startsWith("illegal_database_name") ? "missing" : (failureOf[status] ?? "failed");
    throw new CouchError(code, `${method} ${this.#origin}/${path}: ${status} ${said}`);
  }

  #parse({ method = "GET", path }: Request, bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString()) as unknown;
    } catch (error) {
      const what = `${method} ${this.#origin}/${path} was answered with no JSON`;
      throw new CouchError("failed", what, { cause: error });
    }
  }
}

/** What CouchDB says in a refusal, or a proxy in its place. */
function reasonIn(bytes: Buffer): string {
  const text = bytes.toString("utf8", 0, 500);
  try {
    const answer = JSON.parse(text) as unknown;
    return isJsonObject(answer) ? `${answer.error}: ${answer.reason}` : text;
  } catch {
    return text;
  }
}

/**
 * Segments encoded as in forms, a space as a plus sign: so stock's controllers name what they write. CouchDB decodes that
 * as a space, unless it is told not to (`decode_plus_to_space`); there their documents lie under names with a plus sign.
 */
function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => new URLSearchParams([["", segment]]).toString().slice(1)).join("/");
}
