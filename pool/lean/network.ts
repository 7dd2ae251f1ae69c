// The outbound network of lean containers: one table and one subnet on the host, one pair of interfaces for each container.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { runCommand, tryCommand } from "./commands.ts";
import type { Reserved } from "./container-network.ts";
import { LeanError } from "./errors.ts";
import { type NameServers, nameServers, resolverFile } from "./name-servers.ts";
import { networkFindings } from "./network-preflight.ts";
import { hostTable, interfacePrefix, routeProtocol, type Service, tableName } from "./network-rules.ts";
import { NumberRange } from "./numbers.ts";
import { formatSubnet, freeSubnets, overlap, parseAddress, parseSubnet, type Subnet } from "./subnets.ts";

export type { Service } from "./network-rules.ts";

export interface NetworkSettings extends NameServers {
  /** As `a.b.c.d/n`: one address for each container. Where not given, one that no route of this machine touches. */
  readonly subnet?: string;
  /** What containers may reach although it is on this machine or blocked: the API host. */
  readonly services?: readonly Service[];
  /** Subnets that no container reaches; `cloudMetadata` where not given. */
  readonly blocked?: readonly string[];
}

/** Where clouds tell a machine its credentials: link-local addresses, and those of Azure and Alibaba. IPv6 there is none. */
export const cloudMetadata = ["169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32"] as const;

const smallestSubnet = 4;
const largestNetwork = 2 ** 24;
const mtuWithoutUplinkBytes = 1500;

interface Link {
  readonly ifname: string;
  readonly mtu: number;
}

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

function askIp<Answer>(...args: readonly string[]): Answer {
  return JSON.parse(runCommand("ip", ["-json", "-4", ...args]) || "[]") as Answer;
}

/** IPv4 destinations of all tables; without those that only stand for everywhere, as VPNs split the default route. */
function routedSubnets(): readonly Subnet[] {
  return askIp<readonly Route[]>("route", "show", "table", "all")
    .flatMap(({ dst }) => parseSubnet(dst) ?? [])
    .filter(({ size }) => size <= largestNetwork);
}

function uplinksHere(): readonly string[] {
  const routes = askIp<readonly Route[]>("route", "show", "default");
  return [...new Set(routes.flatMap(({ dev }) => dev ?? []))];
}

/** The smallest of the uplinks', so that no packet of a container is too large for one. */
function mtuOf(uplinks: readonly string[]): number {
  const links = askIp<readonly Link[]>("link", "show").filter(({ ifname }) => uplinks.includes(ifname));
  return Math.min(...links.map(({ mtu }) => mtu), ...(links.length === 0 ? [mtuWithoutUplinkBytes] : []));
}

/** Throws LeanError at the first that nft would not take for an address. */
function requireAddresses({ dnsServers = [], services = [], blocked = [] }: NetworkSettings): void {
  const addresses = [...dnsServers, ...services.map(({ address }) => address)];
  const wrong =
    addresses.find((text) => parseAddress(text) === undefined) ??
    blocked.find((text) => parseSubnet(text) === undefined);
  if (wrong !== undefined)
    throw new LeanError(
      "network",
      `"${wrong}" is no IPv4 address (of a name server, a service or what is blocked)`,
    );
}

/** The configured one, or those to try. Throws LeanError. */
function wantedSubnets(instance: string, configured: string | undefined): readonly Subnet[] {
  const taken = routedSubnets();
  const remedy = "set the subnet of containers to a private one that no route of this machine touches";
  if (configured === undefined) {
    const start = createHash("sha256").update(instance).digest().readUInt16LE();
    const free = freeSubnets(taken, start);
    if (free.length === 0) throw new LeanError("network", `no usual subnet is free: ${remedy}`);
    return free;
  }
  const subnet = parseSubnet(configured);
  if (subnet === undefined || subnet.size < smallestSubnet)
    throw new LeanError(
      "network",
      `${configured} is no subnet with room for containers, such as 10.224.0.0/20`,
    );
  if (taken.some((other) => overlap(other, subnet)))
    throw new LeanError("network", `a route of this machine touches ${configured}: ${remedy}`);
  return [subnet];
}

/** The route claims the subnet, atomically, and keeps what is sent to a container of the past from leaving the machine. */
function claim(subnet: Subnet): boolean {
  const route = ["route", "add", "unreachable", formatSubnet(subnet), "proto", routeProtocol];
  const { succeeded, stderr } = tryCommand("ip", route);
  if (!succeeded && !/File exists/.test(stderr))
    throw new LeanError("network", `ip ${route.join(" ")}: ${stderr}`);
  return succeeded;
}

/** Where Docker and others forbid forwarding, our own table's consent does not count: theirs is needed as well. */
function foreignChain(): string | undefined {
  if (tryCommand("iptables", ["-w", "-S", "DOCKER-USER"]).succeeded) return "DOCKER-USER";
  const { stdout } = tryCommand("iptables", ["-w", "-S", "FORWARD"]);
  return stdout.startsWith("-P FORWARD DROP") ? "FORWARD" : undefined;
}

