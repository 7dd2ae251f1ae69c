// Activations in real containers: answers, texts, logs, bad days, and nothing of one in the next.

import { expect } from "chai";
import type { Json } from "../../invoker/index.ts";
import { type Done, RealInvoker } from "./real-invoker.ts";

const nodejs = "nodejs:20";
const python = "python:3";

const texts = (done: Done): string[] => done.logs.map((line) => line.slice(31));
function response(done: Done): [number, Json | undefined] {
  return [done.record.response.statusCode, done.record.response.result];
}
const developerError = (error: Json): [number, Json] => [2, { error }];
const runGone = "The action did not produce a valid response and exited unexpectedly.";
const initGone = "The action did not initialize and exited unexpectedly.";
const extraLine = "stderr: The action did not initialize or run as expected. Log data might be missing.";

/** For what loops while it is loaded; and once it is, which it has to be by then on a busy machine too. */
const loadLimitMs = 1000;
const loopLimitMs = 4000;

/** The same behaviour in both languages. */
interface Pair {
  readonly nodejs: string;
  readonly python: string;
}

const hello: Pair = {
  nodejs: "function main(args) { console.log('out'); console.error('err'); return { hello: args.name }; }",
  python:
    "import sys\ndef main(args):\n  print('out')\n  print('err', file=sys.stderr)\n  return {'hello': args['name']}\n",
};

/** Leaves something in every place, and says what it has found there. */
const dirty: Pair = {
  nodejs: `
    const fs = require('fs'), { spawn } = require('child_process');
    function main() {
      const seen = [globalThis.secret, process.env.SECRET, fs.readdirSync('/tmp').join(), process.cwd(), process.umask()];
      globalThis.secret = 1; process.env.SECRET = 's'; fs.writeFileSync('/tmp/secret', 's');
      process.chdir('/tmp'); process.umask(0o77); setInterval(() => {}, 1);
      spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
      return { seen };
    }`,
  python: `
import os, subprocess, threading, time, builtins
def main(args):
    seen = [getattr(builtins, 'secret', None), os.environ.get('SECRET'), ','.join(os.listdir('/tmp')), os.getcwd(), None]
    builtins.secret = 1; os.environ['SECRET'] = 's'; open('/tmp/secret', 'w').write('s')
    os.chdir('/tmp'); os.umask(0o77)
    threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
    subprocess.Popen(['/bin/sleep', '1000'], start_new_session=True)
    return {'seen': seen}
`,
};

const badDays: readonly (readonly [string, Pair, [number, Json], boolean])[] = [
  [
    "exits while it runs",
    { nodejs: "function main() { process.exit(3); }", python: "import os\ndef main(args):\n  os._exit(3)\n" },
    developerError(runGone),
    true,
  ],
  [
    "exits while it is loaded",
    { nodejs: "process.exit(3);", python: "import os\nos._exit(3)\n" },
    developerError(initGone),
    true,
  ],
  [
    "kills itself",
    {
      nodejs: "function main() { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }",
      python: "import os\ndef main(args):\n  os.kill(os.getpid(), 9)\n",
    },
    developerError(runGone),
    true,
  ],
  [
    "loops for ever",
    { nodejs: "function main() { for (;;); }", python: "def main(args):\n  while True: pass\n" },
    developerError(`The action exceeded its time limits of ${loopLimitMs} milliseconds.`),
    false,
  ],
  [
    "loops for ever while it is loaded",
    { nodejs: "for (;;);", python: "while True: pass\n" },
    developerError(
      `The action exceeded its time limits of ${loadLimitMs} milliseconds during initialization.`,
    ),
    false,
  ],
  [
    "eats memory",
    {
      nodejs: "function main() { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)); }",
      python: "def main(args):\n  all = []\n  while True: all.append(bytearray(b'x') * (1 << 20))\n",
    },
    developerError("The action exhausted its memory and was aborted."),
    true,
  ],
  [
    "writes garbage to the channel",
    {
      nodejs: "function main() { require('fs').writeSync(3, 'x'.repeat(100)); return { a: 1 }; }",
      python: "import os\ndef main(args):\n  os.write(3, b'x' * 100)\n  return {'a': 1}\n",
    },
    developerError(runGone),
    true,
  ],
];

