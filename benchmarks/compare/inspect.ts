// Before anything is measured: is it an OpenWhisk, does it take the key, what does it offer and allow?

import { codeOf, type Endpoint, EndpointError, errorText } from "./endpoint.ts";

/** What an endpoint says of itself. */
export interface EndpointFacts {
  readonly url: string;
  readonly namespace: string;
  readonly description: string;
  readonly build: string;
  /** Those that new actions may have; undefined: it does not tell. */
  readonly kinds: readonly OfferedKind[] | undefined;
  /** Of the namespace; undefined: there is none, or it does not tell. */
  readonly invocationsPerMinute: number | undefined;
  readonly concurrentInvocations: number | undefined;
}

export interface OfferedKind {
  readonly kind: string;
  readonly isDefault: boolean;
}

interface InfoDocument {
  readonly description?: string;
  readonly api_version_path?: string;
  readonly api_paths?: readonly string[];
  readonly build?: string;
  readonly buildno?: string;
  readonly runtimes?: Readonly<
    Record<string, readonly { kind: string; default?: boolean; deprecated?: boolean }[]>
  >;
}

/** Codes of Node and OpenSSL for certificates that it does not trust. */
const certificateCodes = /CERT|ISSUER|LEAF_SIGNATURE/;
const schemeCodes = /SSL_WRONG_VERSION|SSL_PACKET_LENGTH|SSL_ROUTINES/;

/** Throws EndpointError. */
export async function inspect(endpoint: Endpoint): Promise<EndpointFacts> {
  const { href } = endpoint.place.url;
  const api = await about(endpoint, "/api/v1");
  if (api === undefined) {
    const remedy = "Give the address that wsk has as API host";
    const what = `${href} is no OpenWhisk: what it has at /api/v1 says nothing of one. ${remedy}.`;
    throw new EndpointError(endpoint.side, "not-openwhisk", what);
  }
  const namespace = await ownNamespace(endpoint);
  // OpenWhisk tells of its runtimes at the root, where there may be another server in front of it.
  const root = await about(endpoint, "/").catch(() => undefined);
  const { runtimes = root?.runtimes } = api;
  const limits = await limitsOf(endpoint);
  return {
    url: href.replace(/\/$/, ""),
    namespace,
    description: api.description ?? root?.description ?? "",
    build: [api.build, api.buildno].filter(Boolean).join(" "),
    kinds:
      runtimes &&
      Object.values(runtimes)
        .flat()
        .filter(({ deprecated }) => deprecated !== true)
        .map(({ kind, default: isDefault = false }) => ({ kind, isDefault })),
    invocationsPerMinute: limits.invocationsPerMinute,
    concurrentInvocations: limits.concurrentInvocations,
  };
}

/** Undefined where what is there is not OpenWhisk's. Throws EndpointError. */
async function about(endpoint: Endpoint, path: string): Promise<InfoDocument | undefined> {
  const { status, body } = await endpoint.send("GET", path, { withKey: false }).catch((error: Error) => {
    throw unreachable(endpoint, error.cause);
  });
  if (status !== 200 || typeof body !== "object" || body === null) return undefined;
  const info = body as InfoDocument;
  const isApi = info.api_paths !== undefined || info.api_version_path !== undefined;
  return isApi && /openwhisk/i.test(info.description ?? "") ? info : undefined;
}

function unreachable({ side, place }: Endpoint, cause: unknown): EndpointError {
  const code = codeOf(cause);
  const { href } = place.url;
  if (certificateCodes.test(code)) {
    const remedy = "--insecure takes any, NODE_EXTRA_CA_CERTS=FILE names further authorities";
    return new EndpointError(
      side,
      "certificate",
      `${href} has a certificate that is not trusted (${code}): ${remedy}.`,
    );
  }
  const remedy = schemeCodes.test(code)
    ? "It speaks no TLS: try http://"
    : "Is the address right, and is it up?";
  return new EndpointError(side, "unreachable", `${href} does not answer (${code}). ${remedy}`, { cause });
}

async function ownNamespace(endpoint: Endpoint): Promise<string> {
  const { side, place } = endpoint;
  const answer = await endpoint.send("GET", "/api/v1/namespaces");
  if (answer.status === 401 || answer.status === 403) {
    const given = "as `wsk property get --auth` prints it";
    const remedy = `Give --auth UUID:KEY ${given}, or --${side}-auth where the two sides have different ones`;
    throw new EndpointError(
      side,
      "key",
      `${place.url.href} does not take the key (${errorText(answer)}). ${remedy}.`,
    );
  }
  const [namespace] = Array.isArray(answer.body) ? (answer.body as unknown[]) : [];
  if (typeof namespace === "string") return namespace;
  throw new EndpointError(side, "refused", `${place.url.href} tells no namespace (${errorText(answer)}).`);
}

async function limitsOf(
  endpoint: Endpoint,
): Promise<Pick<EndpointFacts, "invocationsPerMinute" | "concurrentInvocations">> {
  const { status, body } = await endpoint.send("GET", "/api/v1/namespaces/_/limits");
  const limits = (status === 200 ? body : {}) as Readonly<Record<string, unknown>>;
  const number = (name: string): number | undefined => {
    const value = limits[name];
    return typeof value === "number" ? value : undefined;
  };
  return {
    invocationsPerMinute: number("invocationsPerMinute"),
    concurrentInvocations: number("concurrentInvocations"),
  };
}

/** Whether a side has the kind, as far as it tells: `nodejs:default` wherever it has any of that family. */
export function isOffered(kind: string, offered: readonly OfferedKind[] | undefined): boolean {
  if (offered === undefined) return true;
  const [family = "", version] = kind.split(":");
  return version === "default"
    ? commonKind(family, offered, offered) !== undefined
    : offered.some((one) => one.kind === kind);
}

/** Of a family such as `nodejs`: the kind to compare, which both sides must offer; undefined where they have none in common. */
export function commonKind(
  family: string,
  stock: readonly OfferedKind[] | undefined,
  rewhisk: readonly OfferedKind[] | undefined,
): string | undefined {
  if (stock === undefined || rewhisk === undefined) return `${family}:default`;
  const common = stock.filter(
    ({ kind }) => kind.startsWith(`${family}:`) && rewhisk.some((one) => one.kind === kind),
  );
  return (common.find(({ isDefault }) => isDefault) ?? common.at(-1))?.kind;
}
