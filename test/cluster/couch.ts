// A CouchDB-compatible server for tests, seen through a gate that counts what passes, and the stores under test on it.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RulesOfKind } from "../../invoker/store/action-document.ts";
import type { StoreEvent } from "../../invoker/store/couchdb/events.ts";
import {
  type CouchSettings,
  type CouchStores,
  couchDefaults,
  openCouchStores,
} from "../../invoker/store/couchdb/open.ts";
import type { ActivationDocument } from "../../invoker/wire/documents.ts";
import { type DatabaseServer, startDatabase } from "../../standalone/cluster/database.ts";
import { freePort } from "../../standalone/cluster/java.ts";

export const username = "whisk_admin";
export const password = "a:b@c/ü";
const prefix = "whisk_local_";
export const databases = {
  subjects: `${prefix}subjects`,
  whisks: `${prefix}whisks`,
  activations: `${prefix}activations`,
} as const;
export const rules: RulesOfKind = (kind) =>
  ({
    "nodejs:20": { attached: true, requireMain: false },
    "plain:1": { attached: false, requireMain: false },
    "java:8": { attached: true, requireMain: true },
  })[kind];

/** Lets requests through to a port and notes them. */
export class Gate {
  readonly #server: Server;
  /** `METHOD /path?query`, with the size of the body. */
  seen: { readonly what: string; readonly bodyBytes: number }[] = [];
  /** Requests go on when it resolves. */
  opened: Promise<void> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(target: () => number): Promise<Gate> {
    const agent = new Agent({ keepAlive: true });
    const server = createServer();
    const gate = new Gate(server);
    server.on("request", async (incoming, outgoing) => {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces);
      gate.seen.push({ what: `${incoming.method} ${incoming.url}`, bodyBytes: body.length });
      await gate.opened;
      const { method, url: path, headers } = incoming;
      const onward = request(
        { agent, host: "127.0.0.1", port: target(), method, path, headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
          // Of a server that is killed in the midst of it.
          answer.on("error", () => outgoing.destroy()).pipe(outgoing);
        },
      );
      onward.on("error", () => outgoing.destroy());
      onward.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many requests of this kind have come. */
  count(pattern: RegExp): number {
    return this.seen.filter(({ what }) => pattern.test(what)).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface OpenedStores extends CouchStores {
  /** What operators were told. */
  readonly events: StoreEvent[];
}

/** Of a server that listens on the port; the spool is `folder`. */
export function couchSettings(port: number, folder: string): CouchSettings {
  return {
    ...couchDefaults,
    ...{ protocol: "http", host: "127.0.0.1", port, username, password, databases },
    spool: { folder, maxBytes: 1 << 30 },
  };
}

/** The paths of all files in the folder and those below. */
export function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Opens stores on a server that listens on the port; their spool is `folder`. */
export async function openStores(
  port: number,
  folder: string,
  more: Partial<CouchSettings> = {},
): Promise<OpenedStores> {
  const events: StoreEvent[] = [];
  const settings = { ...couchSettings(port, folder), ...more };
  return { ...(await openCouchStores(settings, rules, (event) => events.push(event))), events };
}

/** The real server, in a folder that goes with it. */
export class TestCouch {
  readonly folder = mkdtempSync(join(tmpdir(), "rewhisk-couch-"));
  #server: DatabaseServer | undefined;
  #gate: Gate | undefined;
  #port = 0;
  #spools = 0;

  static async start(): Promise<TestCouch> {
    const couch = new TestCouch();
    await couch.serve();
    couch.#gate = await Gate.open(() => couch.#port);
    return couch;
  }

  /** Starts the server, again on the port that it had. */
  async serve(): Promise<void> {
    const folder = join(this.folder, "databases");
    // None that somebody else may be given while the server is away.
    this.#port ||= await freePort();
    this.#server = await startDatabase({ folder, port: this.#port, username, password, prefix });
  }

  /** Ends the server as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  get gate(): Gate {
    if (this.#gate === undefined) throw new Error("not started");
    return this.#gate;
  }

  /** A folder for a spool, another one each time. */
  newSpool(): string {
    return join(this.folder, `spool-${++this.#spools}`);
  }

  /** Stores whose requests the gate sees. */
  open(more: Partial<CouchSettings> = {}): Promise<OpenedStores> {
    return openStores(this.gate.port, this.newSpool(), more);
  }

  /** Asks the server itself, past the gate. A body that is no string is sent as JSON. */
  async send(method: string, path: string, body?: unknown, type = "application/json"): Promise<Reply> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const response = await fetch(`http://127.0.0.1:${this.#port}/${path}`, {
      method,
      headers: { authorization, "content-type": type },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Reply["body"] };
  }

  /** Writes a document and gives its revision. */
  async put(database: keyof typeof databases, document: { readonly _id: string }): Promise<string> {
    const path = `${databases[database]}/${encodeURIComponent(document._id)}`;
    const { status, body } = await this.send("PUT", path, document);
    if (status !== 201) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`);
    return String(body.rev);
  }

  /** The document, undefined where there is none. */
  async get(database: keyof typeof databases, id: string): Promise<Reply["body"] | undefined> {
    const { status, body } = await this.send("GET", `${databases[database]}/${encodeURIComponent(id)}`);
    return status === 200 ? body : undefined;
  }

  async stop(): Promise<void> {
    await this.#gate?.close();
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export interface Reply {
  readonly status: number;
  // Tests look into answers by path; a wrong path fails the expectation that follows.
  // biome-ignore lint/suspicious/noExplicitAny: whatever a server answers
  readonly body: any;
}

/** A record as the invoker makes them. */
export function recordOf(id: string, more: Partial<ActivationDocument> = {}): ActivationDocument {
  return {
    _id: `guest/${id}`,
    ...{ namespace: "guest", name: "hello", subject: "guest", activationId: id, version: "0.0.1" },
    ...{ start: 1754479200150, end: 1754479200243, duration: 93, publish: false, logs: [] },
    response: { statusCode: 0, result: { payload: "hi" }, size: 16 },
    annotations: [{ key: "path", value: "guest/hello" }],
    updated: 1754479200260,
    entityType: "activation",
    ...more,
  };
}
