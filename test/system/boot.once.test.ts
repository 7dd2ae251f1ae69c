// Containers whose runtimes are booted from the checkpoint of one that was started: they answer, and are rewound as those are.

import { closeSync, readFileSync, readSync } from "node:fs";
import { expect } from "chai";
import { createLeanFactory } from "../../pool/lean/factory.ts";
import { findInterpreters } from "../../pool/lean/interpreters.ts";
import type { Sandbox } from "../../pool/lean/sandbox.ts";
import type { SandboxFactory } from "../../pool/lean/types.ts";
import { Channel, type Reply } from "../../pool/proxy/channel.ts";
import { ContainerCheckpoint, type Template } from "../../restorer/index.ts";
import { type Family, families } from "../corpus.ts";
import { childrenOf } from "../processes.ts";
import { instanceName } from "./instance.ts";
import { launcher, requireRoot } from "./lean-probe.ts";

const memoryMB = 256;
const limits = { timeoutMs: 60_000, maxBodyBytes: 1 << 20, keptBodyBytes: 1 << 20 };
/** Of every kind of work that a runtime may do, each answers something that can only be right. */
const programs: Readonly<Record<Family, string>> = {
  nodejs: `
    const crypto = require('crypto'), cp = require('child_process'), zlib = require('zlib'), fs = require('fs');
    const { Worker } = require('worker_threads');
    async function main({ n }) {
      const timed = await new Promise((done) => setTimeout(() => done(n + 1), 2));
      const hashed = crypto.createHash('sha256').update(String(n)).digest('hex');
      const derived = await new Promise((done, no) => crypto.pbkdf2('a', 'b', 10, 8, 'sha256', (e, k) => (e ? no(e) : done(k.toString('hex')))));
      const worked = await new Promise((done, no) => {
        const worker = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
        worker.once('message', done).once('error', no);
      });
      const child = cp.execFileSync('/bin/sh', ['-c', 'echo $((6 * 7)) $PPID'], { encoding: 'utf8' }).trim();
      const spawned = await new Promise((done) => cp.spawn('/bin/sh', ['-c', 'exit 5']).once('exit', done));
      const zipped = zlib.gunzipSync(zlib.gzipSync('x'.repeat(1000))).length;
      const read = (await fs.promises.readFile('/etc/hostname', 'utf8')).trim();
      const garbage = [];
      for (let i = 0; i < 20000; i++) garbage.push({ i, s: 'x' + i });
      return { timed, hashed, derived, worked, child, spawned, zipped, read, kept: garbage[19999].s, pid: process.pid, ppid: process.ppid, uid: process.getuid(),
        random: [Math.random(), crypto.randomUUID(), crypto.randomBytes(8).toString('hex')] };
    }`,
  python: `
import hashlib, json, os, random, secrets, ssl, subprocess, threading, time, zlib, socket
def main(args):
    n = args['n']
    time.sleep(0.002)
    box = []
    thread = threading.Thread(target=lambda: box.append(6 * 7))
    thread.start(); thread.join()
    child = subprocess.run(['/bin/sh', '-c', 'echo $((6 * 7)) $PPID'], capture_output=True, text=True).stdout.strip()
    spawned = subprocess.run(['/bin/sh', '-c', 'exit 5']).returncode
    garbage = [{'i': i, 's': 'x%d' % i} for i in range(20000)]
    return {'timed': n + 1, 'hashed': hashlib.sha256(str(n).encode()).hexdigest(), 'derived': hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10, 8).hex(),
            'worked': box[0], 'child': child, 'spawned': spawned, 'zipped': len(zlib.decompress(zlib.compress(b'x' * 1000))),
            'read': socket.gethostname(), 'kept': garbage[-1]['s'], 'pid': os.getpid(), 'ppid': os.getppid(), 'uid': os.getuid(),
            'random': [random.random(), secrets.token_hex(8), ssl.RAND_bytes(8).hex()]}
`,
  ruby: `
require 'openssl'
require 'socket'
require 'zlib'
def main(args)
  n = args['n']
  sleep 0.002
  child = IO.popen(['/bin/sh', '-c', 'echo $((6 * 7)) $PPID'], &:read).strip
  system('/bin/sh', '-c', 'exit 5')
  spawned = $?.exitstatus
  garbage = (0...20000).map { |i| { i: i, s: 'x' + i.to_s } }
  { timed: n + 1, hashed: OpenSSL::Digest::SHA256.hexdigest(n.to_s), derived: OpenSSL::PKCS5.pbkdf2_hmac('a', 'b', 10, 8, 'sha256').unpack1('H*'),
    worked: Thread.new { 6 * 7 }.value, child: child, spawned: spawned, zipped: Zlib::Inflate.inflate(Zlib::Deflate.deflate('x' * 1000)).size,
    read: Socket.gethostname, kept: garbage.last[:s], pid: Process.pid, ppid: Process.ppid, uid: Process.uid,
    random: [rand, Random.bytes(8).unpack1('H*'), OpenSSL::Random.random_bytes(8).unpack1('H*')] }
end
`,
};

