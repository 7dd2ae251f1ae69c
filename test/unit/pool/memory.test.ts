// How much memory is left: of the machine and of cgroups, as the kernel tells it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseMounts } from "../../../pool/lean/cgroup-tree.ts";
import {
  memoryHere,
  parseMeminfo,
  parseOwnGroup,
  roomOfGroup,
  roomOfMachine,
  shortageOf,
} from "../../../pool/memory.ts";

const MB = 1024 * 1024;
const noLimit = "9223372036854771712";
const classic = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
const unified = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

describe("the memory that is left", () => {
  it("is what the kernel says that the machine could give", () => {
    const text = "MemTotal:       25165824 kB\nMemFree:          102400 kB\nMemAvailable:   12582912 kB\n";
    expect(parseMeminfo(text)).to.deep.equal({ totalMB: 24576, availableMB: 12288 });
    expect(parseMeminfo("MemTotal:       25165824 kB\nMemFree:          102400 kB\n")).to.equal(undefined);
  });

  it("is not known where the kernel does not let anybody look", () => {
    expect(roomOfMachine("/not/there")).to.equal(undefined);
    expect(roomOfMachine()).to.not.equal(undefined);
  });

  it("is not known to be more than what this machine has", () => {
    const rooms = memoryHere()();
    expect(rooms).to.have.length.of.at.least(1);
    for (const { totalMB, availableMB } of rooms) {
      expect(totalMB).to.be.greaterThan(0);
      expect(availableMB).to.be.within(0, totalMB);
    }
  });

  describe("below the limit of a cgroup", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "rewhisk-memory-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const write = (files: { readonly [name: string]: string }): void => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    };

    it("counts as left what is cached of files, under version 1", () => {
      write({
        "memory.limit_in_bytes": `${512 * MB}\n`,
        "memory.usage_in_bytes": `${500 * MB}\n`,
        "memory.stat": `cache 1\ninactive_file 7\ntotal_inactive_file ${64 * MB}\ntotal_active_file ${32 * MB}\n`,
      });
      const room = { totalMB: 512, availableMB: 108 };
      expect(roomOfGroup({ version: 1, folder }, 1024)).to.deep.equal(room);
    });

    it("counts that and slabs under version 2, and nothing of shared memory", () => {
      write({
        "memory.max": `${512 * MB}\n`,
        "memory.current": `${500 * MB}\n`,
        "memory.stat": `file ${200 * MB}\nshmem ${100 * MB}\ninactive_file ${8 * MB}\nactive_file ${4 * MB}\nslab_reclaimable ${MB}\n`,
      });
      expect(roomOfGroup({ version: 2, folder }, 1024)).to.deep.equal({ totalMB: 512, availableMB: 25 });
    });

    it("is what is left up to where the kernel has others wait, where that is less than the limit", () => {
      const of = (high: string, max: string): unknown => {
        write({ "memory.max": max, "memory.high": high, "memory.current": `${90 * MB}`, "memory.stat": "" });
        return roomOfGroup({ version: 2, folder }, 1024);
      };
      expect(of(`${100 * MB}\n`, "max\n")).to.deep.equal({ totalMB: 100, availableMB: 10 });
      expect(of(`${100 * MB}\n`, `${200 * MB}\n`)).to.deep.equal({ totalMB: 100, availableMB: 10 });
      expect(of("max\n", `${200 * MB}\n`)).to.deep.equal({ totalMB: 200, availableMB: 110 });
      expect(of("max\n", "max\n")).to.equal(undefined);
    });

    it("is none where there is no limit, or none below what the machine has, or no such cgroup", () => {
      const others = { "memory.stat": "", "memory.current": "1", "memory.usage_in_bytes": "1" };
      write({ "memory.max": "max\n", "memory.limit_in_bytes": `${noLimit}\n`, ...others });
      expect(roomOfGroup({ version: 2, folder }, 1024)).to.equal(undefined);
      expect(roomOfGroup({ version: 1, folder }, 1024)).to.equal(undefined);
      expect(roomOfGroup({ version: 2, folder: join(folder, "gone") }, 1024)).to.equal(undefined);
    });

    it("is looked for in all that the cgroup of the containers is in", () => {
      const inner = join(folder, "rewhisk", "one");
      mkdirSync(inner, { recursive: true });
      write({ "memory.max": `${100 * MB}`, "memory.current": `${90 * MB}`, "memory.stat": "" });
      const rooms = memoryHere({ version: 2, folder: inner, top: folder })();
      expect(rooms).to.deep.include({ totalMB: 100, availableMB: 10 });
    });
  });

  it("is looked for in the cgroup that the process is in", () => {
    const own = (text: string, mounts: string): unknown => parseOwnGroup(text, parseMounts(mounts));
    const service = "4:cpu,memory:/system.slice/a.service\n0::/other\n";
    expect(own(service, classic)).to.deep.equal({
      ...{ version: 1, folder: "/sys/fs/cgroup/memory/system.slice/a.service", top: "/sys/fs/cgroup/memory" },
    });
    expect(own("0::/system.slice/a.service\n", unified)).to.deep.equal({
      ...{ version: 2, folder: "/sys/fs/cgroup/system.slice/a.service", top: "/sys/fs/cgroup" },
    });
    // A container that sees its own part of the tree alone.
    const partial = classic.replace(" / /sys", " /docker/abc /sys");
    expect(own("4:memory:/docker/abc/inner\n", partial)).to.deep.include({
      folder: "/sys/fs/cgroup/memory/inner",
    });
    expect(own("4:memory:/\n", "")).to.equal(undefined);
  });
});

describe("a shortage of memory", () => {
  const room = (totalMB: number, availableMB: number) => ({ totalMB, availableMB });

  it("begins below the least and is over with half as much again", () => {
    const of = (availableMB: number): unknown => shortageOf([room(24576, availableMB)], 256);
    expect(of(255)).to.deep.equal({ isShort: true, availableMB: 255, missingMB: 129 });
    expect(of(256)).to.deep.equal({ isShort: false, availableMB: 256, missingMB: 128 });
    expect(of(384)).to.deep.equal({ isShort: false, availableMB: 384, missingMB: 0 });
  });

  it("is that of the room that lacks most, of which an eighth will do", () => {
    expect(shortageOf([room(24576, 300), room(800, 90)], 256)).to.deep.equal({
      ...{ isShort: true, availableMB: 300, missingMB: 84 },
    });
    expect(shortageOf([room(24576, 9000), room(800, 101)], 256)).to.deep.include({ isShort: false });
  });

  it("is none where nothing is known, or nothing is wanted", () => {
    expect(shortageOf([], 256)).to.deep.include({ isShort: false, missingMB: 0 });
    expect(shortageOf([room(100, 0)], 0)).to.deep.include({ isShort: false, missingMB: 0 });
  });
});
