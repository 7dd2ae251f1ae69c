// Web actions: actions that anyone may call over plain HTTP, in the name of the namespace's owner.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "express";
import { ExactNumber, type Identity, isJsonObject, type TransactionId } from "../../invoker/index.ts";
import { identify } from "../authentication.ts";
import { ApiError, methodNotAllowed, texts } from "../errors.ts";
import { parameterValue } from "../parameters.ts";
import { refusalOf } from "../refusals.ts";
import type { ResolvedAction } from "../resolve.ts";
import type { Services } from "../services.ts";
import type { AnyRecord } from "../store/records.ts";
import { readBody, type WebRequest, webArguments } from "./arguments.ts";
import type { Transcoder } from "./extensions.ts";
import { errorReply, type WebReply } from "./reply.ts";
import { findWebAction, readTarget, type Target } from "./target.ts";

const methods = ["OPTIONS", "GET", "DELETE", "POST", "PUT", "HEAD", "PATCH"] as const;
const usualHeaders = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent";

/** Sends the answer. False, with nothing sent: the path, below `/api/v1/web`, is none of a web action. */
export async function serveWebAction(
  services: Services,
  request: Request,
  response: Response,
  transid: TransactionId,
): Promise<boolean> {
  const target = readTarget(request.path);
  if (target === undefined) {
    return false;
  }
  const { status, headers, content } = await answer(services, target, request, transid).catch(
    refused(services, transid),
  );
  if (content !== undefined && status < 400 && request.accepts(content.type) === false) {
    const types = `Resource representation is only available with these types:\n${content.type}`;
    throw new ApiError(406, types);
  }
  response.status(status);
  for (const [name, value] of headers) {
    response.appendHeader(name, value);
  }
  if (content !== undefined) {
    response.setHeader("Content-Type", content.type);
  }
  response.end(content?.body);
  return true;
}

async function answer(
  services: Services,
  target: Target,
  request: Request,
  transid: TransactionId,
): Promise<WebReply> {
  const { method, headers } = request;
  if (!(methods as readonly string[]).includes(method)) {
    throw methodNotAllowed(methods);
  }
  const body = await readBody(request, services.settings.payloadBytes);
  const { owner, action } = await findWebAction(services, target);
  services.throttle.invocation(owner);
  const { annotations } = action.document;
  const cors = parameterValue(annotations, "web-custom-options") === true ? [] : corsHeaders(headers);
  if (method === "OPTIONS" && cors.length > 0) {
    return { status: 200, headers: cors };
  }
  const { url } = request;
  const query = url.includes("?") ? url.slice(url.indexOf("?") + 1) : "";
  const asked = { method, headers, path: target.path, query, body };
  const invoked = invoke(services, { transid, owner, action, transcode: target.transcode }, asked);
  const reply = await invoked.catch(refused(services, transid));
  return { ...reply, headers: [...cors, ...reply.headers] };
}

/** What pages of other sites may do: anything, with whatever headers they ask for. */
function corsHeaders(headers: WebRequest["headers"]): WebReply["headers"] {
  return [
    ["Access-Control-Allow-Origin", "*"],
    ["Access-Control-Allow-Methods", methods.join(", ")],
    ["Access-Control-Allow-Headers", headers["access-control-request-headers"] ?? usualHeaders],
  ];
}

async function invoke(
  services: Services,
  how: {
    readonly transid: TransactionId;
    readonly owner: Identity;
    readonly action: ResolvedAction;
    readonly transcode: Transcoder;
  },
  request: WebRequest,
): Promise<WebReply> {
  const { transid, owner, action, transcode } = how;
  const { annotations } = action.document;
  const caller = await identify(services.subjects, request.headers.authorization);
  // An action that answers OPTIONS itself answers everyone: browsers send it without credentials.
  if (request.method !== "OPTIONS" && !isAdmitted(annotations, caller, request)) {
    throw new ApiError(401, texts.unauthorized);
  }
  const payload = webArguments({ annotations, parameters: action.parameters, caller }, request);
  services.room.requireForNew(request.body.length);
  const { activationId, record } = await services.runner.invoke({
    ...{ user: owner, transid, action, payload },
    waitMs: services.settings.blockingWaitMs,
  });
  const [code] = transid;
  const reply =
    record === undefined ? errorReply(202, texts.responseNotReady, code) : show(record, transcode, code);
  return { ...reply, headers: [["x-openwhisk-activation-id", activationId], ...reply.headers] };
}

/** `require-whisk-auth`: `true` admits whoever has a key, a text or a number whoever knows it. */
function isAdmitted(
  annotations: ResolvedAction["document"]["annotations"],
  caller: Identity | undefined,
  { headers }: WebRequest,
): boolean {
  const required = parameterValue(annotations, "require-whisk-auth");
  if (required === undefined || typeof required === "boolean") {
    return required !== true || caller !== undefined;
  }
  if (typeof required !== "string" && typeof required !== "number" && !(required instanceof ExactNumber)) {
    return false;
  }
  const secret = required instanceof ExactNumber ? required.text : String(required);
  const given = headers["x-require-whisk-auth"];
  return typeof given === "string" && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The outcome as the extension shows it; of an application error its `error`. */
function show({ response }: AnyRecord, transcode: Transcoder, code: string): WebReply {
  const { statusCode, result = {} } = response;
  if (statusCode > 1) {
    return errorReply(400, texts.processingFailed, code);
  }
  const shown = statusCode === 0 ? result : isJsonObject(result) ? result.error : undefined;
  if (shown === undefined) {
    return errorReply(404, texts.propertyMissing, code);
  }
  try {
    return transcode(shown);
  } catch (error) {
    if (error instanceof ApiError) {
      return errorReply(error.status, error.message, code);
    }
    throw error;
  }
}

/** Turns what went wrong into the answer that says so. */
function refused(services: Services, [code]: TransactionId): (error: unknown) => WebReply {
  return (error) => {
    const { status, message, headers } = refusalOf(error);
    if (status === 500) {
      services.onFault(`request ${code}`, error);
    }
    return errorReply(status, message, code, Object.entries(headers));
  };
}
