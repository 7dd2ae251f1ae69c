// The HTTP server: transaction ids, authentication, routes and errors of OpenWhisk's REST API.

import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { type Identity, printExact, type TransactionId } from "../invoker/index.ts";
import { actionsApi } from "./actions.ts";
import { activationsApi } from "./activations.ts";
import { authenticated } from "./authentication.ts";
import { ApiError, methodNotAllowed, texts } from "./errors.ts";
import { newTransactionName } from "./ids.ts";
import { type Build, infoDocument } from "./info.ts";
import { invokersReply } from "./invokers.ts";
import { checkedNamespace } from "./names.ts";
import { namespaceLimitsApi } from "./namespace-limits.ts";
import { packagesApi } from "./packages.ts";
import { bodyBytesMax, refusalOf } from "./refusals.ts";
import { type ApiRequest, type Method, ok, type Reply } from "./request.ts";
import { rulesApi } from "./rules.ts";
import type { Services } from "./services.ts";
import { triggersApi } from "./triggers.ts";
import { serveWebAction } from "./web/serve.ts";

const transactionHeader = "X-Request-Id";
const corsHeaders = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
  "Access-Control-Allow-Methods": "GET, DELETE, POST, PUT, HEAD",
} as const;
const collections = {
  actions: actionsApi,
  activations: activationsApi,
  limits: namespaceLimitsApi,
  packages: packagesApi,
  rules: rulesApi,
  triggers: triggersApi,
} as const;

/** Builds the application; the caller gives it a port. */
export function createApi(services: Services, build: Build): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  const info = ok(infoDocument(services, build));
  app.use((request: Request, response: Response, next: NextFunction) => {
    const transid = transactionOf(request);
    response.locals.transid = transid;
    response.set(transactionHeader, transid[0]);
    next();
  });
  app.get("/ping", (_request: Request, response: Response) => {
    response.type("text/plain").send("pong");
  });
  app.get("/", (_request: Request, response: Response) => {
    send(response, info);
  });
  app.use("/invokers", (request: Request, response: Response) => {
    send(response, invokersReply(services, request.method, request.path));
  });
  app.use("/api/v1/web", async (request: Request, response: Response, next: NextFunction) => {
    const transid = response.locals.transid as TransactionId;
    if (!(await serveWebAction(services, request, response, transid))) {
      next();
    }
  });
  app.use("/api/v1", async (request: Request, response: Response, next: NextFunction) => {
    response.set(corsHeaders);
    if (request.method === "OPTIONS") {
      response.type("text/plain").send("OK");
    } else if (request.path === "/" && (request.method === "GET" || request.method === "HEAD")) {
      send(response, info);
    } else {
      response.locals.user = await authenticated(services.subjects, request.get("Authorization"));
      next();
    }
  });
  app.use("/api/v1", express.raw({ type: () => true, limit: bodyBytesMax }));
  app.use("/api/v1", async (request: Request, response: Response) => {
    send(response, await route(services, apiRequest(request, response), segmentsOf(request.path)));
  });
  app.use(() => {
    throw new ApiError(404, texts.noRoute);
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) {
      next(error);
    } else {
      sendError(services, response, error);
    }
  });
  return app;
}

async function route(services: Services, request: ApiRequest, segments: readonly string[]): Promise<Reply> {
  const [root, namespace = "", collection, ...rest] = segments;
  if (root !== "namespaces") {
    // The API gateway and the documentation pages live here in OpenWhisk.
    throw new ApiError(404, texts.noRoute);
  }
  if (collection === undefined) {
    if (namespace !== "") {
      throw new ApiError(404, texts.noRoute);
    }
    if (request.method !== "GET") {
      throw methodNotAllowed(["GET"]);
    }
    return { status: 200, body: [request.user.namespace.name] };
  }
  if (!Object.hasOwn(collections, collection)) {
    throw new ApiError(404, texts.noRoute);
  }
  const own = checkedNamespace(namespace, request.user.namespace.name);
  requireRoom(services, request);
  return await collections[collection as keyof typeof collections](services, request, own, rest);
}

/** Every write begins here, so that it is refused before anything has been done. An invocation writes its record. */
function requireRoom({ room }: Services, { method, body }: ApiRequest): void {
  if (method === "PUT" || method === "POST") {
    room.requireForNew(body.length);
  } else if (method === "DELETE") {
    room.requireForRest();
  }
}

/** `X-Request-Id` of the caller unless it looks like the system's own, else 32 random letters and digits. */
function transactionOf(request: Request): TransactionId {
  const given = request.get(transactionHeader);
  const id = given !== undefined && given !== "" && !given.startsWith("sid_") ? given : newTransactionName();
  const isExtraLogged = request.get("X-OW-EXTRA-LOGGING")?.toLowerCase() === "on";
  return isExtraLogged ? [id, Date.now(), true] : [id, Date.now()];
}

function apiRequest(request: Request, response: Response): ApiRequest {
  const question = request.url.indexOf("?");
  return {
    method: methodOf(request.method),
    user: response.locals.user as Identity,
    transid: response.locals.transid as TransactionId,
    query: new URLSearchParams(question < 0 ? "" : request.url.slice(question + 1)),
    contentType: request.get("Content-Type")?.split(";")[0]?.trim().toLowerCase(),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

function methodOf(method: string): Method {
  switch (method) {
    case "GET":
    case "PUT":
    case "POST":
    case "DELETE":
      return method;
    case "HEAD":
      return "GET";
    default:
      throw methodNotAllowed(["PUT", "GET", "DELETE", "POST"]);
  }
}

/** The parts of the path, decoded; a slash at the end gives an empty last part. */
function segmentsOf(path: string): readonly string[] {
  try {
    return path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    throw new ApiError(400, texts.nameIllegal);
  }
}

/** As bytes: to a text Express would add a charset. */
function send(response: Response, reply: Reply): void {
  response.status(reply.status).set(reply.headers ?? {});
  if (reply.body === undefined) {
    response.end();
  } else {
    response.setHeader("Content-Type", "application/json");
    response.send(Buffer.from(printExact(reply.body)));
  }
}

function sendError(services: Services, response: Response, error: unknown): void {
  const refusal = refusalOf(error);
  const transid = response.locals.transid as TransactionId;
  if (refusal.status === 500) {
    services.onFault(`request ${transid[0]}`, error);
  }
  send(response, {
    status: refusal.status,
    headers: refusal.headers,
    body: { error: refusal.message, code: transid[0] },
  });
}