function foreignRules(instance: string): readonly (readonly string[])[] {
  const comment = ["-m", "comment", "--comment", tableName(instance), "-j", "ACCEPT"];
  return ["-i", "-o"].map((way) => [way, `${interfacePrefix(instance)}+`, ...comment]);
}

function allowForwarding(instance: string): void {
  const chain = foreignChain();
  if (chain === undefined) return;
  for (const rule of foreignRules(instance)) {
    const isThere = tryCommand("iptables", ["-w", "-C", chain, ...rule]).succeeded;
    if (!isThere) runCommand("iptables", ["-w", "-I", chain, ...rule]);
  }
}

/**
 * Removes what a life of this instance has left of its network. Its table is made first and removed last: without it there
 * is nothing. Harmless where there is no nft.
 */
export function removeNetwork(instance: string): void {
  const table = ["inet", tableName(instance)];
  const found = tryCommand("nft", ["list", "set", ...table, "subnet"]);
  if (!found.succeeded) return;
  const links = askIp<readonly Link[]>("link", "show", "type", "veth");
  const ours = links.filter(({ ifname }) => ifname.startsWith(interfacePrefix(instance)));
  // Some may go by themselves meanwhile, with their containers.
  tryCommand("ip", ["-force", "-batch", "-"], ours.map(({ ifname }) => `link del ${ifname}\n`).join(""));
  for (const chain of ["DOCKER-USER", "FORWARD"])
    for (const rule of foreignRules(instance))
      while (tryCommand("iptables", ["-w", "-D", chain, ...rule]).succeeded);
  const [subnet] = /\d[\d.]+\/\d+/.exec(found.stdout) ?? [];
  if (subnet !== undefined) tryCommand("ip", ["route", "del", "unreachable", subnet, "proto", routeProtocol]);
  runCommand("nft", ["delete", "table", ...table]);
}

export class Network {
  /** For the containers' /etc/resolv.conf. */
  readonly resolverFile: string;
  readonly #instance: string;
  readonly #subnet: Subnet;
  readonly #numbers: NumberRange;
  readonly #mtuBytes: number;
  readonly #knowsIPv6 = existsSync("/proc/sys/net/ipv6");

  /** Blocks for some ten milliseconds. Throws LeanError `network`, which names all that is missing; nothing is left then. */
  constructor(instance: string, settings: NetworkSettings) {
    const findings = networkFindings(settings);
    if (findings.length > 0)
      throw new LeanError(
        "network",
        findings.map(({ missing, remedy }) => `no ${missing}: ${remedy}`).join("; "),
      );
    requireAddresses(settings);
    removeNetwork(instance);
    const servers = nameServers(settings);
    const uplinks = uplinksHere();
    this.#instance = instance;
    this.resolverFile = resolverFile(servers);
    this.#mtuBytes = mtuOf(uplinks);
    const { services = [], blocked = cloudMetadata } = settings;
    try {
      this.#subnet = this.#claimOne(wantedSubnets(instance, settings.subnet), (subnet) =>
        hostTable({ instance, subnet, uplinks, dnsServers: servers.dnsServers, services, blocked }),
      );
      allowForwarding(instance);
    } catch (cause) {
      removeNetwork(instance);
      throw cause;
    }
    this.#numbers = new NumberRange(1, this.#subnet.size - 1, (count) => {
      const subnet = formatSubnet(this.#subnet);
      return new LeanError("no-address", `all ${count} addresses of ${subnet} are in use: end containers`);
    });
  }

  /** The table says which subnet is ours, so it comes before the claim, and goes where that fails. */
  #claimOne(subnets: readonly Subnet[], tableFor: (subnet: Subnet) => string): Subnet {
    for (const subnet of subnets) {
      runCommand("nft", ["-f", "-"], tableFor(subnet));
      if (claim(subnet)) return subnet;
      runCommand("nft", ["delete", "table", "inet", tableName(this.#instance)]);
    }
    throw new LeanError("network", "another invoker has taken the subnet: set one for each");
  }

  /** Once more, where another firewall has come since. Blocks for some ten milliseconds. Throws LeanError. */
  allowForwarding(): void {
    allowForwarding(this.#instance);
  }

  /** A place for one more container. Throws LeanError `no-address` when all are taken. */
  reserve(): Reserved {
    const number = this.#numbers.take();
    const place = {
      hostInterface: interfacePrefix(this.#instance) + number.toString(36),
      address: this.#subnet.first + number,
      gateway: this.#subnet.first,
      mtuBytes: this.#mtuBytes,
      knowsIPv6: this.#knowsIPv6,
    };
    return { instance: this.#instance, place, giveBack: () => this.#numbers.giveBack(number) };
  }

  /** When no container is left. */
  close(): void {
    removeNetwork(this.#instance);
  }
}
