// The network of a chaos run: a namespace of its own, which the program is started in, with an address that containers reach.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";

/** Of the machine, as containers see it; kept for documentation (RFC 5737). */
export const hostAddress = "198.51.100.2";
export const routerAddress = "198.51.100.1";

/** Throws where this namespace is not the run's own: a machine's network is not to be touched. */
export function prepareNetwork(): void {
  const links = JSON.parse(execFileSync("ip", ["-json", "link"], { encoding: "utf8" })) as {
    ifname: string;
  }[];
  const others = links.filter(({ ifname }) => ifname !== "lo");
  if (others.length > 0) throw new Error("start this by test/chaos.mjs, which gives it a network of its own");
  execFileSync("ip", ["-batch", "-"], {
    input: `link set lo up
link add wan0 type veth peer name wan1
address add ${hostAddress}/24 dev wan0
link set wan0 up
link set wan1 up
route add default via ${routerAddress}
`,
  });
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
}

/** Processes that are in this namespace too, or in a container made of files in the folder; by their command lines. */
export function othersOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const isContained =
          !isShared(pid, "mnt") && readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(folder);
        if (!isShared(pid, "net") && !isContained) return [];
        return [
          `process ${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()}`,
        ];
      } catch {
        return [];
      }
    });
}

function isShared(pid: string, namespace: "mnt" | "net"): boolean {
  return readlinkSync(`/proc/${pid}/ns/${namespace}`) === readlinkSync(`/proc/self/ns/${namespace}`);
}
