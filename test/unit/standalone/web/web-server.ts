// A server for tests of web actions, and a caller that sends and sees everything as it goes over the wire.

import { request } from "node:http";
import type { ActivationRecord, Json } from "../../../../invoker/index.ts";
import type { ControllerSettings } from "../../../../standalone/settings.ts";
import { echo, startTestServer, type TestServer } from "../server.ts";

export interface WebAnswer {
  readonly status: number;
  /** By lower-case name; lines of the same name in their order. */
  readonly headers: { readonly [name: string]: readonly string[] };
  readonly bytes: Buffer;
  readonly text: string;
  // Tests look into bodies by path; a wrong path fails the expectation that follows.
  // biome-ignore lint/suspicious/noExplicitAny: whatever an action gives
  readonly json: any;
}

export interface WebQuestion {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | Buffer;
}

const webUrl = "/api/v1/web";
const actionsUrl = "/api/v1/namespaces/_/actions";

export class WebServer {
  readonly server: TestServer;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(settings: Partial<ControllerSettings> = {}): Promise<WebServer> {
    return new WebServer(await startTestServer({ settings }));
  }

  /** Creates or replaces an action of the guest; `annotations` beside `web-export`. */
  async export(
    name: string,
    annotations: { readonly [key: string]: Json } = {},
    fields: object = {},
  ): Promise<void> {
    const all = Object.entries({ "web-export": true, ...annotations });
    const { status, text } = await this.server.send("PUT", `${actionsUrl}/${name}?overwrite=true`, {
      exec: { kind: "nodejs:20", code: ";" },
      annotations: all.map(([key, value]) => ({ key, value })),
      ...fields,
    });
    if (status !== 200) throw new Error(text);
  }

  /** Actions give back their arguments. */
  echoes(): void {
    this.server.behave(echo);
  }

  /** Actions give this. */
  gives(result: Json, statusCode: ActivationRecord["response"]["statusCode"] = 0): void {
    this.server.behave(() => ({ response: { statusCode, result } }));
  }

  /** Asks for what follows `/api/v1/web`. */
  ask(path: string, { method = "GET", headers = {}, body }: WebQuestion = {}): Promise<WebAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.server.url}${webUrl}${path}`, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const lines: { [name: string]: string[] } = {};
          for (const [i, name] of response.rawHeaders.entries()) {
            if (i % 2 !== 0) continue;
            const key = name.toLowerCase();
            lines[key] = [...(lines[key] ?? []), response.rawHeaders[i + 1] ?? ""];
          }
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          resolve({
            ...{ status: response.statusCode ?? 0, headers: lines, bytes, text },
            get json() {
              return JSON.parse(text);
            },
          });
        });
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }
}
