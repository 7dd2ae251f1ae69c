// Action checkpoints in real containers: the second activation has no init, and finds what the init left and nothing else.

import { expect } from "chai";
import type { Json } from "../../invoker/index.ts";
import { type LevelRefusal, levelRefusals } from "../../pool/index.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";

const memoryMB = 256;

/** Counts in every place in which state can live on, says when its init was, draws a number, and misbehaves on request. */
const actions = {
  "nodejs:20": `
    const fs = require("fs");
    const loaded = process.hrtime.bigint().toString();
    const kept = { list: Array.from({ length: 1000 }, (_, i) => i) };
    let n = 0;
    function main({ fails, waits }) {
      n += 1;
      kept.list.push(n);
      process.env.COUNT = String(1 + Number(process.env.COUNT ?? 0));
      fs.appendFileSync("/tmp/count", "x");
      if (fails) throw new Error("on purpose");
      if (waits) for (;;);
      const file = fs.readFileSync("/tmp/count", "utf8").length;
      return { n, env: process.env.COUNT, file, kept: kept.list.length, loaded, drawn: Math.random() };
    }`,
  "python:3": `
import os, random, time
loaded = str(time.monotonic_ns())
kept = list(range(1000))
n = 0
def main(args):
    global n
    n += 1
    kept.append(n)
    os.environ["COUNT"] = str(1 + int(os.environ.get("COUNT", "0")))
    open("/tmp/count", "a").write("x")
    if args.get("fails"): return 42
    while args.get("waits"): pass
    file = len(open("/tmp/count").read())
    return {"n": n, "env": os.environ["COUNT"], "file": file, "kept": len(kept), "loaded": loaded, "drawn": random.random()}
`,
  "ruby:3": `
$loaded = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond).to_s
$kept = (0...1000).to_a
$n = 0
def main(args)
  $n += 1
  $kept << $n
  ENV["COUNT"] = (1 + ENV.fetch("COUNT", "0").to_i).to_s
  File.write("/tmp/count", "x", mode: "a")
  raise "on purpose" if args["fails"]
  loop {} if args["waits"]
  {n: $n, env: ENV["COUNT"], file: File.size("/tmp/count"), kept: $kept.size, loaded: $loaded, drawn: rand}
end
`,
} as const;

type Kind = keyof typeof actions;

/** What an init may do that forbids a checkpoint; in each the action itself is an empty one. */
const forbidden: { readonly [kind in Kind]: { readonly [refusal in LevelRefusal]?: string } } = {
  "nodejs:20": {
    randomness: "const id = require('crypto').randomUUID();",
    files: "require('fs').writeFileSync('/tmp/left', 'x');",
    sockets: "const server = require('net').createServer().listen(0);",
    processes: "const child = require('child_process').spawn('/bin/sleep', ['100']); child.unref();",
  },
  "python:3": {
    randomness: "import random\nown = random.Random()\n",
    files: "open('/tmp/left', 'w').write('x')\n",
    sockets: "import socket\nserver = socket.socket()\nserver.bind(('127.0.0.1', 0))\nserver.listen()\n",
    processes: "import subprocess\nchild = subprocess.Popen(['sleep', '100'])\n",
    "not-quiescent": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 1000)\n",
    unsupported: "import mmap\nshared = mmap.mmap(-1, 4096)\n",
    memory: "much = bytearray(b'x') * 100_000_000\n",
  },
  "ruby:3": {
    randomness: "require 'securerandom'\n$id = SecureRandom.hex\n",
    files: "File.write('/tmp/left', 'x')\n",
    sockets: "require 'socket'\n$server = TCPServer.new('127.0.0.1', 0)\n",
    processes: "$child = Process.spawn('sleep', '100')\n",
  },
};

/** For Python: 2 to a power of bytes. */
const reserve = `
import mmap
def reserve(power, prot):
    return mmap.mmap(-1, 1 << power, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=prot)
`;

/** 80 GB and 64 TB. */
const reserving: { readonly [kind in Kind]?: string } = {
  "nodejs:20":
    "const kept = Array.from({ length: 8 }, () => new WebAssembly.Memory({ initial: 1, maximum: 16 }));",
  "python:3": `${reserve}kept = reserve(46, 0)`,
};

/** More than could be put back, or taken at all: of each the container goes back to its base, and nothing is replaced. */
const tooMuch = {
  "1,000 descriptors": "import os\nkept = [os.eventfd(0) for _ in range(1000)]\n",
  "every descriptor": "import os\ntry:\n    while True: os.eventfd(0)\nexcept OSError: pass\n",
  "6 GB in small mappings": `${reserve}kept = [reserve(30, i % 2) for i in range(6)]\n`,
  "a large semaphore": "import os\nkept = os.eventfd(100, os.EFD_SEMAPHORE)\n",
};

/** A thread that goes on while nothing is asked of the container, and would be found there by the next activation. */
const restless: { readonly [kind in Kind]?: string } = {
  "python:3": `
import threading, time
n = 0
def count():
    global n
    while True:
        time.sleep(0.01)
        n += 1
threading.Thread(target=count, daemon=True).start()
`,
  "ruby:3": "$n = 0\nThread.new { loop { sleep 0.01; $n += 1 } }\n",
};

