// The invoker's own HTTP: is it there, is it ready, how is it doing.

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Invoker } from "./service.ts";

export interface AdminServer {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * `/ping` answers `pong` as stock does, `/metrics` in Prometheus' text format, `/ready` 200 once the first containers have
 * been started and 503 before that and while draining. Port 0 takes a free one.
 */
export async function serveAdmin(
  invoker: Invoker,
  listen: { readonly host: string; readonly port: number },
): Promise<AdminServer> {
  const app = express();
  app.disable("x-powered-by");
  app.get("/ping", (_request, response) => {
    response.type("text/plain").send("pong");
  });
  app.get("/metrics", async (_request, response) => {
    response.type("text/plain; version=0.0.4").send(await invoker.metrics());
  });
  app.get("/ready", (_request, response) => {
    const { phase, underWay, pool } = invoker.status();
    const { waiting, memoryMB, reservedMB } = pool;
    const status = phase === "ready" ? 200 : 503;
    response.status(status).json({ phase, underWay, waiting, memoryMB, reservedMB });
  });
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = app.listen(listen.port, listen.host, (error) => {
      if (error === undefined) resolve(listening);
      else reject(error);
    });
  });
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}
