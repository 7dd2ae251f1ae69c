// Archives out of the code store, in the only real container there is: what each action sees of its own code, and of nobody else's.

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { JsonObject } from "../../invoker/index.ts";
import { CodeStore, type PoolSettings, type Sandbox } from "../../pool/index.ts";
import { type Entry, files, zip } from "../runtimes/archives.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";

const memoryMB = 256;
const bytesPerMB = 1024 * 1024;

const look = {
  "nodejs:20": `
const fs = require("fs");
const own = require("./lib/own.js");
exports.main = ({ writes }) => {
  let written = "yes";
  try { fs.writeFileSync("new", "x"); } catch ({ code }) { written = code; }
  return {
    own, written, file: __filename, cwd: process.cwd(), relative: fs.readFileSync("data.txt", "utf8"),
    files: fs.readdirSync("/home/action/code").sort(),
    mode: (fs.statSync("tool").mode & 0o777).toString(8), private: fs.readFileSync("private", "utf8"),
  };
};`,
  "python:3": `
import os
from lib import own as package
def main(args):
    written = "yes"
    try: open("new", "w").write("x")
    except OSError as error: written = __import__("errno").errorcode[error.errno]
    return {
        "own": package.own, "written": written, "file": __file__, "cwd": os.getcwd(), "relative": open("data.txt").read(),
        "files": sorted(name for name in os.listdir("/home/action/code") if name != "__pycache__"),
        "mode": oct(os.stat("tool").st_mode & 0o777)[2:], "private": open("private").read(),
    }
`,
  "ruby:3": `
require_relative "lib/own"
def main(args)
  written = "yes"
  begin
    File.write("new", "x")
  rescue SystemCallError => error
    written = error.class.name.split("::").last
  end
  {
    own: OWN, written: written, file: __FILE__, cwd: Dir.pwd, relative: File.read("data.txt"),
    files: Dir.children("/home/action/code").sort, mode: (File.stat("tool").mode & 0o777).to_s(8), private: File.read("private")
  }
end
`,
} as const;
type Kind = keyof typeof look;
const entryOf = { "nodejs:20": "index.js", "python:3": "__main__.py", "ruby:3": "main.rb" } as const;

function archiveOf(
  kind: Kind,
  own: string,
  source: string = look[kind],
  more: readonly Entry[] = [],
): Buffer {
  const library = {
    "nodejs:20": { "lib/own.js": `module.exports = "${own}";` },
    "python:3": { "lib/__init__.py": "", "lib/own.py": `own = "${own}"\n` },
    "ruby:3": { "lib/own.rb": `OWN = "${own}"\n` },
  }[kind];
  return zip([
    ...files({ [entryOf[kind]]: source, "data.txt": own, ...library }),
    { path: "tool", content: "#!/bin/sh\necho it works\n", mode: 0o100755 },
    { path: "private", content: own, mode: 0o100600 },
    ...more,
  ]);
}

/** What a container without code sees: no place for it, and these mounts. */
const surroundings = {
  "nodejs:20": `const fs = require("fs");
    const main = () => ({ home: fs.readdirSync("/home/action"), mounts: fs.readFileSync("/proc/self/mountinfo", "utf8"), cwd: process.cwd() });`,
  "python:3": `import os
def main(args): return {"home": os.listdir("/home/action"), "mounts": open("/proc/self/mountinfo").read(), "cwd": os.getcwd()}
`,
  "ruby:3": `def main(args) = { home: Dir.children("/home/action"), mounts: File.read("/proc/self/mountinfo"), cwd: Dir.pwd }
`,
} as const satisfies Record<Kind, string>;

