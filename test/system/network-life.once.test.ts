// The beginning and the end of a machine's network for lean containers: beside others, after a sudden death, and where it cannot be.

import { expect } from "chai";
import { within } from "../within.ts";
import { NetworkBench, outside } from "./network-bench.ts";
import type { Remote } from "./remote.ts";

const fetching = `import urllib.request\nresult = urllib.request.urlopen('http://${outside}/', timeout=30).status`;
const attempting = `import urllib.request\nresult = attempt(urllib.request.urlopen, 'http://${outside}/', timeout=1)`;

describe("the network of a machine's lean containers", () => {
  let bench: NetworkBench;
  beforeEach(async () => {
    bench = await NetworkBench.open("network-life");
  });
  afterEach(() => bench.close());

  const routes = (): string => bench.onHost("ip", "-4", "route", "show", "proto", "82");
  async function fetchIn(program: Remote): Promise<unknown> {
    await program.call("open");
    return await program.call("run", await program.call("make", "python:3"), fetching);
  }

  it("leaves nothing behind", async () => {
    expect(await fetchIn(bench.host)).to.equal(200);
    const lines = bench.leftovers();
    expect(lines).to.include(`network table inet rewhisk_${bench.instance}`);
    // Those of the containers that may come are there already.
    expect(lines.filter((line) => / alias rewhisk/.test(line) || /^network \d+: rw/.test(line))).to.not.be
      .empty;
    expect(routes()).to.match(/^unreachable 10\.250\.0\.0\/24 /);
    await bench.host.end();
    expect(bench.leftovers()).to.deep.equal([]);
    expect(routes()).to.equal("");
    expect(
      bench.onHost("ip", "-brief", "link", "show", "type", "veth").split("\n").filter(Boolean),
    ).to.have.length(1);
  });

  it("is made anew after a sudden death, which leaves a table and a route", async () => {
    expect(await fetchIn(bench.host)).to.equal(200);
    await bench.host.kill();
    // Containers go with the process, their interfaces with them.
    const left = await within(60_000, () => {
      const lines = bench.leftovers();
      return lines.every((line) => line.startsWith("network table")) ? lines : undefined;
    });
    expect(left).to.deep.equal([`network table inet rewhisk_${bench.instance}`]);
    bench.host = bench.startHost();
    expect(await fetchIn(bench.host)).to.equal(200);
    await bench.host.end();
    expect(bench.leftovers()).to.deep.equal([]);
    expect(routes()).to.equal("");
  });

  it("is removed by a next life that wants none", async () => {
    await bench.host.call("open");
    await bench.host.kill();
    bench.host = bench.startHost({});
    await bench.host.call("openWithout");
    expect(bench.leftovers().filter((line) => line.startsWith("network"))).to.deep.equal([]);
    expect(routes()).to.equal("");
  });

  for (const [firewall, ...commands] of [
    ["forbids forwarding", "-P FORWARD DROP"],
    [
      "is Docker's",
      "-P FORWARD DROP",
      "-N DOCKER-USER",
      "-A DOCKER-USER -j RETURN",
      "-A FORWARD -j DOCKER-USER",
    ],
  ] as const)
    it(`works where the machine's firewall ${firewall}, and leaves that as it was`, async () => {
      for (const command of commands) bench.onHost("iptables", "-w", ...command.split(" "));
      const before = bench.onHost("iptables", "-S");
      expect(await fetchIn(bench.host)).to.equal(200);
      expect(bench.onHost("iptables", "-S")).to.not.equal(before);
      await bench.host.kill();
      bench.host = bench.startHost();
      expect(await fetchIn(bench.host)).to.equal(200);
      await bench.host.end();
      expect(bench.onHost("iptables", "-S")).to.equal(before);
      expect(bench.leftovers()).to.deep.equal([]);
    });

  it("goes on working when Docker's firewall comes later", async () => {
    expect(await fetchIn(bench.host)).to.equal(200);
    const commands = [
      ...["-P FORWARD DROP", "-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-A FORWARD -j DOCKER-USER"],
    ];
    for (const command of commands) bench.onHost("iptables", "-w", ...command.split(" "));
    const before = bench.onHost("iptables", "-S");
    expect(await bench.host.call("run", 0, attempting)).to.not.equal("");
    for (let i = 0; i < 2; i++) await bench.host.call("allowForwarding");
    expect(await bench.host.call("run", 0, fetching)).to.equal(200);
    await bench.host.end();
    expect(bench.onHost("iptables", "-S"), "each rule once").to.equal(before);
  });

  it("says that all addresses are in use, and gives the next container that of one that is gone", async () => {
    await bench.host.end();
    bench.host = bench.startHost({ subnet: "10.250.0.0/30" });
    await bench.host.call("open");
    for (let made = 0; made < 3; made++) await bench.host.call("make", "python:3");
    const refused = await bench.host.call("make", "python:3").catch((error: unknown) => String(error));
    expect(refused).to.match(/all 3 addresses of 10\.250\.0\.0\/30 are in use/);
    await bench.host.call("destroy", 0);
    await bench.host.call("make", "python:3");
  });

  it("has a subnet of its own for each of several invokers", async () => {
    const others = ["one", "two"].map((name) =>
      bench.startHost({ subnet: undefined }, `${bench.instance}-${name}`),
    );
    try {
      const statuses = await Promise.all(others.map(fetchIn));
      expect(statuses).to.deep.equal([200, 200]);
      const subnets = [...routes().matchAll(/^unreachable (\S+)/gm)].map(([, text]) => text);
      expect(new Set(subnets).size).to.equal(2);
      const address = "import socket\nresult = socket.gethostbyname(socket.gethostname())";
      const [to] = await Promise.all(others.map((other) => other.call("run", 0, address)));
      const connect = `import socket\nresult = attempt(socket.create_connection, ('${to}', 9000), 1)`;
      // Whichever of the two tables sees it first.
      expect(await others[1]?.call("run", 0, connect)).to.be.oneOf(["EHOSTUNREACH", "timed out"]);
    } finally {
      for (const other of others) await other.end();
    }
    expect(routes()).to.equal("");
  });

  for (const [what, remedy, change, settings] of [
    [
      "packets are not forwarded",
      /sysctl -w net\.ipv4\.ip_forward=1/,
      "sysctl -qw net.ipv4.ip_forward=0",
      {},
    ],
    [
      "another firewall drops what is forwarded",
      /chain foreign .*let it accept/,
      "nft add table ip other; add chain ip other foreign { type filter hook forward priority 0; policy drop; }",
      {},
    ],
    [
      "the subnet is somebody else's",
      /touches 10\.250\.0\.0\/24: set the subnet/,
      "ip route add unreachable 10.250.0.128/25",
      {},
    ],
    ["the subnet is none", /10\.250\.0\.7\/24 is no subnet/, "true", { subnet: "10.250.0.7/24" }],
  ] as const)
    it(`is refused, with the remedy, where ${what}`, async () => {
      const [program = "", ...args] = change.startsWith("nft ")
        ? ["nft", change.slice(4)]
        : change.split(" ");
      bench.onHost(program, ...args);
      await bench.host.end();
      bench.host = bench.startHost(settings);
      const refused = await bench.host.call("open").catch((error: unknown) => String(error));
      expect(refused)
        .to.match(/LeanError/)
        .and.match(remedy);
      expect(bench.leftovers()).to.deep.equal([]);
    });
});
