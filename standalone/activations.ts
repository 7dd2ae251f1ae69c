// The activations collection: lists by time and name, whole records, results and logs.

import { requireOwner } from "./access.ts";
import { ApiError, malformedQuery, methodNotAllowed, notFound, texts } from "./errors.ts";
import { isEntityName } from "./names.ts";
import { type ApiRequest, ok, type Reply, readFlag, readListQuery } from "./request.ts";
import type { Services } from "./services.ts";
import type { AnyRecord } from "./store/records.ts";

const statusTexts = [
  "success",
  "application error",
  "action developer error",
  "whisk internal error",
] as const;

/** The outcome as callers see it: words and a claim instead of the code. */
export function responseForCaller(response: AnyRecord["response"]): { readonly [field: string]: unknown } {
  const { statusCode, ...rest } = response;
  return { ...rest, status: statusTexts[statusCode], success: statusCode === 0 };
}

/** The record as callers see it. One without an end (a trigger's) shows neither end nor duration. */
export function recordForCaller(record: AnyRecord): { readonly [field: string]: unknown } {
  const ended = record.end !== 0;
  return {
    activationId: record.activationId,
    annotations: record.annotations,
    ...(record.cause === undefined ? {} : { cause: record.cause }),
    ...(ended ? { duration: record.duration ?? record.end - record.start, end: record.end } : {}),
    logs: record.logs,
    name: record.name,
    namespace: record.namespace,
    publish: record.publish,
    response: responseForCaller(record.response),
    start: record.start,
    subject: record.subject,
    version: record.version,
  };
}

/** Answers `.../activations` and below; `segments` are what follows that word, `[""]` or `[]` for the list. */
export async function activationsApi(
  services: Services,
  request: ApiRequest,
  namespace: string,
  segments: readonly string[],
): Promise<Reply> {
  const [id = "", part, ...rest] = segments;
  if (rest.length > 0 || !["", "result", "logs", undefined].includes(part)) {
    throw new ApiError(404, texts.noRoute);
  }
  if (request.method !== "GET") {
    throw methodNotAllowed(["GET"]);
  }
  if (id === "") {
    requireOwner(request.user, namespace, namespace);
    return await list(services, request, namespace);
  }
  checkActivationId(id);
  requireOwner(request.user, namespace, `${namespace}/${id}`);
  const record = await services.records.get(namespace, id);
  if (record === undefined) {
    throw notFound();
  }
  switch (part) {
    case "result":
      return ok(responseForCaller(record.response));
    case "logs":
      return ok({ logs: record.logs });
    default:
      return ok(recordForCaller(record));
  }
}

function checkActivationId(id: string): void {
  if (id.length !== 32) {
    throw new ApiError(400, `Activation id length is ${id.length} but must be 32.`);
  }
  if (!/^[0-9a-f]{32}$/i.test(id)) {
    throw new ApiError(400, texts.activationIdIllegal);
  }
}

async function list(services: Services, request: ApiRequest, namespace: string): Promise<Reply> {
  const { query } = request;
  const page = readListQuery(query, "activations");
  const docs = readFlag(query, "docs", false);
  const range = {
    namespace,
    action: nameFilter(query.get("name")),
    sinceMs: readTime(query, "since"),
    uptoMs: readTime(query, "upto"),
    skip: page.skip,
    limit: page.limit,
  };
  if (page.count) {
    if (docs) {
      throw new ApiError(400, texts.docsWithCount);
    }
    return ok({ activations: await services.records.count(range) });
  }
  if (docs) {
    return ok((await services.records.listDocuments(range)).map(recordForCaller));
  }
  return ok(await services.records.list(range));
}

function nameFilter(value: string | null): string | undefined {
  if (value === null || value.trim() === "") {
    return undefined;
  }
  const segments = value.split("/");
  if (segments.length > 2 || !segments.every(isEntityName)) {
    throw malformedQuery("name", `Parameter may be a 'simple' name or 'package-name/simple' name: ${value}`);
  }
  return value;
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) {
    return undefined;
  }
  if (!/^-?\d{1,16}$/.test(text)) {
    throw malformedQuery(name, `Parameter is not a valid value for epoch seconds: ${text}`);
  }
  return Number(text);
}