/** Leaves all that keeps a mount in use: each is put back, ended or closed before the mount is taken away. */
const clings = {
  "nodejs:20": `
const fs = require("fs");
const { spawn } = require("child_process");
exports.main = () => {
  globalThis.kept = [fs.openSync("data.txt"), fs.openSync("."), fs.opendirSync("lib")];
  spawn("/bin/sleep", ["100"], { cwd: "/home/action/code/lib", detached: true, stdio: "ignore" }).unref();
  process.chdir("lib");
  return { held: kept.length };
};`,
  "python:3": `
import array, mmap, os, socket, subprocess
def main(args):
    global kept
    file = open("data.txt", "rb")
    kept = [file, os.open(".", os.O_RDONLY), os.open("lib", os.O_PATH), mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)]
    one, other = socket.socketpair()
    # A socket in its own queue, with a file of the code beside it.
    fds = [one.fileno(), other.fileno(), file.fileno()]
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    subprocess.Popen(["sleep", "100"], cwd="/home/action/code/lib", start_new_session=True)
    os.chdir("lib")
    return {"held": len(kept)}
`,
  "ruby:3": `
def main(args)
  $kept = [File.open("data.txt"), Dir.open("lib")]
  Process.detach(Process.spawn("sleep", "100", chdir: "/home/action/code/lib", pgroup: true))
  Dir.chdir("lib")
  { held: $kept.size }
end
`,
} as const satisfies Record<Kind, string>;

const runsTool = {
  "nodejs:20": `exports.main = () => ({ out: String(require("child_process").execFileSync("./tool")) });`,
  "python:3": `import subprocess
def main(args): return {"out": subprocess.check_output(["./tool"], text=True)}
`,
  "ruby:3": "def main(args) = { out: IO.popen('./tool', &:read) }\n",
} as const satisfies Record<Kind, string>;

const byName = (one: string, other: string): number => (one < other ? -1 : 1);
const result = ({ record }: Done): JsonObject => record.response.result as JsonObject;
const hasInit = ({ record }: Done): boolean => record.annotations.some(({ key }) => key === "initTime");

