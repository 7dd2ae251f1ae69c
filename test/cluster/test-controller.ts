// A controller of a cluster in this process, for tests: asked over HTTP as its users ask it.

import { join } from "node:path";
import { createApi } from "../../standalone/api.ts";
import { connectController } from "../../standalone/controller.ts";
import { listen } from "../../standalone/listener.ts";
import { type Options, readOptions } from "../../standalone/options.ts";
import { guestSubject } from "../../standalone/services.ts";
import { type Running, stop } from "../../standalone/stop.ts";
import type { CouchSettings } from "../../standalone/store/couchdb.ts";
import type { Answer } from "../system/standalone-program.ts";
import { within } from "../within.ts";

export interface ControllerWish {
  readonly folder: string;
  readonly kafkaHosts: string;
  readonly couch: CouchSettings;
  readonly controller: string;
  readonly clusterSize: number;
  /** A file like OpenWhisk's `runtimes.json`. */
  readonly manifestFile: string;
  /** Listens there; 127.0.0.1 where not given. */
  readonly host?: string;
}

const patienceMs = 60_000;
const namespaceUrl = "/api/v1/namespaces/_";

export class TestController {
  readonly running: Running;
  readonly url: string;
  /** What it has said of its cluster, such as `invoker0 is up`. */
  readonly notes: readonly string[];
  readonly #key: string;

  private constructor(running: Running, host: string, notes: readonly string[]) {
    this.running = running;
    this.url = `http://${host}:${running.listener.port}`;
    this.notes = notes;
    this.#key = running.services.subjects.owner(guestSubject)?.authkey.api_key ?? "";
  }

  static async start(wish: ControllerWish): Promise<TestController> {
    const options = optionsOf(wish);
    const { host = "127.0.0.1", kafkaHosts, couch, controller, clusterSize } = wish;
    const listener = await listen(0, host);
    const notes: string[] = [];
    const note = (line: string): void => void notes.push(line);
    const place = { kind: "controller", kafkaHosts, couch, controller, clusterSize } as const;
    const running = await connectController(options, place, { listener, ownsData: true, note });
    listener.handle(createApi(running.services, { version: "0.0.0", date: "2026-01-01" }));
    return new TestController(running, host, notes);
  }

  /** Sends to a path below the guest's namespace, or to a whole one. */
  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path.startsWith("/") ? path : `${namespaceUrl}/${path}`}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(this.#key).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, headers } = response;
    return { status, headers, text, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** Creates or replaces an action of the guest. Throws with the answer where that is refused. */
  async put(name: string, content: object): Promise<void> {
    const { status, text } = await this.send("PUT", `actions/${name}?overwrite=true`, content);
    if (status !== 200) throw new Error(`${status} ${text}`);
  }

  async invoke(name: string, args: object = {}): Promise<Answer> {
    return await this.send("POST", `actions/${name}?blocking=true`, args);
  }

  /** The record of an activation: it is stored a moment after the answer. */
  async record(activationId: string): Promise<Answer["body"]> {
    return await within(patienceMs, async () => {
      const { status, body } = await this.send("GET", `activations/${activationId}`);
      return status === 200 ? body : undefined;
    });
  }

  /** Its invokers and what it thinks of them, such as `{ "invoker0/name": "up" }`. */
  async invokers(): Promise<{ readonly [name: string]: string }> {
    return (await this.send("GET", "/invokers")).body;
  }

  async stop(): Promise<void> {
    await stop(this.running, 0);
  }
}

function optionsOf({ folder, manifestFile, controller }: ControllerWish): Options {
  const options = readOptions(
    ["--cluster", "--data-dir", join(folder, `controller${controller}`), "--manifest", manifestFile],
    {
      pool: { userMemoryMB: 1024, rewind: "always" },
      memoryMB: { std: 256 },
      concurrency: { min: 1, max: 1 },
    },
  );
  if ("errors" in options) throw new Error(options.errors.join("\n"));
  return options;
}
