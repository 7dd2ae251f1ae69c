// Where cgroups go on machines of version 1, version 2 and both, and what is written into them.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  CgroupTree,
  chooseUnifiedBase,
  findHierarchies,
  parseMounts,
  parseOwnCgroup,
} from "../../../pool/lean/cgroup-tree.ts";
import { ContainerCgroups, cpuSharesFor, weightOfShares } from "../../../pool/lean/cgroups.ts";
import { LeanError } from "../../../pool/lean/errors.ts";

const classic = `
24 1 0:22 / /proc rw,relatime - proc proc rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`;
const unified =
  "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";

describe("the search for cgroup hierarchies", () => {
  const none = (): readonly string[] => [];

  it("reads the mounts of both versions", () => {
    const mounts = parseMounts(classic);
    expect(mounts.map(({ version, mountPoint }) => [version, mountPoint])).to.deep.equal([
      [1, "/sys/fs/cgroup/memory"],
      [1, "/sys/fs/cgroup/cpu,cpuacct"],
      [1, "/sys/fs/cgroup/pids"],
      [2, "/sys/fs/cgroup/uni fied"],
    ]);
  });

  it("takes controllers from version 1 where they are mounted there", () => {
    const found = findHierarchies(parseMounts(classic), "/", none);
    expect(Object.fromEntries(found)).to.deep.equal({
      memory: { version: 1, base: "/sys/fs/cgroup/memory" },
      pids: { version: 1, base: "/sys/fs/cgroup/pids" },
      cpu: { version: 1, base: "/sys/fs/cgroup/cpu,cpuacct" },
    });
  });

  it("takes them from version 2 where that offers them", () => {
    const found = findHierarchies(parseMounts(unified), "/", () => ["cpuset", "cpu", "io", "memory", "pids"]);
    expect([...found.values()]).to.deep.equal(
      Array.from({ length: 3 }, () => ({ version: 2, base: "/sys/fs/cgroup" })),
    );
  });

  it("mixes both on a hybrid machine, and misses what neither has", () => {
    const hybrid = `${unified}35 31 0:32 / /v1/memory rw - cgroup cgroup rw,memory\n`;
    const found = findHierarchies(parseMounts(hybrid), "/", () => ["pids"]);
    expect(Object.fromEntries(found)).to.deep.equal({
      memory: { version: 1, base: "/v1/memory" },
      pids: { version: 2, base: "/sys/fs/cgroup" },
    });
  });

  it("stays within a delegated service and within a container's own part, else goes to the root", () => {
    const [mount] = parseMounts(unified);
    if (mount === undefined) throw new Error("no mount");
    const base = (own: string, root = "/"): string => chooseUnifiedBase({ ...mount, root }, own);
    expect(base("/system.slice/rewhisk.service")).to.equal("/sys/fs/cgroup/system.slice/rewhisk.service");
    expect(base("/system.slice/rewhisk.service/rewhisk-host")).to.equal(
      "/sys/fs/cgroup/system.slice/rewhisk.service",
    );
    expect(base("/user.slice/user-0.slice/session-1.scope")).to.equal("/sys/fs/cgroup");
    expect(base("/docker/abc", "/docker/abc")).to.equal("/sys/fs/cgroup");
    expect(parseOwnCgroup("4:memory:/a\n0::/b/c\n")).to.equal("/b/c");
    expect(parseOwnCgroup("4:memory:/a\n")).to.equal("/");
  });

  it("says which controller is missing", () => {
    expect(() => new CgroupTree("i", "l", new Map([["memory", { version: 1, base: "/nowhere" }]])))
      .to.throw(LeanError, "pids, cpu")
      .with.property("code", "cgroup");
  });
});

describe("a container's share of the CPU", () => {
  it("goes by its part of the memory and is never below 2", () => {
    expect([cpuSharesFor(256, 1024), cpuSharesFor(1024, 1024), cpuSharesFor(1, 100_000)]).to.deep.equal([
      256, 1024, 2,
    ]);
  });

  it("is a weight of 1 to 10000 under version 2", () => {
    expect([2, 1024, 262_144, 0, 1e9].map(weightOfShares)).to.deep.equal([1, 39, 10_000, 1, 10_000]);
  });
});

/** A plain folder in place of a hierarchy: shows what would be written. Its files are not the kernel's: made beforehand. */
describe("the files of a container's cgroups", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "rewhisk-cgroups-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");

  it("hand the controllers on from the base to the instance under version 2, processes of ours moved aside", () => {
    writeFileSync(join(root, "cgroup.type"), "domain\n");
    writeFileSync(join(root, "cgroup.procs"), "17\n");
    for (const folder of ["", "rewhisk-host", "rewhisk", "rewhisk/i", "rewhisk/i/l"]) {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(
        join(root, folder, folder === "rewhisk-host" ? "cgroup.procs" : "cgroup.subtree_control"),
        "",
      );
    }
    const here = { version: 2, base: root } as const;
    new CgroupTree(
      "i",
      "l",
      new Map([
        ["memory", here],
        ["pids", here],
        ["cpu", here],
      ]),
    );
    for (const folder of ["", "rewhisk", "rewhisk/i", "rewhisk/i/l"])
      expect(read(folder, "cgroup.subtree_control")).to.equal("+memory +pids +cpu");
    expect(read("rewhisk-host/cgroup.procs")).to.equal("17");
  });

  it("make nothing where the kernel's files are missing", () => {
    const here = { version: 1, base: root } as const;
    const tree = new CgroupTree(
      "i",
      "l",
      new Map([
        ["memory", here],
        ["pids", here],
        ["cpu", here],
      ]),
    );
    expect(() => new ContainerCgroups(tree, "c", { memoryMB: 64, pidsMax: 10, cpuShares: 1024 }))
      .to.throw(LeanError)
      .with.property("code", "cgroup");
  });

  it("of other lives are found in every hierarchy", () => {
    const tree = new CgroupTree(
      "i",
      "l",
      new Map(
        (["memory", "pids", "cpu"] as const).map((name) => {
          mkdirSync(join(root, name, "rewhisk/i/earlier"), { recursive: true });
          return [name, { version: 1, base: join(root, name) }];
        }),
      ),
    );
    mkdirSync(join(root, "pids/rewhisk/i/older"));
    const expected = [
      "memory/rewhisk/i/earlier",
      "pids/rewhisk/i/earlier",
      "pids/rewhisk/i/older",
      "cpu/rewhisk/i/earlier",
    ];
    expect(tree.otherLives()).to.have.members(expected.map((folder) => join(root, folder)));
  });

  it("of a life are removed by themselves, those above as long as no other life is there", () => {
    const here = { version: 1, base: root } as const;
    const all = new Map((["memory", "pids", "cpu"] as const).map((name) => [name, here]));
    const lives = ["one", "two"].map((life) => new CgroupTree("i", life, all));
    expect(lives[0]?.folders).to.deep.equal([join(root, "rewhisk/i/one")]);
    lives[0]?.remove();
    expect(readdirSync(join(root, "rewhisk/i"))).to.deep.equal(["two"]);
    lives[1]?.remove();
    expect(readdirSync(root)).to.deep.equal([]);
  });
});
