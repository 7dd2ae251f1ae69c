// The invoker's own HTTP, as stock answers it: is it there, how is it doing, may controllers send it work.

import { createHash, randomInt, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AdminTls, createTlsServer } from "./http-tls.ts";
import { poolCount, poolReport } from "./pool-report.ts";
import type { Invoker } from "./service.ts";
import { challenge, isOfLivePage, livePageRoutes } from "./ui/live-page.ts";
import { defaultWatchLimits, Watchers, type WatchLimits } from "./ui/watchers.ts";

export interface AdminSettings {
  readonly host: string;
  /** `PORT`; 0 takes a free one. */
  readonly port: number;
  /** `whisk.invoker.username`, `whisk.invoker.password` */
  readonly username: string;
  readonly password: string;
  /** `whisk.transactions.header` */
  readonly transactionHeader: string;
  /** `whisk.metrics.prometheus-enabled` and `whisk.metrics.kamon-enabled` */
  readonly showsMetrics: boolean;
  /** `whisk.invoker.protocol` being `https`; undefined: plain HTTP. */
  readonly tls: AdminTls | undefined;
}

/** Nobody can be served at the address, most often because another process has it. */
export class AdminListenError extends Error {
  readonly code = "listen";
  constructor(host: string, port: number, cause: Error) {
    super(`the admin pages cannot be served at ${host}:${port} (${cause.message}): set PORT to a free one`, {
      cause,
    });
    this.name = "AdminListenError";
  }
}

export interface AdminServer {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: { readonly [name: string]: string };
  /** Given: the answer has no end yet, and this sends the rest. */
  readonly goesOn?: (response: ServerResponse) => void;
}

type Route = (invoker: Invoker) => Answer | Promise<Answer>;

interface Routes {
  /** For everybody. */
  readonly open: { readonly [route: string]: Route };
  /** For operators. */
  readonly guarded: { readonly [route: string]: Route };
}

const text = (body: string): Answer => ({ status: 200, type: "text/plain; charset=UTF-8", body });
const json = (status: number, value: unknown): Answer => ({
  ...{ status, type: "application/json" },
  body: JSON.stringify(value, undefined, 2),
});

/** For everybody: whoever looks after the machine asks these. */
const openRoutes: { readonly [route: string]: Route } = {
  "GET /ping": () => text("pong"),
  "GET /ready": (invoker) => {
    const { phase, notReady, underWay, done, pool } = invoker.status();
    const { waiting, memoryMB, reservedMB } = pool;
    const status = notReady.length === 0 ? 200 : 503;
    return json(status, { phase, notReady, underWay, done, waiting, memoryMB, reservedMB });
  },
};

const metricsRoutes: { readonly [route: string]: Route } = {
  "GET /metrics": async (invoker) => ({
    ...{ status: 200, type: "text/plain; version=0.0.4" },
    body: await invoker.metrics(),
  }),
};

/** For operators. The texts are stock's. */
const guardedRoutes: { readonly [route: string]: Route } = {
  "POST /enable": (invoker) => text(`${invoker.name} is ${invoker.enable() ? "now" : "already"} enabled.`),
  "POST /disable": (invoker) => text(`${invoker.name} is ${invoker.disable() ? "now" : "already"} disabled.`),
  "GET /isEnabled": (invoker) => text(JSON.stringify({ enabled: invoker.isEnabled })),
  "GET /pool": (invoker) => json(200, poolReport(invoker.status())),
  "GET /pool/count": (invoker) => text(String(poolCount(invoker.status()))),
};

const unauthorized = "The authentication is possible but has failed or not yet been provided.";
const ofOtherSite = "Pages of other sites may change nothing here.";
const notFound = "The requested resource could not be found.";

/** Neither may throw. */
export interface AdminObserver {
  /** Told of each answer, in time to be seen by who asks next. */
  answered(method: string, status: number, tookMs: number): void;
  /** Somebody could not be let in, most often for want of descriptors; the next one may be. */
  acceptFailed(error: Error): void;
  /** Those who watched were sent away: the state of the invoker could not be read. */
  lookFailed(error: unknown): void;
}

const nobody: AdminObserver = {
  answered: () => undefined,
  acceptFailed: () => undefined,
  lookFailed: () => undefined,
};

