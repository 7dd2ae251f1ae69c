// As little as a program can do to time a call: Node's own HTTP client and a clock. What the comparison's figures are held against.

import { Agent, type RequestOptions, request } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { EndpointPlace } from "./endpoint.ts";

export interface BareClient {
  /** Milliseconds from sending the request to the last byte of the answer. Throws BareCallError where it is not 200. */
  call(path: string, body: string): Promise<number>;
  close(): void;
}

/** What came was no outcome to be timed. */
export class BareCallError extends Error {
  readonly code = "bare-call";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BareCallError";
  }
}

export function bareClient({ url, auth, insecure }: EndpointPlace): BareClient {
  const isTls = url.protocol === "https:";
  const agent = isTls
    ? new TlsAgent({ keepAlive: true, rejectUnauthorized: !insecure })
    : new Agent({ keepAlive: true });
  const send = isTls ? requestTls : request;
  const options: RequestOptions = {
    ...{ method: "POST", agent, auth, host: url.hostname.replace(/^\[|\]$/g, "") },
    ...{ port: url.port || (isTls ? 443 : 80), headers: { "content-type": "application/json" } },
  };
  return {
    call: (path, body) =>
      new Promise((resolve, reject) => {
        const startMs = performance.now();
        const failed = (cause: Error): void => reject(new BareCallError(cause.message, { cause }));
        const asked = send({ ...options, path }, (answer) => {
          answer.resume();
          answer.on("error", failed);
          answer.on("end", () => {
            const tookMs = performance.now() - startMs;
            if (answer.statusCode === 200) resolve(tookMs);
            else reject(new BareCallError(`it was answered with ${answer.statusCode}`));
          });
        });
        asked.on("error", failed);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}
