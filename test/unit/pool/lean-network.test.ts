// The decisions about the network of lean containers: addresses, subnets, name servers, and what the machine's table says.

import { expect } from "chai";
import { LeanError } from "../../../pool/lean/errors.ts";
import { nameServers, resolverFile } from "../../../pool/lean/name-servers.ts";
import { hostTable, interfacePrefix } from "../../../pool/lean/network-rules.ts";
import { servicesOf } from "../../../pool/lean/services.ts";
import {
  formatAddress,
  formatSubnet,
  freeSubnets,
  overlap,
  parseAddress,
  parseSubnet,
} from "../../../pool/lean/subnets.ts";

const subnet = (text: string): { first: number; size: number } => {
  const parsed = parseSubnet(text);
  if (parsed === undefined) throw new Error(`${text} is no subnet`);
  return parsed;
};

describe("subnets", () => {
  it("are read and written as they are usually", () => {
    for (const text of ["0.0.0.0/0", "10.224.16.0/20", "192.168.1.7/32", "255.255.255.254/31"])
      expect(formatSubnet(subnet(text))).to.equal(text);
    expect(formatSubnet(subnet("192.168.1.7"))).to.equal("192.168.1.7/32");
    expect(formatAddress(parseAddress("255.0.254.1") ?? 0)).to.equal("255.0.254.1");
  });

  it("are not what only looks like one", () => {
    for (const text of [
      "default",
      "10.0.0.0/33",
      "10.0.0.1/24",
      "10.0.0/24",
      "256.0.0.0/8",
      "fd00::/8",
      "1.2.3.4/8/9",
      "1.2.3.4/",
      "",
    ])
      expect(parseSubnet(text), text).to.equal(undefined);
  });

  it("overlap where one holds the other, and not where they are neighbours", () => {
    expect(overlap(subnet("10.0.0.0/8"), subnet("10.224.0.0/20"))).to.equal(true);
    expect(overlap(subnet("10.224.0.0/20"), subnet("10.0.0.0/8"))).to.equal(true);
    expect(overlap(subnet("10.224.0.0/20"), subnet("10.224.16.0/20"))).to.equal(false);
  });

  it("are chosen among those that no route touches, from a start of one's own", () => {
    const [first, second] = freeSubnets([], 0);
    expect([first, second].map((one) => one && formatSubnet(one))).to.deep.equal([
      "10.224.0.0/20",
      "10.224.16.0/20",
    ]);
    expect(freeSubnets([], 1)[0]).to.deep.equal(second);
    expect(freeSubnets([subnet("10.224.0.128/32")], 0)[0]).to.deep.equal(second);
    const beyond = freeSubnets([subnet("10.0.0.0/8")], 70_000)[0];
    expect(beyond && overlap(beyond, subnet("172.28.0.0/14"))).to.equal(true);
    expect(freeSubnets([subnet("0.0.0.0/0")], 5)).to.deep.equal([]);
  });
});

describe("a container's name servers", () => {
  const hostWith =
    (text: string, upstream = "") =>
    (file: string): string =>
      file === "/etc/resolv.conf" ? text : upstream;

  it("are the host's with its domains and options", () => {
    const host =
      "# made by hand\nnameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch a.example b.example\noptions ndots:2 timeout:1\n";
    const found = nameServers({}, hostWith(host));
    expect(resolverFile(found)).to.equal(
      "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch a.example b.example\noptions ndots:2 timeout:1\n",
    );
  });

  it("are those that systemd-resolved asks, where the host's is itself", () => {
    const found = nameServers({}, hostWith("nameserver 127.0.0.53\nsearch x\n", "nameserver 192.0.2.1\n"));
    expect(found).to.deep.equal({ dnsServers: ["192.0.2.1"], dnsSearch: ["x"], dnsOptions: [] });
  });

  it("are none where containers reach none of them", () => {
    expect(nameServers({}, hostWith("nameserver 127.0.0.1\nnameserver fd00::1\n")).dnsServers).to.deep.equal(
      [],
    );
    expect(nameServers({}, () => "").dnsServers).to.deep.equal([]);
  });

  it("are the configured ones, each list for itself", () => {
    const read = hostWith("nameserver 192.0.2.53\nsearch host.example\n");
    expect(
      nameServers({ dnsServers: ["198.51.100.1"], dnsOptions: ["ndots:1"], dnsSearch: [] }, read),
    ).to.deep.equal({
      dnsServers: ["198.51.100.1"],
      dnsSearch: ["host.example"],
      dnsOptions: ["ndots:1"],
    });
  });
});

describe("the names of a network", () => {
  it("leave room for a number of the largest subnet in the kernel's fifteen characters", () => {
    expect(interfacePrefix("test-1a2b3c4d-a-long-name").length + (2 ** 30).toString(36).length).to.be.at.most(
      15,
    );
    expect(interfacePrefix("one")).to.not.equal(interfacePrefix("two"));
  });

  it("and its lists stand in the machine's table", () => {
    const table = hostTable({
      instance: "one",
      subnet: subnet("10.224.0.0/20"),
      uplinks: [],
      dnsServers: ["192.0.2.53"],
      services: [{ address: "192.0.2.1", port: 3233 }],
      blocked: ["169.254.0.0/16"],
    });
    for (const part of [
      "table inet rewhisk_one {",
      "{ 10.224.0.0/20 }",
      "{ 192.0.2.53 }",
      "{ 192.0.2.1 . 3233 }",
      "{ 169.254.0.0/16 }",
    ])
      expect(table).to.contain(part);
    // An empty list is written by leaving it out.
    expect(table).to.not.contain("{  }");
  });
});

describe("a service that containers may reach", () => {
  it("is where a URL leads, at its own port or the usual one", async () => {
    expect(await servicesOf("http://192.0.2.1:3233")).to.deep.equal([{ address: "192.0.2.1", port: 3233 }]);
    expect(await servicesOf("https://192.0.2.1")).to.deep.equal([{ address: "192.0.2.1", port: 443 }]);
  });

  it("is not one of the loopback interface, which each container has for itself", async () => {
    for (const url of ["http://127.0.0.1:3233", "http://localhost:3233"]) {
      const refused = await servicesOf(url).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(LeanError).with.property("code", "network");
    }
  });
});
