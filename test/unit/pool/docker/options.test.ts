// What Docker is asked for: stock's options, the operator's extra arguments, names.

import { expect } from "chai";
import { DockerError } from "../../../../pool/docker/errors.ts";
import {
  containerBody,
  containerName,
  cpuLimit,
  cpuShares,
  type DockerArguments,
  isLatest,
  namePrefix,
  unfitArguments,
} from "../../../../pool/docker/options.ts";

const usual: DockerArguments = {
  ...{ network: "bridge", dnsServers: [], dnsSearch: [], dnsOptions: [], extraArgs: {} },
  ...{ environment: { __OW_API_HOST: "https://openwhisk.example" }, userMemoryMB: 1024, collectsLogs: true },
};
const bytesPerMB = 1024 * 1024;

describe("what Docker is asked for", () => {
  it("is what stock's docker run asks for", () => {
    expect(containerBody("openwhisk/action-php:nightly", 256, usual)).to.deep.equal({
      Image: "openwhisk/action-php:nightly",
      Env: ["__OW_API_HOST=https://openwhisk.example"],
      HostConfig: {
        ...{ CpuShares: 256, Memory: 256 * bytesPerMB, MemorySwap: 256 * bytesPerMB },
        ...{ NetworkMode: "bridge", Dns: [], DnsSearch: [], DnsOptions: [] },
        ...{ CapDrop: ["NET_RAW", "NET_ADMIN"], PidsLimit: 1024 },
        Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 1024 }],
        LogConfig: { Type: "json-file", Config: {} },
      },
    });
  });

  it("names no log driver where nothing is collected", () => {
    const { HostConfig } = containerBody("i", 256, { ...usual, collectsLogs: false });
    expect(HostConfig).to.not.have.property("LogConfig");
  });

  it("has DNS, network and CPUs as they are set", () => {
    const { HostConfig } = containerBody("i", 256, {
      ...usual,
      ...{ network: "actions", dnsServers: ["10.0.0.1"], dnsSearch: ["a.example"], dnsOptions: ["ndots:1"] },
      userCpus: 2,
    });
    expect(HostConfig).to.deep.include({
      ...{ NetworkMode: "actions", Dns: ["10.0.0.1"], DnsSearch: ["a.example"], DnsOptions: ["ndots:1"] },
      NanoCpus: 500_000_000,
    });
  });

  it("gives each container its part of the machine, rounded as stock does", () => {
    expect([128, 256, 300, 512, 1024].map((size) => cpuShares(size, 1024))).to.deep.equal([
      ...[128, 256, 341, 512, 1024],
    ]);
    expect(cpuShares(128, 1_000_000)).to.equal(2);
    expect(cpuShares(2048, 1024), "never reached: the pool refuses it").to.equal(1024);
    expect(cpuLimit(300, 1024, 1)).to.equal(0.33333);
    expect(cpuLimit(128, 1_000_000, 1)).to.equal(0.01);
  });

  it("lets an extra argument replace what it would be otherwise, and adds the others", () => {
    const body = containerBody("i", 256, {
      ...usual,
      extraArgs: {
        ...{ "cap-drop": ["ALL"], ulimit: ["nofile=10:20", "nproc=5"], memory: ["1g"], cpus: ["0.5"] },
        ...{ label: ["a=b", "c"], "add-host": ["x:1.2.3.4"], user: ["7"], env: ["MORE=1"], init: ["true"] },
        ...{ tmpfs: ["/tmp:size=1m"], "log-opt": ["max-size=1m"], "pids-limit": ["64"], "shm-size": ["64m"] },
      },
    });
    expect(body).to.deep.include({ User: "7", Labels: { a: "b", c: "" } });
    expect(body.Env).to.deep.equal(["__OW_API_HOST=https://openwhisk.example", "MORE=1"]);
    expect(body.HostConfig).to.deep.include({
      ...{ CapDrop: ["ALL"], Memory: 1024 * bytesPerMB, MemorySwap: 256 * bytesPerMB, NanoCpus: 500_000_000 },
      Ulimits: [
        { Name: "nofile", Soft: 10, Hard: 20 },
        { Name: "nproc", Soft: 5, Hard: 5 },
      ],
      ...{ ExtraHosts: ["x:1.2.3.4"], Init: true, Tmpfs: { "/tmp": "size=1m" }, PidsLimit: 64 },
      ...{ LogConfig: { Type: "json-file", Config: { "max-size": "1m" } }, ShmSize: 64 * bytesPerMB },
    });
  });

  it("takes another log driver, with its options, in whichever order", () => {
    for (const extraArgs of [
      { "log-driver": ["syslog"], "log-opt": ["tag=x"] },
      { "log-opt": ["tag=x"], "log-driver": ["syslog"] },
    ]) {
      const { HostConfig } = containerBody("i", 256, { ...usual, extraArgs, collectsLogs: false });
      expect(HostConfig?.LogConfig).to.deep.equal({ Type: "syslog", Config: { tag: "x" } });
    }
  });

  it("reads sizes as Docker does", () => {
    const sizes = [
      ...[
        ["512", 512],
        ["512b", 512],
        ["1k", 1024],
        ["512m", 2 ** 29],
        ["512MB", 2 ** 29],
      ],
      ...[
        ["512MiB", 2 ** 29],
        ["512 m", 2 ** 29],
        ["1.5g", 1.5 * 2 ** 30],
        [".5g", 2 ** 29],
        ["1T", 2 ** 40],
      ],
      ["-1", -1],
    ] as const;
    for (const [size, wanted] of sizes) {
      const { HostConfig } = containerBody("i", 256, { ...usual, extraArgs: { "memory-swap": [size] } });
      expect(HostConfig?.MemorySwap, size).to.equal(wanted);
    }
    for (const size of ["", "m", ".", "1x", "1 mm", "1,5g", "0x10"])
      expect(unfitArguments({ memory: [size] }), size).to.have.length(1);
  });

  it("refuses by name what has no counterpart in Docker's API, and values that are none of their option", () => {
    const known = { memory: ["1g", "-1"], "pids-limit": ["-1"], cpus: ["0.5"], ulimit: ["nofile=10:20"] };
    expect(unfitArguments({ publish: ["1:1"], toString: ["x"], ...known })).to.deep.equal([
      { name: "publish", why: "--publish cannot be given to Docker's API; leave it out" },
      { name: "toString", why: "--toString cannot be given to Docker's API; leave it out" },
    ]);
    for (const [name, value, why] of [
      ["pids-limit", "many", "--pids-limit takes a whole number"],
      ["pids-limit", "", "--pids-limit takes a whole number"],
      ["cpu-shares", "1.5", "--cpu-shares takes a whole number"],
      ["cpus", "half", "--cpus takes a number"],
      ["memory", "much", "--memory takes a size, such as 512m"],
      ["ulimit", "nofile", "--ulimit takes a name and its limits, such as nofile=1024:2048"],
      ["ulimit", "nofile=1024:many", "--ulimit takes a name and its limits, such as nofile=1024:2048"],
    ] as const) {
      const extraArgs = { [name]: [value] };
      expect(unfitArguments(extraArgs)).to.deep.equal([{ name, value, why }]);
      expect(() => containerBody("i", 256, { ...usual, extraArgs })).to.throw(DockerError, why);
    }
    expect(() => containerBody("i", 256, { ...usual, extraArgs: { rm: ["true"], nosuch: [] } })).to.throw(
      /--rm .*--nosuch /,
    );
  });

  it("names containers so that a former life's are found", () => {
    const name = containerName("wsk00", 3, "guest@x.org_my action-1");
    expect(name).to.equal("wsk00_3_guestxorg_myaction1");
    expect(containerName("wsk-a.b0", 1, "prewarm_python:3")).to.equal("wskab0_1_prewarm_python3");
    expect(name.startsWith(namePrefix("wsk00"))).to.equal(true);
    expect(name.startsWith(namePrefix("wsk0"))).to.equal(false);
  });

  it("knows which image means the newest there is", () => {
    const latest = ["a/b", "a/b:latest", "host:5000/a/b", "b"];
    const fixed = ["a/b:1", "host:5000/a/b:1", "b:latest2"];
    expect(latest.map(isLatest)).to.deep.equal([true, true, true, true]);
    expect(fixed.map(isLatest)).to.deep.equal([false, false, false]);
  });
});
