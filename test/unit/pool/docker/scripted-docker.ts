// A Docker daemon for tests: its API on a socket of its own, answering as it is told, its containers only names.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What of the API is used, by the words of `docker`. */
export type Verb = "create" | "start" | "inspect" | "pause" | "unpause" | "remove" | "list" | "pull";

/** An HTTP status (with a body), or never an answer. */
export type Say = { readonly status: number; readonly body?: unknown } | "nothing";

export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly body: { readonly [field: string]: unknown };
  isPaused: boolean;
}

const routes: readonly (readonly [string, RegExp, Verb])[] = [
  ["POST", /^\/containers\/create$/, "create"],
  ["POST", /^\/containers\/([^/]+)\/start$/, "start"],
  ["GET", /^\/containers\/json$/, "list"],
  ["GET", /^\/containers\/([^/]+)\/json$/, "inspect"],
  ["POST", /^\/containers\/([^/]+)\/pause$/, "pause"],
  ["POST", /^\/containers\/([^/]+)\/unpause$/, "unpause"],
  ["DELETE", /^\/containers\/([^/]+)$/, "remove"],
  ["POST", /^\/images\/create$/, "pull"],
];

export class ScriptedDocker {
  readonly folder = mkdtempSync(join(tmpdir(), "rewhisk-docker-"));
  readonly socketPath = join(this.folder, "docker.sock");
  readonly containers: FakeContainer[] = [];
  /** All that was asked for: `verb name`. */
  readonly asked: string[] = [];
  /** What is said instead of the usual; asked each time. */
  script: (verb: Verb, name: string) => Say | undefined = () => undefined;
  /** What is waited for before anything is done. */
  hold: (verb: Verb) => Promise<void> = () => Promise.resolve();
  state = { Running: true, ExitCode: 0, OOMKilled: false };
  address = "127.0.0.1";
  readonly logPath = join(this.folder, "json.log");
  readonly #server: Server;
  readonly #open = new Map<ServerResponse, string>();
  #made = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<ScriptedDocker> {
    const docker = new ScriptedDocker();
    await new Promise<void>((resolve) => docker.#server.listen(docker.socketPath, resolve));
    return docker;
  }

  /** How often it was asked for that. */
  count(verb: Verb): number {
    return this.asked.filter((asked) => asked.startsWith(`${verb} `)).length;
  }

  /** Whoever waits for an answer about what is called so is told that there will be none. */
  cut(name: string): void {
    for (const [response, of] of this.#open) if (of === name) response.destroy();
  }

  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
    rmSync(this.folder, { recursive: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const url = new URL(request.url ?? "", "http://docker");
    for (const [method, path, verb] of routes) {
      const found = path.exec(url.pathname);
      if (found === null || request.method !== method) continue;
      const text = Buffer.concat(pieces).toString();
      const named = found[1] ?? url.searchParams.get("name") ?? url.searchParams.get("fromImage") ?? "";
      const name = this.containers.find(({ id }) => id === named)?.name ?? named;
      this.asked.push(`${verb} ${name}`);
      this.#open.set(
        response.once("close", () => this.#open.delete(response)),
        name,
      );
      await this.hold(verb);
      const say = this.script(verb, name) ?? this.#usual(verb, name, text === "" ? {} : JSON.parse(text));
      if (say !== "nothing") {
        response.writeHead(say.status, { "content-type": "application/json" });
        // Progress is told in lines.
        response.end(say.body === undefined ? "" : `${JSON.stringify(say.body)}\r\n`);
      }
      return;
    }
    response.writeHead(501).end(JSON.stringify({ message: `${request.method} ${request.url}` }));
  }

  #usual(verb: Verb, name: string, body: FakeContainer["body"]): Say {
    if (verb === "create") return this.#create(name, body);
    if (verb === "list") return { status: 200, body: this.containers.map(listed) };
    if (verb === "pull") return { status: 200, body: { status: "pulled" } };
    const container = this.containers.find((one) => one.name === name);
    if (container === undefined) return { status: 404, body: { message: `No such container: ${name}` } };
    if (verb === "inspect") return { status: 200, body: this.#inspected(container) };
    if (verb === "pause" || verb === "unpause") container.isPaused = verb === "pause";
    if (verb === "remove") this.containers.splice(this.containers.indexOf(container), 1);
    return { status: 204 };
  }

  #create(name: string, body: FakeContainer["body"]): Say {
    if (this.containers.some((one) => one.name === name)) return { status: 409, body: { message: "in use" } };
    const id = `id${++this.#made}`;
    this.containers.push({ id, name, body, isPaused: false });
    return { status: 201, body: { Id: id } };
  }

  #inspected({ id }: FakeContainer): unknown {
    const Networks = { bridge: { IPAddress: this.address } };
    return { Id: id, State: this.state, LogPath: this.logPath, NetworkSettings: { Networks } };
  }
}

function listed({ id, name, body, isPaused }: FakeContainer): unknown {
  return { Id: id, Names: [`/${name}`], State: isPaused ? "paused" : "running", Labels: body.Labels };
}