/** Serves from now on. Throws AdminTlsError, or what listening to the port throws. */
export async function serveAdmin(
  invoker: Invoker,
  settings: AdminSettings,
  observer: AdminObserver = nobody,
  watchLimits: WatchLimits = defaultWatchLimits,
): Promise<AdminServer> {
  const { host, port, tls, showsMetrics } = settings;
  const watchers = new Watchers(
    () => invoker.look(),
    (error) => observer.lookFailed(error),
    watchLimits,
  );
  const routes: Routes = {
    open: showsMetrics ? { ...openRoutes, ...metricsRoutes } : openRoutes,
    guarded: { ...guardedRoutes, ...livePageRoutes(watchers) },
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const sinceMs = performance.now();
    const { method = "" } = request;
    void handle(request, response, { invoker, settings, routes }).then((status) =>
      observer.answered(method, status, performance.now() - sinceMs),
    );
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => reject(new AdminListenError(host, port, cause));
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse).on("error", (error) => observer.acceptFailed(error));
      resolve();
    });
  });
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      watchers.close();
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

interface Serving {
  readonly invoker: Invoker;
  readonly settings: AdminSettings;
  readonly routes: Routes;
}

async function handle(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<number> {
  const { transactionHeader } = serving.settings;
  const transid = transactionOf(request, transactionHeader);
  request.resume();
  const answered = await answer(request, transid, serving).catch((error: unknown) =>
    errorAnswer(500, error instanceof Error ? error.message : String(error), transid),
  );
  const { status, type, body, goesOn } = answered;
  const headers = { "Content-Type": type, ...answered.headers, [transactionHeader]: transid };
  if (goesOn !== undefined && request.method !== "HEAD") {
    goesOn(response.writeHead(status, headers));
  } else {
    response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) }).end(body);
  }
  return status;
}

async function answer(
  { method = "", url = "", headers }: IncomingMessage,
  transid: string,
  { invoker, settings, routes }: Serving,
): Promise<Answer> {
  const [path = ""] = url.split("?");
  // The answer to HEAD is that to GET; its body is not sent.
  const wanted = `${method === "HEAD" ? "GET" : method} ${path}`;
  const open = routes.open[wanted];
  if (open !== undefined) return await open(invoker);
  if (!isOperator(headers.authorization, settings)) {
    const refusal = errorAnswer(401, unauthorized, transid);
    return isOfLivePage(path) ? { ...refusal, headers: challenge } : refusal;
  }
  if (method !== "GET" && method !== "HEAD" && isOfOtherSite(headers))
    return errorAnswer(403, ofOtherSite, transid);
  const guarded = routes.guarded[wanted];
  if (guarded !== undefined) return await guarded(invoker);
  const all = Object.keys({ ...routes.open, ...routes.guarded });
  const methods = all.filter((route) => route.endsWith(` ${path}`));
  if (methods.length === 0) return errorAnswer(404, notFound, transid);
  const supported = methods.map((route) => route.split(" ")[0]).join(", ");
  return errorAnswer(405, `HTTP method not allowed, supported methods: ${supported}`, transid);
}

/**
 * A browser that has been let in sends name and password along with what pages of other sites ask, and the page's origin with
 * whatever changes something. Programs send none.
 */
function isOfOtherSite({ origin, host }: IncomingMessage["headers"]): boolean {
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host);
}

function errorAnswer(status: number, error: string, code: string): Answer {
  return json(status, { code, error });
}

/** Compares digests, which have one length and are compared in one time. */
function isOperator(authorization: string | undefined, { username, password }: AdminSettings): boolean {
  const [, given = ""] = /^Basic\s+(\S+)$/i.exec(authorization ?? "") ?? [];
  const digest = (credentials: string | Buffer): Buffer => createHash("sha256").update(credentials).digest();
  return timingSafeEqual(digest(Buffer.from(given, "base64")), digest(`${username}:${password}`));
}

const systemPrefix = "sid_";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const idLength = 32;

/** The caller's own id, unless it is missing or one that the system gives. */
function transactionOf({ headers }: IncomingMessage, header: string): string {
  const given = headers[header.toLowerCase()];
  if (typeof given === "string" && given !== "" && !given.startsWith(systemPrefix)) return given;
  return Array.from({ length: idLength }, () => letters[randomInt(letters.length)]).join("");
}