for (const kind of Object.keys(look) as Kind[]) {
  describe(`archives out of the code store in one real ${kind} container`, () => {
    let folder: string;
    let codes: CodeStore;
    let real: RealInvoker;
    let made: Sandbox[];

    async function start(pool: Partial<PoolSettings> = {}, storeMB = 64): Promise<void> {
      codes = new CodeStore({ folder: join(folder, "code"), maxBytes: storeMB * bytesPerMB });
      const stemCells = [{ kind, count: 1, memoryMB }];
      const settings = { userMemoryMB: memoryMB, stemCells, verifyFirst: 1000, ...pool };
      made = [];
      real = await RealInvoker.start(settings, "codes", (sandbox) => made.push(sandbox), 1, {}, codes);
    }
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "rewhisk-codes-"));
    });
    afterEach(async () => {
      await real.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    const uses = (what: string): Promise<number> =>
      real.metric(`rewhisk_code_store_uses_total{result="${what}"}`);

    it("are each action's own, in turn, where stock has them, read-only and unpacked once", async () => {
      await start();
      real.put("none", { kind, code: surroundings[kind] });
      const before = result(await real.run("none"));
      expect(before.home).to.deep.equal([]);
      for (const own of ["one", "two"]) real.put(own, { kind, code: archiveOf(kind, own), binary: true });
      for (let round = 0; round < 3; round++) {
        for (const own of ["one", "two"]) {
          const seen = result(await real.run(own));
          expect(seen).to.deep.equal({
            ...{
              own,
              written: "EROFS",
              relative: own,
              private: own,
              mode: "755",
            },
            ...{ file: `/home/action/code/${entryOf[kind]}`, cwd: "/home/action/code" },
            files: ["data.txt", "lib", "private", "tool", entryOf[kind]].toSorted(byName),
          });
        }
        expect(result(await real.run("none"))).to.deep.equal(before);
      }
      expect([await uses("miss"), await uses("hit")]).to.deep.equal([2, 4]);
      expect(real.taints()).to.deep.equal([]);
    });

    it("are taken away from whoever clings to them", async () => {
      await start();
      real.put("none", { kind, code: surroundings[kind] });
      const before = result(await real.run("none"));
      real.put("clings", { kind, code: archiveOf(kind, "clings", clings[kind]), binary: true });
      for (let round = 0; round < 5; round++) {
        expect(result(await real.run("clings")).held).to.be.greaterThan(1);
        expect(result(await real.run("none"))).to.deep.equal(before);
      }
      expect(real.taints()).to.deep.equal([]);
    });

    it("cost the container where something uses them that is not put back: nobody else has it", async () => {
      await start({ rewind: "on-change" });
      real.put("one", { kind, code: archiveOf(kind, "one"), binary: true });
      real.put("none", { kind, code: surroundings[kind] });
      await real.run("one");
      const [{ runtimePid = 0 } = {}] = made;
      const fd = openSync(`/proc/${runtimePid}/root/home/action/code/data.txt`, "r");
      try {
        expect(result(await real.run("none")).home).to.deep.equal([]);
      } finally {
        closeSync(fd);
      }
      expect(real.taints()).to.deep.equal(["survivor: something still uses the code that was shown"]);
      expect(made).to.have.lengthOf(2);
    });

    it("are shown in containers that are booted, and used once", async () => {
      await start({ rewind: "fresh", boots: true, userMemoryMB: 3 * memoryMB });
      real.put("one", { kind, code: archiveOf(kind, "one"), binary: true });
      const seen: JsonObject[] = [];
      for (let round = 0; round < 4; round++) seen.push(result(await real.run("one")));
      for (const { own, written } of seen) expect([own, written]).to.deep.equal(["one", "EROFS"]);
      expect([await uses("miss"), await uses("hit")]).to.deep.equal([1, 3]);
      expect(await real.metric('rewhisk_containers_made_total{how="booted"}')).to.be.at.least(3);
      expect(real.taints()).to.deep.equal([]);
    });

    it("may have action checkpoints", async () => {
      await start({ levelMemoryMB: 64, levelInitMs: 0 });
      real.put("one", { kind, code: archiveOf(kind, "one"), binary: true });
      real.put("none", { kind, code: surroundings[kind] });
      const first = await real.run("one");
      expect([hasInit(first), result(first).own]).to.deep.equal([true, "one"]);
      expect(await real.metric('rewhisk_action_checkpoints_total{result="taken"}')).to.equal(1);
      for (let round = 0; round < 3; round++) {
        const further = await real.run("one");
        expect(hasInit(further)).to.equal(false);
        expect(result(further)).to.deep.equal(result(first));
      }
      expect(result(await real.run("none")).home).to.deep.equal([]);
      expect(result(await real.run("one"))).to.deep.equal(result(first));
      expect(real.taints()).to.deep.equal([]);
    });

    it("are unpacked in the container, where they can be written to, when there is no room", async () => {
      await start({}, 0);
      real.put("one", { kind, code: archiveOf(kind, "one"), binary: true });
      for (let round = 0; round < 2; round++) expect(result(await real.run("one")).written).to.equal("yes");
      expect([await uses("full"), codes.counts.bytes]).to.deep.equal([2, 0]);
      expect(real.taints()).to.deep.equal([]);
    });

    it("run where they have more folders in each other than a rewind removes, for the price of a container", async () => {
      await start();
      const code = archiveOf(kind, "deep", undefined, files({ [`${"d/".repeat(70)}file`]: "x" }));
      real.put("deep", { kind, code, binary: true });
      for (let round = 0; round < 2; round++) expect(result(await real.run("deep")).written).to.equal("yes");
      expect([await uses("failed"), await uses("miss"), codes.counts.archives]).to.deep.equal([2, 0, 0]);
      for (const taint of real.taints()) expect(taint).to.match(/^scratch: .* folders more than 64 deep/);
    });

    it("can be executed though nothing on the disk's file system may be", async () => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "noexec,mode=700", "tmpfs", folder]);
      try {
        await start();
        real.put("runs", { kind, code: archiveOf(kind, "runs", runsTool[kind]), binary: true });
        for (let round = 0; round < 2; round++)
          expect(result(await real.run("runs"))).to.deep.equal({ out: "it works\n" });
        expect([await uses("miss"), await uses("hit")]).to.deep.equal([1, 1]);
      } finally {
        await codes.close();
        execFileSync("umount", ["--lazy", folder]);
      }
    });

    it("are refused in the same words when they are hostile", async () => {
      await start();
      const texts = async (): Promise<unknown[]> => {
        const found: unknown[] = [];
        for (const path of ["../climbs", "/absolute", "lib/../../climbs"]) {
          real.put("bad", {
            kind,
            code: archiveOf(kind, "bad", undefined, files({ [path]: "x" })),
            binary: true,
          });
          for (let round = 0; round < 2; round++) {
            const { record, logs } = await real.run("bad");
            found.push([record.response, logs.map((line) => line.slice(line.indexOf(" ")))]);
          }
        }
        return found;
      };
      const withStore = await texts();
      expect(await uses("refused")).to.equal(6);
      await real.stop();
      await start({}, 0);
      expect(await texts()).to.deep.equal(withStore);
    });
  });
}
