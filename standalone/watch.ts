// The invoker's own pages beside the API: health, metrics, the pool, and the live page. The guest's key opens them.

import { AdminListenError, type AdminServer, type Invoker, serveAdmin } from "../invoker/index.ts";
import { urlOf } from "./banner.ts";
import { StartError } from "./errors.ts";
import { reportFault } from "./start-parts.ts";

export interface WatchAddress {
  readonly host: string;
  readonly port: number;
  /** `uuid:key` */
  readonly auth: string;
}

/** Where a browser finds the live page; it is not asked for name and password. */
export function watchUrl({ host, port, auth }: WatchAddress): string {
  return `${urlOf(host, port).replace("//", `//${auth}@`)}/ui`;
}

/** Throws StartError. */
export async function serveWatch(invoker: Invoker, { host, port, auth }: WatchAddress): Promise<AdminServer> {
  const [username = "", password = ""] = auth.split(":");
  const settings = {
    ...{ host, port, username, password, showsMetrics: true, tls: undefined },
    transactionHeader: "X-Request-Id",
  };
  const observer = {
    answered: () => undefined,
    acceptFailed: (error: Error) => reportFault("admin pages", error),
    lookFailed: (error: unknown) => reportFault("live page", error),
  };
  return await serveAdmin(invoker, settings, observer).catch((error: unknown) => {
    if (!(error instanceof AdminListenError)) throw error;
    const remedy = "choose another port with --admin-port NUMBER (0 takes a free one)";
    throw new StartError(`The invoker's pages cannot be served at ${host}:${port}: ${remedy}.`, {
      cause: error,
    });
  });
}
