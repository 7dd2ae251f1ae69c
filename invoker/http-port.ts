// Whether the admin pages can be served at their port, which the invoker that is to be replaced may still have.

import { request } from "node:http";
import { request as requestTls } from "node:https";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { AdminListenError, type AdminSettings } from "./http.ts";
import { type AdminTls, AdminTlsError, openKeyStore } from "./http-tls.ts";

const answerLimitMs = 5_000;

/** Throws AdminListenError where nobody can listen there, or somebody does who is no invoker. */
export async function requirePort({
  host,
  port,
  tls,
}: Pick<AdminSettings, "host" | "port" | "tls">): Promise<void> {
  const fault = await listenFault(host, port);
  if (fault === undefined) return;
  if (fault.code === "EADDRINUSE") {
    const answers = await Promise.all([pingOf(host, port, undefined), pingOf(host, port, { tls })]);
    if (answers.includes("pong")) return;
  }
  throw new AdminListenError(host, port, fault);
}

function listenFault(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** What is answered to `GET /ping`, as every invoker does it; undefined where nothing is. */
async function pingOf(
  host: string,
  port: number,
  secure: { readonly tls: AdminTls | undefined } | undefined,
): Promise<string | undefined> {
  const options = { host, port, path: "/ping", agent: false, signal: AbortSignal.timeout(answerLimitMs) };
  try {
    return await new Promise<string>((resolve, reject) => {
      const asked =
        secure === undefined
          ? request(options)
          : requestTls({ ...options, ...ownCertificate(secure.tls), rejectUnauthorized: false });
      asked.on("response", (response) => text(response).then(resolve, reject));
      asked.on("error", reject);
      asked.end();
    });
  } catch {
    return undefined;
  }
}

/** As in stock's deployment, where all components show the one that they have. What is wrong with it is told elsewhere. */
function ownCertificate(tls: AdminTls | undefined): Partial<ReturnType<typeof openKeyStore>> {
  try {
    return tls === undefined ? {} : openKeyStore(tls);
  } catch (error) {
    if (!(error instanceof AdminTlsError)) throw error;
    return {};
  }
}