for (const [family, kind] of [
  ["nodejs", nodejs],
  ["python", python],
] as const) {
  describe(`an activation in a real ${kind} container`, () => {
    let real: RealInvoker;
    before(async () => {
      real = await RealInvoker.start({ stemCells: [{ kind, count: 1, memoryMB: 256 }] });
    });
    after(() => real.stop());

    it("answers, has its logs, and costs no container", async () => {
      real.put("hello", { kind, code: hello[family] });
      for (const name of ["one", "two", "three"]) {
        const done = await real.run("hello", { name });
        expect(response(done)).to.deep.equal([0, { hello: name }]);
        expect(texts(done)).to.have.members(["stdout: out", "stderr: err"]);
        expect(done.record.annotations.map(({ key }) => key)).to.include("initTime");
      }
      expect(real.taints()).to.deep.equal([]);
      expect(await real.metric('rewhisk_container_starts_total{result="ready"}')).to.equal(1);
      expect(await real.metric('rewhisk_starts_total{start="rewound"}')).to.equal(2);
    });

    it("sees nothing of the one before: variables, files, environment, children", async () => {
      real.put("dirty", { kind, code: dirty[family] });
      const first = await real.run("dirty");
      expect(first.record.response.statusCode).to.equal(0);
      for (let i = 0; i < 5; i++) expect(response(await real.run("dirty"))).to.deep.equal(response(first));
      expect(real.taints()).to.deep.equal([]);
    });

    it("tells an error of its code, thrown or returned, and what is no result", async () => {
      const returned: Pair = {
        nodejs: "function main() { return { error: { code: 4 }, more: 1 }; }",
        python: "def main(args):\n  return {'error': {'code': 4}, 'more': 1}\n",
      };
      real.put("returned", { kind, code: returned[family] });
      expect(response(await real.run("returned"))).to.deep.equal([1, { error: { code: 4 } }]);
      real.put("broken", { kind, code: family === "nodejs" ? "function main( {" : "def main(:\n" });
      const broken = await real.run("broken");
      expect(broken.record.response.statusCode).to.equal(2);
      expect(texts(broken).at(-1)).to.equal(extraLine);
      const scalar =
        family === "nodejs" ? "function main() { return 42; }" : "def main(args):\n  return 42\n";
      real.put("scalar", { kind, code: scalar });
      expect((await real.run("scalar")).record.response.statusCode).to.equal(2);
      expect(real.taints()).to.deep.equal([]);
    });

    it("gets a result above the limit cut, with its length", async () => {
      const long: Pair = {
        nodejs: "function main() { return { x: 'y'.repeat(2000000) }; }",
        python: "def main(args):\n  return {'x': 'y' * 2000000}\n",
      };
      real.put("long", { kind, code: long[family] });
      const done = await real.run("long");
      expect(done.record.response.statusCode).to.equal(1);
      expect(JSON.stringify(done.record.response.result).slice(0, 200)).to.match(
        /exceeded the allowed length: 20000\d\d > 1048576 bytes\. The truncated response was: \{/,
      );
      expect(real.taints()).to.deep.equal([]);
    });

    it("may flood its log: it is told where it was cut", async () => {
      const flood: Pair = {
        nodejs: "function main() { for (let i = 0; i < 40000; i++) console.log('x'.repeat(99)); return {}; }",
        python: "def main(args):\n  for i in range(40000): print('x' * 99)\n  return {}\n",
      };
      real.put("flood", { kind, code: flood[family], logsMB: 1 });
      const lines = texts(await real.run("flood"));
      expect(lines.length).to.equal(Math.floor((1024 * 1024) / (99 + 71)) + 1);
      expect(lines.at(-1)).to.equal(
        "stderr: Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes.",
      );
    });

    for (const [what, code, expected, costsContainer] of badDays) {
      it(`that ${what} is told so, and the next one is fine`, async () => {
        const taintsBefore = real.taints().length;
        const isTimeout = what.startsWith("loops");
        const timeoutMs = what.endsWith("loaded") ? loadLimitMs : loopLimitMs;
        real.put("bad", { kind, code: code[family], ...(isTimeout && { timeoutMs }) });
        const done = await real.run("bad");
        expect(response(done)).to.deep.equal(expected);
        expect(texts(done).at(-1)).to.equal(extraLine);
        expect(done.record.annotations).to.deep.include({ key: "timeout", value: isTimeout });
        real.put("hello", { kind, code: hello[family] });
        expect(response(await real.run("hello", { name: "after" }))).to.deep.equal([0, { hello: "after" }]);
        expect(real.taints().length - taintsBefore, real.taints().join()).to.equal(costsContainer ? 1 : 0);
      });
    }

    it("never repeats a random number of the one before", async () => {
      const random: Pair = {
        nodejs: "function main() { return { n: [Math.random(), require('crypto').randomUUID()] }; }",
        python:
          "import random, uuid\ndef main(args):\n  return {'n': [random.random(), str(uuid.uuid4())]}\n",
      };
      real.put("random", { kind, code: random[family] });
      const results = new Set<string>();
      for (let i = 0; i < 10; i++) {
        const [first, second] = (response(await real.run("random"))[1] as { n: [number, string] }).n;
        results.add(String(first)).add(second);
      }
      expect(results.size).to.equal(20);
    });

    it("keeps one container clean over hundreds of others", async () => {
      real.put("hello", { kind, code: hello[family] });
      real.put("dirty", { kind, code: dirty[family] });
      const startsBefore = await real.metric('rewhisk_container_starts_total{result="ready"}');
      const taintsBefore = real.taints().length;
      for (let i = 0; i < 300; i++) {
        const done = await real.run(i % 2 === 0 ? "hello" : "dirty", { name: `n${i}` });
        expect(done.record.response.statusCode, JSON.stringify(done.record.response)).to.equal(0);
      }
      expect(real.taints().slice(taintsBefore)).to.deep.equal([]);
      expect(await real.metric('rewhisk_container_starts_total{result="ready"}')).to.equal(startsBefore);
    });
  });
}

describe("several activations at once", () => {
  it("of both kinds share the memory, and each gets its own answer", async () => {
    const kinds = [nodejs, python];
    const real = await RealInvoker.start({
      userMemoryMB: 1024,
      stemCells: kinds.map((kind) => ({ kind, count: 1, memoryMB: 256 })),
    });
    try {
      real.put("node", { kind: nodejs, code: hello.nodejs });
      real.put("python", { kind: python, code: hello.python });
      const all = Array.from({ length: 60 }, (_, i) =>
        real.run(i % 2 === 0 ? "node" : "python", { name: `n${i}` }),
      );
      const done = await Promise.all(all);
      expect(done.map((one) => response(one)[1])).to.deep.equal(done.map((_, i) => ({ hello: `n${i}` })));
      expect(real.taints()).to.deep.equal([]);
      expect(real.invoker.status().pool.reservedMB).to.be.at.most(1024);
    } finally {
      await real.stop();
    }
  });
});

describe("with live state kept for the same owner", () => {
  it("an action counts on until its container changes hands", async () => {
    const real = await RealInvoker.start({
      rewind: "on-change",
      userMemoryMB: 256,
      stemCells: [{ kind: nodejs, count: 1, memoryMB: 256 }],
    });
    try {
      const counter = "let n = 0; function main() { return { n: ++n }; }";
      real.put("one", { kind: nodejs, code: counter });
      real.put("two", { kind: nodejs, code: counter });
      const counted: (Json | undefined)[] = [];
      const loaded: boolean[] = [];
      for (const name of ["one", "one", "two", "two", "one"]) {
        const done = await real.run(name);
        counted.push(response(done)[1]);
        loaded.push(!done.record.annotations.some(({ key }) => key === "initTime"));
      }
      expect(counted).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 1 }, { n: 2 }, { n: 1 }]);
      expect(loaded).to.deep.equal([false, true, false, true, false]);
      expect(real.taints()).to.deep.equal([]);
      expect(await real.metric('rewhisk_container_starts_total{result="ready"}')).to.equal(1);
    } finally {
      await real.stop();
    }
  });
});
