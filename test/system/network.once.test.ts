// What lean containers reach by their network, and what reaches them: in namespaces that stand for a machine and the world.

import { expect } from "chai";
import type { AheadCounts } from "../../pool/lean/types.ts";
import { within } from "../within.ts";
import { apiPort, gateway, host, metadata, NetworkBench, outside, uplinkMtuBytes } from "./network-bench.ts";

/** Where an answer comes, it is waited for on a machine that does other things too; where none comes, not that long. */
const patienceS = 30;
/** As the factory has it by default. */
const networksAhead = 16;
const silenceMs = 300;
const connecting = (address: string, port: number): string =>
  `import socket\nresult = attempt(socket.create_connection, ('${address}', ${port}), ${patienceS})`;
const fetching = (url: string): string =>
  `import urllib.request\nresult = urllib.request.urlopen('${url}', timeout=${patienceS}).read().decode()`;
const ownAddress = "import socket\nresult = socket.gethostbyname(socket.gethostname())";

/** From a router to argv[1]: its datagram from port argv[3] to argv[2] needs fragments of 600 bytes (RFC 1191). */
const packetTooBig = `import socket, struct, sys
machine, world = map(socket.inet_aton, sys.argv[1:3])
datagram = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28, 1, 0, 64, 17, 0, machine, world, int(sys.argv[3]), 7001, 8, 0)
def message(checksum): return struct.pack("!BBHHH", 3, 4, checksum, 0, 600) + datagram
words = struct.unpack("!18H", message(0))
total = sum(words)
total = (total & 0xffff) + (total >> 16)
checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(message(checksum), (sys.argv[1], 0))
`;

