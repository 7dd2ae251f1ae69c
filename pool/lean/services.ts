// The addresses of services that containers reach although they are on this machine: the API host.

import { lookup } from "node:dns/promises";
import { LeanError } from "./errors.ts";
import type { Service } from "./network-rules.ts";

const portOf = { "http:": 80, "https:": 443 } as const;

/**
 * Where a URL such as `__OW_API_HOST` leads, by IPv4; looked up once. Rejects with LeanError `network` where that is nowhere, or
 * the loopback interface: every container has one of its own.
 */
export async function servicesOf(url: string): Promise<readonly Service[]> {
  const { protocol, hostname, port } = new URL(url);
  const usual = portOf[protocol as keyof typeof portOf];
  const found = await lookup(hostname, { all: true, family: 4 }).catch(() => []);
  const addresses = found.map(({ address }) => address).filter((address) => !address.startsWith("127."));
  if (addresses.length === 0)
    throw new LeanError(
      "network",
      `containers cannot reach ${url}: give it an IPv4 address that is not of the loopback interface`,
    );
  return addresses.map((address) => ({ address, port: port === "" ? usual : Number(port) }));
}
