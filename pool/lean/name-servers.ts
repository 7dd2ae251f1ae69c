// The resolver's configuration of lean containers: what is configured, and else what the host has.

import { readFileSync } from "node:fs";
import { parseAddress } from "./subnets.ts";

/** As OpenWhisk's container-args have them; a list that is empty or missing is the host's. */
export interface NameServers {
  /** IPv4 addresses. */
  readonly dnsServers?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

/** systemd-resolved's list of the servers that it asks itself; the usual file names its own address, 127.0.0.53. */
const upstreamFile = "/run/systemd/resolve/resolv.conf";
const hostFile = "/etc/resolv.conf";

/** resolv.conf(5): of `search` and `domain` the last counts. */
function parse(text: string): Required<NameServers> {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const valuesOf = (...names: readonly string[]): readonly (readonly string[])[] =>
    lines.filter(([name = ""]) => names.includes(name)).map(([, ...values]) => values);
  return {
    dnsServers: valuesOf("nameserver").flat(),
    dnsSearch: valuesOf("search", "domain").at(-1) ?? [],
    dnsOptions: valuesOf("options").flat(),
  };
}

/** A container reaches neither the host's loopback interface nor, as yet, anything by IPv6. */
function isReachable(server: string): boolean {
  return parseAddress(server) !== undefined && !server.startsWith("127.");
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** No server at all where neither the settings nor the host name one that containers can reach. */
export function nameServers(
  wanted: NameServers,
  read: (file: string) => string = readIfThere,
): Required<NameServers> {
  const host = parse(read(hostFile));
  const reachable = host.dnsServers.filter(isReachable);
  const upstream =
    reachable.length > 0 ? reachable : parse(read(upstreamFile)).dnsServers.filter(isReachable);
  const choose = (list: readonly string[] | undefined, otherwise: readonly string[]): readonly string[] =>
    list === undefined || list.length === 0 ? otherwise : list;
  return {
    dnsServers: choose(wanted.dnsServers, upstream),
    dnsSearch: choose(wanted.dnsSearch, host.dnsSearch),
    dnsOptions: choose(wanted.dnsOptions, host.dnsOptions),
  };
}

/** The text of a container's /etc/resolv.conf. */
export function resolverFile({ dnsServers, dnsSearch, dnsOptions }: Required<NameServers>): string {
  return [
    ...dnsServers.map((server) => `nameserver ${server}\n`),
    ...(dnsSearch.length > 0 ? [`search ${dnsSearch.join(" ")}\n`] : []),
    ...(dnsOptions.length > 0 ? [`options ${dnsOptions.join(" ")}\n`] : []),
  ].join("");
}
