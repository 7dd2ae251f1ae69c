// A container's network that another had before: only where that one left no trace, whatever it, or somebody else, did there.

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { expect } from "chai";
import type { AheadCounts } from "../../pool/lean/types.ts";
import { within } from "../within.ts";
import { type Probe, ProbeFactory } from "./lean-probe.ts";

/** What an action does, in Python. */
const traces = {
  "a server that listens until the end, and was connected to": `import socket, builtins
builtins.server = socket.create_server(("127.0.0.1", 9000))
builtins.near = socket.create_connection(("127.0.0.1", 9000))
builtins.far, _ = server.accept()`,
  "a connection that was closed, which would wait for a minute": `import socket
server = socket.create_server(("127.0.0.1", 9000))
near = socket.create_connection(("127.0.0.1", 9000))
far, _ = server.accept()
near.close(); far.close(); server.close()`,
  "a datagram to itself": `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("127.0.0.1", 9)); s.close()`,
  "a datagram by IPv6": `import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.sendto(b"x", ("::1", 9)); s.close()`,
  "a datagram that nothing leads to": `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt(s.sendto, b"x", ("192.0.2.1", 9)); s.close()`,
  "a first part of a datagram whose rest never comes": `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0)
s.sendto(bytes(65000), ("127.0.0.1", 9)); s.close()`,
} as const;

/** What the kernel forbids an action, and an administrator could do: as if an action had found a way. */
const changes = {
  "a setting of ours": ["sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=1000"],
  "a neighbour": ["ip", "neigh", "add", "127.0.0.9", "lladdr", "02:00:00:00:00:09", "dev", "lo"],
  "a neighbour by IPv6": ["ip", "neigh", "add", "fd00::9", "lladdr", "02:00:00:00:00:09", "dev", "lo"],
  "an address": ["ip", "address", "add", "192.0.2.1/32", "dev", "lo"],
  "a route": ["ip", "route", "add", "192.0.2.0/24", "dev", "lo"],
  "an interface": ["ip", "link", "add", "other0", "type", "veth", "peer", "name", "other1"],
  "an interface's state": ["ip", "link", "set", "lo", "down"],
} as const;

/** Of so many one can be missing without another being made for it. */
const ahead = 4;

describe("a container's network that another had before", () => {
  let probes: ProbeFactory;
  beforeEach(async () => {
    probes = await ProbeFactory.open("slots", { networksAhead: ahead });
  });
  afterEach(() => probes.close());

  const namespaceOf = ({ sandbox }: Probe): string => readlinkSync(`/proc/${sandbox.runtimePid}/ns/net`);
  /** After the next that is given back has been looked at. */
  async function afterEnd(probe: Probe): Promise<AheadCounts["networks"]> {
    const { reused, discarded } = probes.factory.ahead().networks;
    await probe.destroy();
    return await within(60_000, () => {
      const now = probes.factory.ahead().networks;
      return now.reused + now.discarded > reused + discarded ? now : undefined;
    });
  }
  /** One whose network there is room for when it ends. */
  async function makeLast(): Promise<Probe> {
    const first = await probes.make();
    await within(60_000, () => probes.factory.ahead().networks.ready === ahead || undefined);
    await probes.make();
    return first;
  }
  /** Everybody that can have one of those that rest. */
  const makeNext = (): Promise<Probe[]> => Promise.all(Array.from({ length: ahead }, () => probes.make()));
  const look = `result = {}
for folder, _, files in os.walk('/proc/self/net'):
    for name in files:
        try: result[folder + name] = open(os.path.join(folder, name)).read()
        except OSError as error: result[folder + name] = str(error)`;
  /** What others of the machine do as well. */
  const shared = /\/(softnet_stat|protocols|psched|rt_acct|nf_conntrack|rt_cache|tcp6?|udp6?|udplite6?)$/;
  async function seenBy(probe: Probe): Promise<Record<string, string>> {
    const all = (await probe.run(look)) as Record<string, string>;
    return Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => !shared.test(name.replace("net", "net/")))
        .map(([name, text]) => [name, text.replaceAll(/ (orphan|alloc|mem) -?\d+/g, "")]),
    );
  }

  it("is there where it did nothing with it, and looks as it did to that one", async () => {
    const first = await makeLast();
    await first.run("import socket\na, b = socket.socketpair()\na.send(b'x')\nresult = b.recv(1).decode()");
    const [namespace, seen] = [namespaceOf(first), await seenBy(first)];
    expect(await afterEnd(first)).to.deep.include({ reused: 1, discarded: 0 });
    const next = (await makeNext()).find((one) => namespaceOf(one) === namespace);
    expect(next, "it was had again").to.not.equal(undefined);
    expect(await seenBy(next as Probe)).to.deep.equal(seen);
  });

  for (const [what, code] of Object.entries(traces))
    it(`is not there where it left ${what}`, async () => {
      const first = await makeLast();
      await first.run(code);
      const namespace = namespaceOf(first);
      expect(await afterEnd(first)).to.deep.include({ reused: 0, discarded: 1 });
      expect((await makeNext()).map(namespaceOf)).to.not.include(namespace);
    });

  for (const [what, command] of Object.entries(changes))
    it(`is not there where ${what} was changed`, async () => {
      const first = await makeLast();
      execFileSync("nsenter", [`--net=/proc/${first.sandbox.runtimePid}/ns/net`, ...command]);
      expect(await afterEnd(first)).to.deep.include({ reused: 0, discarded: 1 });
    });

  it("has no process of that one in it", async () => {
    const first = await makeLast();
    await first.run(`import signal
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        while True: signal.pause()`);
    const namespace = namespaceOf(first);
    await afterEnd(first);
    const next = (await makeNext()).find((one) => namespaceOf(one) === namespace) as Probe;
    const inside = execFileSync("sh", ["-c", "ls -l /proc/[0-9]*/ns/net 2>/dev/null || true"], {
      encoding: "utf8",
    })
      .split("\n")
      .filter((line) => line.endsWith(namespace));
    // The next one's launcher and its runtime.
    expect(inside).to.have.length(2);
    expect(readFileSync(`/proc/${next.sandbox.runtimePid}/status`, "latin1")).to.match(/^NSpid:\s+\d+\s+2$/m);
  });

  it("is made in time where many are wanted at the same moment", async () => {
    const many = await Promise.all(Array.from({ length: 12 }, () => probes.make()));
    expect(new Set(many.map(namespaceOf))).to.have.length(12);
  });
});