describe("a lean container's outbound network", () => {
  let bench: NetworkBench;
  let [first, second] = [0, 0];
  const run = (probe: number, code: string): Promise<unknown> => bench.host.call("run", probe, code);
  /** Packets that this chain of the machine's table has refused or dropped. */
  const counted = (chain: string): number => {
    const list = bench.onHost("nft", "list", "chain", "inet", `rewhisk_${bench.instance}`, chain);
    return [...list.matchAll(/counter packets (\d+)/g)].reduce(
      (sum, [, packets]) => sum + Number(packets),
      0,
    );
  };

  const networks = async (): Promise<AheadCounts["networks"]> =>
    (await bench.host.call("networks")) as AheadCounts["networks"];
  const settled = (counts: (now: AheadCounts["networks"]) => boolean): Promise<AheadCounts["networks"]> =>
    within(60_000, async () => {
      const now = await networks();
      return counts(now) ? now : undefined;
    });

  before(async () => {
    bench = await NetworkBench.open("network");
    await bench.host.call("open");
    first = (await bench.host.call("make", "python:3")) as number;
    // From now on none is made but for one that is missing.
    await settled(({ ready }) => ready === networksAhead);
    second = (await bench.host.call("make", "python:3")) as number;
    for (const port of [apiPort, 8080]) await bench.host.call("listen", host, port);
  });
  after(() => bench.close());

  it("leads to the world by the machine's address, from every container", async () => {
    for (const probe of [first, second])
      expect(await run(probe, fetching(`http://${outside}/`))).to.equal(`${outside} seen from ${host}`);
  });

  it("finds addresses by the configured name servers", async () => {
    expect(await run(first, "result = open('/etc/resolv.conf').read()")).to.equal(`nameserver ${outside}\n`);
    expect(await run(first, fetching("http://service.example/"))).to.equal(
      `service.example seen from ${host}`,
    );
  });

  it("serves Node as it serves Python", async () => {
    const probe = (await bench.host.call("make", `nodejs:${process.versions.node.split(".")[0]}`)) as number;
    const code = "return await (await fetch('http://service.example/')).text()";
    expect(await run(probe, code)).to.equal(`service.example seen from ${host}`);
    await bench.host.call("destroy", probe);
  });

  it("is another container's afterwards only where nothing was sent or received", async () => {
    const unused = (await bench.host.call("make", "python:3")) as number;
    const before = await networks();
    await bench.host.call("destroy", unused);
    const between = await settled(({ reused }) => reused === before.reused + 1);
    expect(between).to.have.property("discarded", before.discarded);
    const used = (await bench.host.call("make", "python:3")) as number;
    await run(used, fetching(`http://${outside}/`));
    await bench.host.call("destroy", used);
    expect(await settled(({ discarded }) => discarded === before.discarded + 1)).to.deep.include({
      reused: between.reused,
    });
  });

  it("has packets of the uplink's size", async () => {
    const mtu = `import fcntl, socket, struct
request = fcntl.ioctl(socket.socket(), 0x8921, struct.pack('16si', b'eth0', 0))
result = struct.unpack('16si', request)[1]`;
    expect(await run(first, mtu)).to.equal(uplinkMtuBytes);
  });

  it("leads to the API host, and to no other service of the machine", async () => {
    expect(await run(first, connecting(host, apiPort))).to.equal("");
    expect(await bench.host.call("connect", host, 8080)).to.equal("connected");
    const before = counted("staying");
    for (const address of [host, gateway])
      expect(await run(first, connecting(address, 8080)), address).to.equal("EHOSTUNREACH");
    expect(counted("staying")).to.be.greaterThan(before);
  });

  it("leads to no cloud's metadata, although the world has them", async () => {
    expect(await bench.host.call("connect", metadata, 80)).to.equal("connected");
    const before = counted("leaving");
    expect(await run(first, connecting(metadata, 80))).to.equal("EHOSTUNREACH");
    expect(counted("leaving")).to.be.greaterThan(before);
  });

  it("leads to no other container", async () => {
    const serving = `import socket, threading
server = socket.create_server(('0.0.0.0', 9000))
import builtins
builtins.server = server
result = attempt(lambda: socket.create_connection((socket.gethostbyname(socket.gethostname()), 9000), 3).close())`;
    expect(await run(first, serving)).to.equal("");
    const address = (await run(first, ownAddress)) as string;
    expect(address).to.match(/^10\.250\.0\.\d+$/);
    expect(await run(second, connecting(address, 9000))).to.equal("EHOSTUNREACH");
  });

  it("leads nobody in: neither the world nor the machine itself", async () => {
    const address = (await run(first, ownAddress)) as string;
    const before = counted("entering");
    expect(await bench.world.call("connect", address, 9000, silenceMs)).to.equal("silence");
    await within(60_000, () => counted("entering") > before || undefined);
    expect(await bench.host.call("connect", address, 9000, silenceMs)).to.equal("silence");
  });

  it("has no IPv6, so that nothing waits for it", async () => {
    const six = "import socket\nresult = attempt(socket.create_connection, ('2001:db8::1', 80), 3)";
    expect(await run(first, six)).to.be.oneOf(["ENETUNREACH", "EADDRNOTAVAIL"]);
    expect(await run(first, "result = open('/proc/net/if_inet6').read().split()[-1]")).to.equal("lo");
  });

  it("learns no neighbour but the gateway, whatever it sends to", async () => {
    // By naming the interface with the message, which no filter of system calls sees: what no route leads to is then held for near.
    const sending = `import socket, struct
def send(address, flags):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        interface = struct.pack('@i8x', socket.if_nametoindex('eth0'))
        return attempt(s.sendmsg, [b'x'], [(socket.IPPROTO_IP, 8, interface)], flags, (address, 9))
result = [send(a, socket.MSG_DONTROUTE) for a in ('10.9.8.7', '224.0.0.5', '239.1.2.3', '255.255.255.255', '${outside}')]`;
    expect(await run(first, sending)).to.deep.equal(Array(5).fill("EPERM"));
    const { pid } = (await bench.host.call("runtime", first)) as { pid: number };
    const listing = ["ip", "neigh", "show", "dev", "eth0", "nud", "all"];
    const neighbours = bench.onHost("nsenter", `--net=/proc/${pid}/ns/net`, ...listing);
    expect(neighbours.trim().split("\n")).to.have.length(1);
    expect(neighbours).to.match(/^10\.250\.0\.0 lladdr \S+ PERMANENT/);
  });

  it("learns nothing of the way from what routers say", async () => {
    const asking = `import builtins, socket
builtins.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
builtins.asked.connect(("${outside}", 7001))
builtins.asked.send(b"question")`;
    await run(first, asking);
    const port = await within(60_000, async () => ((await bench.world.call("peers")) as number[]).at(-1));
    // Of other refusals there are some already.
    const received = `lines = [l.split() for l in open("/proc/net/snmp") if l.startswith("Icmp:")]
result = int(dict(zip(*lines))["InDestUnreachs"])`;
    const before = (await run(first, received)) as number;
    bench.inWorld("python3", "-c", packetTooBig, host, outside, `${port}`);
    await within(60_000, async () => ((await run(first, received)) as number) > before || undefined);
    expect(await run(first, "import builtins\nresult = builtins.asked.getsockopt(0, 14)")).to.equal(
      uplinkMtuBytes,
    );
    const redirects = "result = open('/proc/sys/net/ipv4/conf/eth0/accept_redirects').read().strip()";
    expect(await run(first, redirects)).to.equal("0");
  });
});
