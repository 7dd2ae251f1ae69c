// What holds for the action proxies of every family: the channel, quiescence, no traces, archives, randomness.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Family } from "../../pool/index.ts";
import { testedFamilies } from "../again.ts";
import { holdsWithin } from "../within.ts";
import { type Entry, files, link, tarGz, zip } from "./archives.ts";
import {
  echo,
  entryName,
  evaluating,
  formats,
  leftovers,
  listing,
  refused,
  tooLarge,
  toolUser,
} from "./languages.ts";
import { endSpares, frame, inCheckout, interpreterOf, invoke, Runtime, withRuntime } from "./runtime.ts";

/** The entry files that an archive needs to be loaded. */
function entryFile(family: Family): Entry[] {
  return files({
    [entryName[family]]: family === "nodejs" ? "exports.main = (args) => args;" : echo[family],
  });
}

/** Returns when the main thread is blocked in read(3, ...). */
async function isReading({ process: { pid } }: Runtime): Promise<void> {
  const inRead = (): boolean => readFileSync(`/proc/${pid}/syscall`, "utf8").startsWith("0 0x3 ");
  expect(await holdsWithin(60_000, inRead)).to.equal(true);
}

after(endSpares);

for (const family of testedFamilies) {
  describe(`${family}: the channel`, () => {
    it("says READY with a zero nonce, its family and version, and then reads, on few threads", async () => {
      const runtime = new Runtime(family, interpreterOf(family));
      try {
        const ready = await runtime.receive();
        expect(ready.nonce.equals(Buffer.alloc(16))).to.equal(true);
        expect(ready.body).to.have.keys("runtime", "version");
        expect(ready.body).to.include({ runtime: family });
        await isReading(runtime);
        const threads = readdirSync(`/proc/${runtime.process.pid}/task`).length;
        expect(threads).to.be.at.most(family === "nodejs" ? 5 : 1);
      } finally {
        await runtime.close();
      }
    });

    it("repeats the nonce of each question", async () => {
      await withRuntime(family, async (runtime) => {
        const [one, two] = [Buffer.alloc(16, 0xa1), Buffer.from("0123456789abcdef")];
        expect((await runtime.init({ code: echo[family] }, one)).nonce.equals(one)).to.equal(true);
        expect((await runtime.run({}, {}, two)).nonce.equals(two)).to.equal(true);
      });
    });

    it("takes frames in any pieces, and several at once", async () => {
      await withRuntime(family, async (runtime) => {
        await runtime.init({ code: echo[family] });
        const questions = [1, 2, 3].map((n) => frame(2, Buffer.from(`{"value":{"n":${n}}}`)));
        const bytes = Buffer.concat(questions);
        for (const [from, to] of [
          [0, 3],
          [3, 30],
          [30, bytes.length],
        ]) {
          runtime.send(bytes.subarray(from, to));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        for (const n of [1, 2, 3]) expect((await runtime.receive()).body).to.deep.equal({ n });
      });
    });

    it("is read on after a signal, such as the end of a child", async () => {
      await withRuntime(family, async (runtime) => {
        await runtime.init({ code: echo[family] });
        await isReading(runtime);
        runtime.process.kill("SIGCHLD");
        expect((await runtime.run({ n: 1 })).body).to.deep.equal({ n: 1 });
      });
    });

    it("is not inherited by programs that an action starts", async () => {
      const { channel, listed } = (await invoke(family, { code: listing[family] })).body as Record<
        string,
        string
      >;
      expect(channel).to.match(/^socket:/);
      expect(listed).not.to.include(channel);
    });

    it("ends without a word when the channel is closed", async () => {
      await withRuntime(family, async (runtime) => {
        runtime.hangUp();
        expect(await runtime.ended).to.deep.equal({ status: 0, signal: null });
        expect(runtime.stdout + runtime.stderr).to.equal("");
      });
    });

    for (const [what, bytes] of Object.entries({
      "of no length": Buffer.alloc(4),
      "longer than any action": Buffer.from([0xff, 0xff, 0xff, 0x7f]),
      "of an unknown type": frame(9, Buffer.from("{}")),
      "of type RUN without JSON": frame(2, Buffer.from("{")),
      "of type RUN whose JSON is no object": frame(2, Buffer.from("5")),
      "of type INIT without a header": frame(1, Buffer.alloc(2)),
      "of type INIT whose header is longer than the frame": frame(1, Buffer.from([99, 0, 0, 0, 123, 125])),
    })) {
      it(`ends with status 70 and a line on stderr at a frame ${what}`, async () => {
        await withRuntime(family, async (runtime) => {
          runtime.send(bytes);
          expect(await runtime.ended).to.deep.equal({ status: 70, signal: null });
          expect(runtime.stderr).to.match(/^action proxy: the channel is broken: an? .*\n$/);
        });
      });
    }
  });

  describe(`${family}: no traces of the warm-up`, () => {
    it("leaves no file and prints nothing", async () => {
      const runtime = new Runtime(family, interpreterOf(family));
      await runtime.receive();
      expect(readdirSync(runtime.home)).to.deep.equal([]);
      expect(await runtime.close()).to.deep.equal([]);
      expect(runtime.stdout + runtime.stderr).to.equal("");
    });

    it("leaves an action only what was there before", async () => {
      const probe = evaluating[family](leftovers[family]);
      expect((await invoke(family, { code: probe })).body).to.deep.equal({
        value: {
          globals: [],
          modules: [],
          resolved: [],
          variables: ["__OW_API_HOST"],
          cwd: true,
          write: false,
          timers: [],
        },
      });
    });
  });

  describe(`${family}: archives`, () => {
    /** The words that tell the user why an archive was refused. */
    async function refusalOf(archive: Buffer): Promise<string> {
      return withRuntime(family, async (runtime) => {
        const { status, body } = await runtime.init({ code: archive });
        expect(status).to.equal(refused[family]);
        return `${(body as { error: string }).error} ${runtime.stderr}`;
      });
    }

    const hostile: Record<string, [Entry[], RegExp]> = {
      "a path that climbs out": [
        files({ "../../evil": "x" }),
        /entry "\.\.\/\.\.\/evil" leaves the archive's folder/,
      ],
      "a path that climbs out later": [files({ "a/../../evil": "x" }), /entry "a\/\.\.\/\.\.\/evil" leaves/],
      "an absolute path": [files({ "/tmp/evil": "x" }), /entry "\/tmp\/evil" has an absolute path/],
      "a link to an absolute path": [[link("out", "/etc/passwd")], /entry "out" is a link that leaves/],
      "a link that climbs out": [[link("a/out", "../../evil")], /entry "a\/out" is a link that leaves/],
      "a chain of links that leads out": [
        [link("p/q/t", "s/../../x"), link("p/q/s", "../.."), ...files({ x: "" })],
        /entry "p\/q\/t" is a link that leaves/,
      ],
      "a file below a link": [
        [link("here", "there"), ...files({ "here/file": "x", "there/file": "y" })],
        /entry "here" is a file and a folder at once/,
      ],
      "a file below a file": [files({ a: "x", "a/b": "y" }), /entry "a\/b" is a file and a folder at once/],
    };
    for (const [what, [entries, words]] of Object.entries(hostile)) {
      for (const [format, pack] of Object.entries(formats[family])) {
        it(`refuses a ${format} archive with ${what}, and names the entry`, async () => {
          expect(await refusalOf(pack([...entryFile(family), ...entries]))).to.match(words);
        });
      }
    }

    if ("tar.gz" in formats[family])
      it("refuses a hard link that climbs out and a device in a tar.gz archive", async () => {
        const hard = { path: "hard", type: "1", target: "../../../etc/passwd" };
        expect(await refusalOf(tarGz([...entryFile(family), hard]))).to.match(/leaves the archive's folder/);
        const device = { path: "null", type: "3" };
        expect(await refusalOf(tarGz([...entryFile(family), device]))).to.match(
          /entry "null" is neither a file/,
        );
      });

    it("refuses a zip entry that holds more than it says, and archives cut short", async () => {
      const content = Buffer.alloc(5_000_000);
      expect(
        await refusalOf(zip([...entryFile(family), { path: "bomb", content, claimedBytes: 10 }])),
      ).to.match(/bomb|cannot be read/);
      const whole = zip([...entryFile(family), { path: "big", content: "x".repeat(1000) }]);
      expect(await refusalOf(whole.subarray(0, whole.length - 30))).to.match(/archive/);
      for (const pack of Object.values(formats[family])) {
        const cut = pack(entryFile(family)).subarray(0, 60);
        expect(await refusalOf(cut)).to.match(/archive/);
      }
    });

    it("refuses what does not fit into the file system, by bytes and by files", async function () {
      this.timeout(120_000);
      if (process.getuid?.() !== 0) {
        console.log("        skipped: only root can mount a small file system to fill");
        this.skip();
      }
      const folder = mkdtempSync(join(tmpdir(), "rewhisk-small-"));
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,nr_inodes=200", "small", folder]);
      try {
        const many = Array.from({ length: 300 }, (_, n) => ({ path: `file${n}`, content: "x" }));
        for (const pack of Object.values(formats[family])) {
          for (const [entries, words] of [
            [[{ path: "big", content: Buffer.alloc(20_000_000) }], tooLarge[family]],
            [many, /entry "file19\d" does not fit: the container's disk is full/],
          ] as const) {
            const runtime = new Runtime(family, interpreterOf(family), [], { folder });
            await runtime.receive();
            const { body } = await runtime.init({ code: pack([...entryFile(family), ...entries]) });
            expect(`${(body as { error: string }).error} ${runtime.stderr}`).to.match(words);
            await runtime.close();
          }
        }
      } finally {
        // Whoever looks at all processes of the machine, as other tests do, may hold it for a moment.
        execFileSync("umount", ["--lazy", folder]);
        rmdirSync(folder);
      }
    });

    it("refuses an archive of too many entries", async () => {
      const many = Array.from({ length: 100_001 }, () => ({ path: "d/", mode: 0o040755, type: "5" }));
      const pack = "tar.gz" in formats[family] ? tarGz : zip;
      expect(await refusalOf(pack(many))).to.match(/entry "d\/?" is one more than the 100000/);
    });

    for (const [format, pack] of Object.entries(formats[family])) {
      it(`keeps links and modes of a ${format} archive`, async () => {
        const archive = pack([
          ...files({ [entryName[family]]: toolUser[family] }),
          { path: "bin/", mode: 0o040755, type: "5" },
          { path: "bin/tool", content: "#!/bin/sh\necho ran\n", mode: 0o100755 },
          link("tool", "bin/tool"),
        ]);
        expect((await invoke(family, { code: archive })).body).to.deep.equal({
          out: "ran\n",
          link: "bin/tool",
          through: true,
        });
      });
    }
  });
}

describe("randomness", () => {
  it("is renewed at init: two Nodes started from the same seed give different numbers", async () => {
    const code = `const vm = require("vm");
      const main = () => ({ values: [Math.random(), vm.runInNewContext("Math.random()"), vm.runInContext("Math.random()", vm.createContext()),
        new vm.Script("Math.random()").runInNewContext({}, { contextCodeGeneration: { strings: false } })] });`;
    const { arguments: flags } = JSON.parse(readFileSync(inCheckout("runtimes/nodejs/runtime.json"), "utf8"));
    expect(flags.join(" ")).not.to.match(/random/);
    const values: number[] = [];
    for (let i = 0; i < 2; i++) {
      const runtime = new Runtime("nodejs", process.execPath, ["--random-seed=42"]);
      await runtime.receive();
      await runtime.init({ code });
      values.push(...((await runtime.run()).body as { values: number[] }).values);
      await runtime.close();
    }
    expect(new Set(values).size).to.equal(8);
  });

  it("differs between Math.random, the generators of crypto, and worker threads", async () => {
    const code = `
      const crypto = require("crypto"), { Worker } = require("worker_threads");
      const inWorker = () => new Promise((resolve, reject) =>
        new Worker('require("worker_threads").parentPort.postMessage(Math.random())', { eval: true }).on("message", resolve).on("error", reject));
      const bytes = () => new Promise((resolve) => crypto.randomBytes(8, (_, b) => resolve(b.toString("hex"))));
      const main = async () => ({ values: [Math.random(), Math.random(), await inWorker(), await inWorker(), crypto.randomBytes(8).toString("hex"),
        await bytes(), crypto.randomUUID(), crypto.randomInt(2 ** 40), String(globalThis.crypto.getRandomValues(new Uint8Array(8)))] });`;
    const { values } = (await invoke("nodejs", { code })).body as { values: unknown[] };
    const more = (await invoke("nodejs", { code })).body as { values: unknown[] };
    expect(new Set([...values, ...more.values]).size).to.equal(2 * values.length);
  });

  it("is renewed at init in python: a state put back gives other numbers each time", async () => {
    const renewed = `
import random, ssl
from rewhisk_proxy.randomness import renew_randomness
def main(args):
    values = []
    for _ in range(3):
        random.seed(42)
        renew_randomness()
        values += [random.random(), random.gauss(0, 1), ssl.RAND_bytes(8).hex()]
    return {"values": values}
`;
    const { values } = (await invoke("python", { code: renewed })).body as { values: unknown[] };
    expect(new Set(values).size).to.equal(9);
  });

  it("is renewed at init in ruby: a state put back gives other numbers each time", async () => {
    const renewed = `
KEPT = ObjectSpace.each_object(Random).to_a
def main(args)
  values = 3.times.flat_map do
    Random.srand(42)
    KEPT.each { |generator| generator.send(:initialize, 42) }
    RewhiskProxy::Randomness.renew
    [rand, Random.bytes(8), Random.random_number, OpenSSL::Random.random_bytes(8), *KEPT.map(&:rand)].map(&:hash)
  end
  { values: values, kept: KEPT.size }
end
`;
    const { body } = await invoke("ruby", { code: renewed });
    const { values, kept } = body as { values: unknown[]; kept: number };
    expect(kept).to.be.at.least(1);
    expect(new Set(values).size).to.equal(3 * (4 + kept));
  });

  it("is a must: without its addon the proxy of nodejs does not start", async () => {
    const runtime = new Runtime("nodejs", process.execPath, ["--no-addons"]);
    expect((await runtime.ended).status).to.equal(70);
    expect(runtime.stderr).to.match(/the randomness of this process cannot be renewed/);
    await runtime.close();
  });
});
