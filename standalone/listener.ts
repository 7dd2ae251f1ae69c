// The port: taken before anything slow happens, answering 503 until the server is ready and while it ends.

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StartError, texts } from "./errors.ts";

/** Longer than the idle time of common clients and proxies, so that they close first. */
const keepAliveMs = 65_000;

export interface Listener {
  readonly port: number;
  /** From now on requests go to the handler. */
  handle(handler: RequestListener): void;
  /** From now on requests are refused with 503; resolves when all that came before are answered. */
  refuse(): Promise<void>;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

/** Listens. Throws StartError naming the obstacle and the remedy. */
export async function listen(port: number, host: string): Promise<Listener> {
  let handler: RequestListener | undefined;
  let unanswered = 0;
  let answered = (): void => {};
  const server: Server = createServer((request, response) => {
    if (handler === undefined) {
      response.writeHead(503, { "Content-Type": "application/json", Connection: "close" });
      response.end(JSON.stringify({ error: texts.overloaded, code: "sid_unknown" }));
    } else {
      unanswered++;
      response.once("close", () => {
        unanswered--;
        answered();
      });
      handler(request, response);
    }
  });
  server.keepAliveTimeout = keepAliveMs;
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw listeningFailed(error, port, host);
  }
  return {
    port: (server.address() as AddressInfo).port,
    handle: (next) => {
      handler = next;
    },
    async refuse() {
      handler = undefined;
      while (unanswered > 0) {
        await new Promise<void>((resolve) => {
          answered = resolve;
        });
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listeningFailed(error: unknown, port: number, host: string): StartError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} on ${host} is taken. End the program that has it, or choose another with --port.`,
      );
    case "EACCES":
      return new StartError(`Port ${port} needs privileges. Choose one above 1023 with --port.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartError(
        `${host} is no address of this machine. Choose one with --host, such as 127.0.0.1.`,
      );
    default:
      return new StartError(`Listening on ${host} port ${port} failed: ${String(error)}`, { cause: error });
  }
}
