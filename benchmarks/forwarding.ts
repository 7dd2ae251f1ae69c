// Containers with a network need this machine to forward packets.

import { readFileSync, writeFileSync } from "node:fs";

const forwarding = "/proc/sys/net/ipv4/ip_forward";

/** What was set before is set again by the function it gives. */
export function allowForwarding(): () => void {
  const before = readFileSync(forwarding, "utf8");
  writeFileSync(forwarding, "1");
  return () => writeFileSync(forwarding, before);
}
