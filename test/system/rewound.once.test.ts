// A thousand rewinds of each runtime under the oracle, and what the next owner sees with the rewind and without it.

import { expect } from "chai";
import type { Json, PoolSettings } from "../../invoker/index.ts";
import { families } from "../corpus.ts";
import { askingSo, bootedFromDisk, madeSo, makeSo, waysOf } from "./booted.ts";
import { RealInvoker } from "./real-invoker.ts";

const rewinds = {
  started: 1000,
  booted: 300,
  "booted from disk": 300,
  "started with libraries": 300,
} as const;

const programs = {
  nodejs: {
    kind: "nodejs:20",
    code: `const crypto = require('crypto'), fs = require('fs'), net = require('net'), cp = require('child_process');
      async function main({ leave }) {
        const seen = {
          global: globalThis.left ?? null, module: require('os').left ?? null, files: fs.readdirSync('/tmp').concat(fs.readdirSync('/dev/shm')),
          environment: process.env.LEFT ?? null, cwd: process.cwd(), umask: process.umask(),
          resources: process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Process/.test(name)).length,
          descriptors: fs.readdirSync('/proc/self/fd').length, threads: fs.readdirSync('/proc/self/task').length,
        };
        const random = [Math.random(), crypto.randomBytes(8).toString('hex'), crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(2)).join()];
        if (leave) {
          globalThis.left = require('os').left = process.env.LEFT = 'left';
          fs.writeFileSync('/tmp/left', 'x'); fs.writeFileSync('/dev/shm/left', 'x'); fs.openSync('/dev/null');
          process.chdir('/'); process.umask(0); setInterval(() => {}, 1000); net.createServer().listen(0, '127.0.0.1');
          cp.spawn('/bin/sleep', ['1000'], { stdio: 'ignore', detached: true });
          const worker = new (require('worker_threads').Worker)('setInterval(() => {}, 1000)', { eval: true });
          await new Promise((online) => worker.once('online', online));
        }
        return { seen, random };
      }`,
  },
  python: {
    kind: "python:3",
    code: `
import os, random, ssl, builtins, json, threading, socket, subprocess, uuid, signal
def main(args):
    seen = {"global": getattr(builtins, "left", None), "module": getattr(json, "left", None), "files": os.listdir("/tmp") + os.listdir("/dev/shm"),
            "environment": os.environ.get("LEFT"), "cwd": os.getcwd(), "umask": os.umask(0o22), "timer": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
            "descriptors": len(os.listdir("/proc/self/fd")), "threads": threading.active_count()}
    values = [random.random(), ssl.RAND_bytes(8).hex(), str(uuid.uuid4()), os.urandom(8).hex()]
    if args.get("leave"):
        builtins.left = json.left = os.environ["LEFT"] = "left"
        open("/tmp/left", "w").close(); open("/dev/shm/left", "w").close(); os.open("/dev/null", os.O_RDONLY)
        os.chdir("/"); os.umask(0); signal.setitimer(signal.ITIMER_REAL, 1000)
        threading.Thread(target=lambda: threading.Event().wait(), daemon=True).start()
        subprocess.Popen(["/bin/sleep", "1000"])
    return {"seen": seen, "random": values}
`,
  },
  ruby: {
    kind: "ruby:3",
    code: `
require 'openssl'
require 'securerandom'
require 'tmpdir'
def main(args)
  seen = { global: $left, constant: JSON.const_defined?(:LEFT), files: Dir.children('/tmp') + Dir.children('/dev/shm'),
           environment: ENV['LEFT'], cwd: Dir.pwd, umask: File.umask, handler: Signal.trap('USR2', 'DEFAULT').to_s,
           descriptors: Dir.children('/proc/self/fd').size, threads: Dir.children('/proc/self/task').size }
  values = [rand, Random.bytes(8).unpack1('H*'), SecureRandom.uuid, OpenSSL::Random.random_bytes(8).unpack1('H*'), Dir::Tmpname.create('x') {}]
  if args['leave']
    $left = ENV['LEFT'] = 'left'
    JSON.const_set(:LEFT, 1)
    File.write('/tmp/left', ''); File.write('/dev/shm/left', ''); $file = File.open('/dev/null')
    Dir.chdir('/'); File.umask(0); Signal.trap('USR2', 'IGNORE')
    Thread.new { sleep }
    spawn('/bin/sleep', '1000')
  end
  { seen: seen, random: values }
end
`,
  },
} as const;

interface Report {
  readonly seen: { readonly [what: string]: Json };
  readonly random: readonly Json[];
}

/** Every family with containers that are started, with or without libraries, and with such as are booted from the checkpoint of another, in memory or on disk. */
const ways = families.flatMap((family) =>
  ([...waysOf(family), "booted from disk"] as const).map((way) => ({ family, way })),
);

for (const { family, way } of ways) {
  const { kind, code } = programs[family];

  /** A pool of one container. */
  async function start(settings: Partial<PoolSettings>): Promise<RealInvoker> {
    const all = {
      ...settings,
      userMemoryMB: 256,
      ...madeSo(way, family, { kind, count: 1, memoryMB: 256 }),
    };
    const real = way === "booted from disk" ? await bootedFromDisk(all) : await RealInvoker.start(all);
    await makeSo(real, way);
    return real;
  }

  /** What a program sees before and after it has left something in every place it knows, in a pool of one container. */
  async function reports(real: RealInvoker, names: readonly [string, string]): Promise<[Report, Report]> {
    for (const name of new Set(names)) real.put(name, { kind, code, ...askingSo(way, family) });
    const clean = await real.run(names[0], { leave: true });
    const next = await real.run(names[1], { leave: false });
    return [clean, next].map(({ record }) => record.response.result as unknown as Report) as [Report, Report];
  }

  describe(`a ${kind} container that was ${way}`, () => {
    it(`equals its checkpoint after each of ${rewinds[way]} rewinds`, async () => {
      const real = await start({ verifyFirst: Number.POSITIVE_INFINITY });
      real.put("tiny", { kind, code, ...askingSo(way, family) });
      for (let i = 0; i < rewinds[way]; i++) await real.run("tiny", { leave: i % 10 === 0 });
      const starts = await real.metric('rewhisk_container_starts_total{result="ready"}');
      const taints = real.taints();
      await real.stop();
      // The one that gave its image was killed.
      expect(taints.length).to.equal(way === "booted" ? 1 : 0);
      expect(starts).to.equal(way === "booted" ? 2 : 1);
    }).timeout(240_000);

    it("shows the next owner nothing of the one before, and other random values", async () => {
      const real = await start({ rewind: "always" });
      const [before, after] = await reports(real, ["first", "second"]);
      await real.stop();
      expect(after.seen).to.deep.equal(before.seen);
      for (const [i, value] of after.random.entries()) expect(value).to.not.equal(before.random[i]);
    });

    it("would have shown all of it without the rewind", async () => {
      const real = await start({ rewind: "on-change" });
      const [before, after] = await reports(real, ["same", "same"]);
      await real.stop();
      for (const what of Object.keys(before.seen))
        expect(after.seen[what], what).to.not.deep.equal(before.seen[what]);
    });
  });
}
