// What this machine lacks for the outbound network of lean containers.

import { readFileSync } from "node:fs";
import { tryCommand } from "./commands.ts";
import { type NameServers, nameServers } from "./name-servers.ts";

export interface Finding {
  readonly missing: string;
  readonly remedy: string;
}

const programs = [
  { name: "ip", option: "-V", debianPackage: "iproute2" },
  { name: "nft", option: "-v", debianPackage: "nftables" },
  { name: "nsenter", option: "-V", debianPackage: "util-linux" },
] as const;

/** Everything that the tables of host and container use; the kernel is asked without anything being changed. */
const usedOfNft = `table inet rewhisk_trial {
  chain forward {
    type filter hook forward priority filter
    meta oifkind "veth" reject with icmp admin-prohibited
    ct state established accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    masquerade fully-random
  }
  chain neighbours {
    type filter hook postrouting priority filter
    rt ip nexthop != 10.0.0.1 drop
  }
  chain arriving {
    type filter hook prerouting priority raw
    iifname lo notrack
  }
}
`;

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** Other firewalls' chains that drop what they do not know. Those of iptables are dealt with (network.ts). */
function closedChains(): readonly Chain[] {
  const { succeeded, stdout } = tryCommand("nft", ["-j", "list", "chains"]);
  if (!succeeded) return [];
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { readonly chain?: Chain }[] };
  return nftables.flatMap(({ chain }) =>
    chain?.hook === "forward" && chain.policy === "drop" && chain.name !== "FORWARD" && chain.family !== "ip6"
      ? [chain]
      : [],
  );
}

function isForwarding(): boolean {
  return readFileSync("/proc/sys/net/ipv4/ip_forward", "latin1").trim() === "1";
}

/** Nothing is changed by looking. Blocks for some ten milliseconds. */
export function networkFindings(wanted: NameServers): readonly Finding[] {
  const absent = programs.filter(({ name, option }) => !tryCommand(name, [option]).succeeded);
  const findings = absent.map(({ name, debianPackage }) => ({
    missing: `program ${name}`,
    remedy: `install it (on Debian: apt-get install ${debianPackage})`,
  }));
  if (absent.length > 0) return findings;
  const trial = tryCommand("nft", ["--check", "-f", "-"], usedOfNft);
  if (!trial.succeeded)
    findings.push({
      missing: `nftables with all that is needed (${trial.stderr.split("\n")[0]})`,
      remedy:
        "a kernel with CONFIG_NF_TABLES_INET, NFT_CT, NFT_MASQ, NFT_REJECT_INET, and nft 0.9.4 or newer",
    });
  if (!isForwarding())
    findings.push({
      missing: "forwarding of packets (net.ipv4.ip_forward is 0)",
      remedy: "sysctl -w net.ipv4.ip_forward=1, and the same line in /etc/sysctl.d for the next boot",
    });
  for (const { family, table, name } of closedChains())
    findings.push({
      missing: `forwarding in chain ${name} of nftables' table ${family} ${table}, which drops what it does not know`,
      remedy: 'let it accept what comes from and goes to interfaces named "rw*"',
    });
  if (nameServers(wanted).dnsServers.length === 0)
    findings.push({
      missing: "name server that containers can reach (IPv4, not on the loopback interface)",
      remedy: "set whisk.container-factory.container-args.dns-servers",
    });
  return findings;
}