const idle: { readonly [kind in Kind]: string } = {
  "nodejs:20": "function main() { return {}; }",
  "python:3": "def main(args): return {}\n",
  "ruby:3": "def main(args) = {}\n",
};

const result = (done: Done): Json | undefined => done.record.response.result;
const hasInit = (done: Done): boolean => done.record.annotations.some(({ key }) => key === "initTime");

for (const kind of Object.keys(actions) as Kind[]) {
  describe(`the checkpoint of an action in one real ${kind} container`, () => {
    let real: RealInvoker;
    const taken = (): Promise<number> => real.metric('rewhisk_action_checkpoints_total{result="taken"}');
    beforeEach(async () => {
      const stemCells = [{ kind, count: 1, memoryMB }];
      const levels = { levelMemoryMB: 64, levelInitMs: 0 };
      real = await RealInvoker.start({ userMemoryMB: memoryMB, stemCells, ...levels }, "level");
    });
    afterEach(async () => {
      const taints = real.taints();
      await real.stop();
      expect(taints).to.deep.equal([]);
    });

    it("is come back to before each further activation, which has no init and sees nothing of those before", async () => {
      real.put("one", { kind, code: actions[kind] });
      const dones: Done[] = [];
      for (let i = 0; i < 5; i++) dones.push(await real.run("one"));
      for (const done of dones) expect(result(done)).to.include({ n: 1, env: "1", file: 1, kept: 1001 });
      const fields = dones.map((done) => result(done) as { loaded: string; drawn: number });
      expect(new Set(fields.map(({ loaded }) => loaded)).size).to.equal(1);
      expect(new Set(fields.map(({ drawn }) => drawn)).size).to.equal(5);
      expect(dones.map(hasInit)).to.deep.equal([true, false, false, false, false]);
      expect(await taken()).to.equal(1);
      expect(await real.metric('rewhisk_starts_total{start="warm"}')).to.equal(4);
      expect(await real.metric("rewhisk_action_checkpoints_bytes")).to.be.greaterThan(0);
    });

    it("ends with another action, which finds nothing of it, and is taken anew afterwards", async () => {
      real.put("one", { kind, code: actions[kind] });
      real.put("two", { kind, code: `${actions[kind]}\n` });
      const told: [number, boolean][] = [];
      for (const name of ["one", "one", "two", "two", "one"]) {
        const done = await real.run(name);
        told.push([(result(done) as { n: number }).n, hasInit(done)]);
      }
      expect(told).to.deep.equal([
        [1, true],
        [1, false],
        [1, true],
        [1, false],
        [1, true],
      ]);
      expect(await taken()).to.equal(3);
    });

    it("is come back to after an activation that fails, or does not end in time", async () => {
      real.put("one", { kind, code: actions[kind], timeoutMs: 1000 });
      await real.run("one");
      for (const parameters of [{ fails: true }, { waits: true }]) {
        expect((await real.run("one", parameters)).record.response.statusCode).to.not.equal(0);
        const after = await real.run("one");
        expect(result(after)).to.include({ n: 1, env: "1", file: 1, kept: 1001 });
        expect(hasInit(after)).to.equal(false);
      }
      expect(await taken()).to.equal(1);
    });

    if (restless[kind] !== undefined)
      it("is not taken where the init leaves a thread that goes on by itself", async () => {
        real.put("one", { kind, code: `${restless[kind]}\n${idle[kind]}` });
        for (let i = 0; i < 2; i++) expect(hasInit(await real.run("one"))).to.equal(true);
        expect(await taken()).to.equal(0);
      });

    for (const [what, init] of kind === "python:3" ? Object.entries(tooMuch) : [])
      it(`is not taken of ${what}`, async () => {
        real.put("one", { kind, code: `${init}\n${idle[kind]}` });
        for (let i = 0; i < 2; i++) expect(result(await real.run("one"))).to.deep.equal({});
        // Without a descriptor the runtime cannot look for what may hide a draw.
        const why = what === "every descriptor" ? "randomness" : "unsupported";
        expect(await real.metric(`rewhisk_action_checkpoints_total{result="${why}"}`)).to.equal(2);
      });

    if (reserving[kind] !== undefined)
      it("is taken of an init that reserves much and touches little", async () => {
        real.put("one", { kind, code: `${reserving[kind]}\n${idle[kind]}` });
        for (let i = 0; i < 3; i++) expect(hasInit(await real.run("one"))).to.equal(i === 0);
        expect(await taken()).to.equal(1);
      });

    for (const why of levelRefusals) {
      const init = forbidden[kind][why];
      if (init === undefined) continue;
      it(`is not taken where that is forbidden: ${why}`, async () => {
        real.put("one", { kind, code: `${init}\n${idle[kind]}` });
        for (let i = 0; i < 2; i++) {
          const done = await real.run("one");
          expect([result(done), hasInit(done)]).to.deep.equal([{}, true]);
        }
        expect(await real.metric(`rewhisk_action_checkpoints_total{result="${why}"}`)).to.equal(2);
        expect(await taken()).to.equal(0);
      });
    }
  });
}