/** A container with its channel. */
class Held {
  readonly sandbox: Sandbox;
  readonly channel: Channel;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.channel = Channel.open(sandbox.channelFd);
  }

  async init(code: string): Promise<void> {
    const env = { __OW_ACTION_NAME: "/guest/boot" };
    const reply = await this.channel.init(
      { name: "boot", main: "main", binary: false, env, code: Buffer.from(code) },
      limits,
    );
    expect(reply, this.#words(reply)).to.include({ outcome: "answer", status: 200 });
  }

  async run(value: object): Promise<Record<string, unknown>> {
    const reply = await this.channel.run(JSON.stringify({ value }), limits, false);
    expect(reply, this.#words(reply)).to.include({ outcome: "answer", status: 200 });
    return JSON.parse((reply as { body: string }).body);
  }

  /** Puts it back, under the oracle. */
  async rewind(checkpoint: ContainerCheckpoint): Promise<void> {
    await this.sandbox.killOthers(checkpoint.summary.threads);
    expect(await checkpoint.rewind({ verify: true })).to.include({ verified: true });
    this.sandbox.allowOthers(checkpoint.summary.threads);
    await this.sandbox.awaitReaped(checkpoint.summary.threads);
    await this.sandbox.awaitNoSockets();
    await this.sandbox.emptyScratch();
  }

  async destroy(): Promise<void> {
    this.channel.close();
    closeSync(this.sandbox.stdoutFd);
    closeSync(this.sandbox.stderrFd);
    await this.sandbox.destroy();
  }

  #words(reply: Reply): string {
    const buffer = Buffer.alloc(4096);
    try {
      return `${JSON.stringify(reply)} ${buffer.toString("utf8", 0, readSync(this.sandbox.stderrFd, buffer))}`;
    } catch {
      return JSON.stringify(reply);
    }
  }
}

/** Of user and group. */
function idsOf(pid: number): (number | undefined)[] {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return ["Uid", "Gid"].map((key) => Number(new RegExp(`^${key}:\\s(\\d+)`, "m").exec(status)?.[1]));
}

/** What the auxiliary vector says of them: AT_UID, AT_EUID, AT_GID, AT_EGID. */
function toldIdsOf(pid: number): (number | undefined)[] {
  const bytes = readFileSync(`/proc/${pid}/auxv`);
  const vector = new BigUint64Array(new Uint8Array(bytes).buffer);
  return [11n, 12n, 13n, 14n].map((type) => {
    const at = vector.findIndex((word, i) => i % 2 === 0 && word === type);
    return at < 0 ? undefined : Number(vector[at + 1]);
  });
}

/** What those that are booted are forked from. */
function embryo(): number {
  const isLauncher = (pid: number): boolean =>
    readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes("--embryo");
  const found = childrenOf(process.pid).filter(isLauncher).flatMap(childrenOf);
  expect(found).to.have.length(1);
  return found[0] as number;
}

/** Memory that has no file: all of it, and what of it nobody else has. */
function memoryKB({ sandbox: { runtimePid } }: Held): { readonly all: number; readonly own: number } {
  const text = readFileSync(`/proc/${runtimePid}/smaps_rollup`, "latin1");
  const kB = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(text)?.[1]);
  return { all: kB("Anonymous"), own: kB("Private_Dirty") };
}

