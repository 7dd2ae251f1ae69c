// What a controller says of its invokers to anyone who asks: their states, how many are healthy, and whether enough are.

import { invokerName } from "./balancer/supervisor.ts";
import { ApiError, methodNotAllowed, texts } from "./errors.ts";
import { ok, type Reply } from "./request.ts";
import type { Services } from "./services.ts";

/** Answers `/invokers` and below; `path` is what follows. ApiError 404 or 405 for anything else. */
export function invokersReply({ balancer, settings }: Services, method: string, path: string): Reply {
  if (method !== "GET" && method !== "HEAD") {
    throw methodNotAllowed(["GET"]);
  }
  const { invokers } = balancer;
  const healthy = invokers.filter(({ state }) => state === "up").length;
  const all = invokers.length;
  switch (path) {
    case "":
    case "/":
      return ok(Object.fromEntries(invokers.map(({ instance, state }) => [invokerName(instance), state])));
    case "/healthy/count":
      return ok(healthy);
    case "/ready":
      return all > 0 && healthy / all >= settings.readinessFraction
        ? ok({ healthy: `${healthy}/${all}` })
        : { status: 500, body: { unhealthy: `${all - healthy}/${all}` } };
    default:
      throw new ApiError(404, texts.noRoute);
  }
}
