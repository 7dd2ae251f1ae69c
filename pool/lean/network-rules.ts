// What the network of lean containers consists of, as input of ip(8) and nft(8): on the host, and inside of each container.

import { createHash } from "node:crypto";
import { formatAddress, formatSubnet, type Subnet } from "./subnets.ts";

/** A service of this machine, or one at an address that is blocked otherwise. */
export interface Service {
  /** IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface HostRules {
  readonly instance: string;
  readonly subnet: Subnet;
  /** Interfaces of the default routes: traffic may leave by them even if they are bridges. */
  readonly uplinks: readonly string[];
  readonly dnsServers: readonly string[];
  readonly services: readonly Service[];
  /** Subnets that no container reaches. */
  readonly blocked: readonly string[];
}

/** One container's place in the network. */
export interface Place {
  /** The end of the pair of interfaces that stays on the host. */
  readonly hostInterface: string;
  readonly address: number;
  readonly gateway: number;
  readonly mtuBytes: number;
  /** The machine has IPv6, so it has to be told that this interface has not. */
  readonly knowsIPv6: boolean;
}

/** Marks the route that claims a subnet; a number that no routing daemon has (/etc/iproute2/rt_protos). */
export const routeProtocol = "82";
const interfaceInside = "eth0";
/** The host's end of every pair: each is a network of its own. */
const gatewayMac = "02:00:00:00:00:01";

/** Both begin with what all of rewhisk begin with, and hold an instance's name. */
export const tableName = (instance: string): string => `rewhisk_${instance}`;
export const aliasOf = (instance: string): string => `rewhisk/${instance}`;

/** What the interfaces of an instance's containers begin with: nine of the kernel's fifteen characters. */
export function interfacePrefix(instance: string): string {
  return `rw${createHash("sha256").update(instance).digest("hex").slice(0, 6)}.`;
}

/** Locally administered, from the address: unique in its network, and the same for the same address. */
function macOf(address: number): string {
  const bytes = [24, 16, 8, 0].map((bits) => ((address >>> bits) & 255).toString(16).padStart(2, "0"));
  return `02:00:${bytes.join(":")}`;
}

function set(name: string, type: string, elements: readonly string[], flags = ""): string {
  const list = elements.length === 0 ? "" : `elements = { ${elements.join(", ")} }`;
  return `set ${name} { type ${type}; ${flags} ${list}\n}`;
}

/**
 * The instance's table, in place of a former one. Of what containers send, none stays on this machine but to the services and
 * name servers; to them come answers alone. Other containers of this machine, whoever made them, are behind bridges or pairs.
 * Refusing at once, where outsiders would see silence, lets libraries that look for a cloud's metadata go on.
 */
export function hostTable(rules: HostRules): string {
  const table = `inet ${tableName(rules.instance)}`;
  const ours = `"${interfacePrefix(rules.instance)}*"`;
  const services = rules.services.map(({ address, port }) => `${address} . ${port}`);
  return `table ${table}
delete table ${table}
table ${table} {
  ${set("subnet", "ipv4_addr", [formatSubnet(rules.subnet)], "flags interval;")}
  ${set("uplinks", "ifname", rules.uplinks)}
  ${set("dns", "ipv4_addr", rules.dnsServers)}
  ${set("services", "ipv4_addr . inet_service", services)}
  ${set("blocked", "ipv4_addr", rules.blocked, "flags interval; auto-merge;")}
  chain allowed {
    meta nfproto ipv6 drop
    ip daddr @dns meta l4proto { tcp, udp } th dport 53 accept
    ip daddr . tcp dport @services accept
  }
  chain leaving {
    jump allowed
    ip daddr @blocked counter reject with icmp admin-prohibited
    meta oifkind { "bridge", "veth" } oifname != @uplinks counter reject with icmp admin-prohibited
  }
  chain entering {
    ct state established,related accept
    counter drop
  }
  chain staying {
    jump allowed
    counter reject with icmp admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter
    iifname ${ours} jump leaving
    oifname ${ours} jump entering
  }
  chain input {
    type filter hook input priority filter
    iifname ${ours} jump staying
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr @subnet oifname != ${ours} masquerade
  }
}
`;
}

/** For `ip -batch` on the host: the container's pair of interfaces and the way to it. `namespace` is the path of its own. */
export function hostLinks(instance: string, namespace: string, place: Place): string {
  const { hostInterface: name, mtuBytes, knowsIPv6 } = place;
  const [address, mac] = [formatAddress(place.address), macOf(place.address)];
  return `link add name ${name} mtu ${mtuBytes} address ${gatewayMac} type veth peer name ${interfaceInside} mtu ${mtuBytes} address ${mac} netns ${namespace}
link set ${name} up ${knowsIPv6 ? "addrgenmode none" : ""} alias ${aliasOf(instance)}
neigh add ${address} lladdr ${mac} dev ${name} nud permanent
route add ${address} dev ${name}
`;
}

/** For `ip -batch` in the container's namespace. Nobody asks for a neighbour: the only one is known for good. */
export function linksInside(place: Place): string {
  const [address, gateway] = [place.address, place.gateway].map(formatAddress);
  return `address add ${address}/32 dev ${interfaceInside}
link set ${interfaceInside} up
neigh add ${gateway} lladdr ${gatewayMac} dev ${interfaceInside} nud permanent
route add default via ${gateway} dev ${interfaceInside} onlink
`;
}

/**
 * For nft in the container's namespace. In: what answers a connection that is known; a rewind makes all unknown. Out: to the
 * gateway alone, so that no other neighbour is ever learnt. Outside, a connection has a port other than the one that it was given
 * here: who binds the same port again does not continue it.
 */
export function tableInside(place: Place): string {
  return `table ip rewhisk {
  chain input {
    type filter hook input priority filter
    iifname ${interfaceInside} ct state != { established, related } drop
  }
  chain neighbours {
    type filter hook postrouting priority filter
    oifname ${interfaceInside} rt nexthop != ${formatAddress(place.gateway)} drop
  }
  chain ports {
    type nat hook postrouting priority srcnat
    oifname ${interfaceInside} masquerade fully-random
  }
  chain arriving {
    type filter hook prerouting priority raw
    iifname lo notrack
  }
  chain leaving {
    type filter hook output priority raw
    oifname lo notrack
  }
}
`;
}