for (const family of families) {
  describe(`a ${family} container booted from a checkpoint`, () => {
    let factory: SandboxFactory;
    let kind: string;
    let image: Template;

    async function boot(verify = false): Promise<{ held: Held; checkpoint: ContainerCheckpoint }> {
      let checkpoint: ContainerCheckpoint | undefined;
      const sandbox = await factory.create(kind, memoryMB, async (waiting) => {
        checkpoint = await ContainerCheckpoint.boot(image, waiting, { verify });
      });
      if (checkpoint === undefined) throw new Error("nothing was booted");
      return { held: new Held(sandbox), checkpoint };
    }

    async function end({ held, checkpoint }: Awaited<ReturnType<typeof boot>>): Promise<void> {
      await held.destroy();
      checkpoint.release();
    }

    before(async () => {
      requireRoot();
      const interpreters = await findInterpreters();
      const found = interpreters.find((one) => one.family === family);
      if (found === undefined) throw new Error(`no interpreter for ${family}`);
      kind = found.kind;
      factory = createLeanFactory({
        instance: instanceName("boot"),
        interpreters,
        environment: {},
        scratchMB: 8,
        launcher,
      });
      const template = new Held(await factory.create(kind, memoryMB));
      expect(await template.channel.ready(60_000)).to.include({ outcome: "answer" });
      const { runtimePid } = template.sandbox;
      const checkpoint = await ContainerCheckpoint.take([runtimePid], { rung: "write-protect" });
      image = checkpoint.template();
      checkpoint.release();
      await template.destroy();
    });

    after(async () => {
      image.release();
      await factory.close();
    });

    it("does all that a started one does, with random numbers of its own, under its own user and name", async () => {
      const drawn = new Set<unknown>();
      for (let i = 0; i < 3; i++) {
        const booted = await boot(true);
        const { held } = booted;
        await held.init(programs[family]);
        const { random, ...rest } = await held.run({ n: i });
        const [uid, gid] = idsOf(held.sandbox.runtimePid);
        expect(toldIdsOf(held.sandbox.runtimePid)).to.deep.equal([uid, uid, gid, gid]);
        expect(rest).to.deep.equal({
          ...{
            timed: i + 1,
            derived: "8035ce8e3b671cc3",
            worked: 42,
            child: "42 2",
            spawned: 5,
            zipped: 1000,
          },
          ...{ read: held.sandbox.id, kept: "x19999", pid: 2, ppid: 1, uid },
          hashed: rest.hashed,
        });
        for (const value of random as unknown[]) drawn.add(value);
        await end(booted);
      }
      expect(drawn.size).to.equal(9);
    });

    it("is rewound under the oracle thirty times, whatever it has done", async () => {
      const booted = await boot();
      for (let i = 0; i < 30; i++) {
        await booted.held.init(programs[family]);
        expect(await booted.held.run({ n: i })).to.include({ timed: i + 1 });
        await booted.held.rewind(booted.checkpoint);
      }
      await end(booted);
    });

    it("shares its memory with others until it writes to it, even where it was compared with its checkpoint", async () => {
      const booted = await boot();
      await booted.held.rewind(booted.checkpoint);
      const idle = memoryKB(booted.held);
      expect(idle.own).to.be.below(idle.all / 20);
      await booted.held.init(programs[family]);
      expect(memoryKB(booted.held).own).to.be.above(idle.own);
      await end(booted);
    });

    it("never gives a wrong answer in a thousand boots", async () => {
      const code = {
        nodejs:
          "async function main({ n }) { await new Promise((done) => setImmediate(done)); return { n: n + 1 }; }",
        python: "def main(args):\n    return {'n': args['n'] + 1}\n",
        ruby: "def main(args)\n  { n: args['n'] + 1 }\nend\n",
      }[family];
      for (let i = 0; i < 1000; i++) {
        const booted = await boot();
        await booted.held.init(code);
        expect(await booted.held.run({ n: i })).to.deep.equal({ n: i + 1 });
        await end(booted);
      }
    }).timeout(300_000);

    it("outlives what it was forked from, after which others are booted with memory of their own", async () => {
      const before = await boot();
      process.kill(embryo(), "SIGKILL");
      await before.held.init(programs[family]);
      expect(await before.held.run({ n: 1 })).to.include({ timed: 2 });
      await before.held.rewind(before.checkpoint);
      expect(image.whyCopied).to.equal(undefined);
      const after = await boot();
      expect(image.whyCopied?.message).to.match(/embryo \d+ is gone/);
      await after.held.rewind(after.checkpoint);
      const { all, own } = memoryKB(after.held);
      expect(own).to.be.above(all / 2);
      await after.held.init(programs[family]);
      expect(await after.held.run({ n: 2 })).to.include({ timed: 3 });
      await after.held.rewind(after.checkpoint);
      await before.held.rewind(before.checkpoint);
      await end(before);
      await end(after);
    });
  });
}
