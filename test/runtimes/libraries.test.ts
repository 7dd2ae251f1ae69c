// What the action proxies make of libraries that they are to import before any action is loaded.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { interpreterOf, Runtime } from "./runtime.ts";

type Language = "nodejs" | "python";

/** Modules of the tests' own, by their names, and what is answered where they are to be imported. */
const modules: {
  readonly [language in Language]: readonly (readonly [
    name: string,
    source: string,
    refused: string | undefined,
  ])[];
} = {
  nodejs: [
    [
      "quiet",
      "module.exports = { createHash: require('crypto').createHash, later: Promise.resolve(1) };",
      undefined,
    ],
    ["draws", "module.exports = Math.random();", "randomness"],
    ["asks", "module.exports = require('crypto').randomBytes(4);", "randomness"],
    ["resolves", "require('dns');", "randomness"],
    ["waits", "setInterval(() => {}, 1000);", "not-quiescent"],
    ["waits-unasked", "setTimeout(() => {}, 1e6).unref();", "not-quiescent"],
    ["listens", "require('net').createServer().listen(0);", "not-quiescent"],
    ["throws", "throw new Error('no');", "failed"],
    ["throws-nothing", "throw null;", "failed"],
    ["wants", "require('nothere');", "failed"],
    ["nothere", "", "missing"],
  ],
  python: [
    ["quiet", "import hashlib, random\nfrom os import urandom\nsystem = random.SystemRandom()\n", undefined],
    ["draws", "import random\nx = random.random()\n", "randomness"],
    ["asks", "import os\nx = os.urandom(4)\n", "randomness"],
    ["keeps", "import random\nown = random.Random(1)\n", "randomness"],
    [
      "has_numbers",
      "import ctypes\nclass Pair(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int)]\n",
      undefined,
    ],
    ["finds", "import ctypes\nx = ctypes.CDLL(None).rand()\n", "randomness"],
    ["finds_too", "import ctypes\nx = ctypes.pythonapi.PyOS_getsig\n", "randomness"],
    ["opens", "import _ctypes\nx = _ctypes.dlopen(None, 0)\n", "randomness"],
    ["calls", "import sqlite3\n", "randomness"],
    [
      "waits",
      "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n",
      "not-quiescent",
    ],
    ["throws", "raise ValueError('no')\n", "failed"],
    ["leaves", "import sys\nsys.exit(1)\n", "failed"],
    ["is_broken", "def\n", "failed"],
    ["wants", "import nothere\n", "missing"],
    ["nothere", "", "missing"],
  ],
};

const fileOf = {
  nodejs: (name: string) => `node_modules/${name}.js`,
  python: (name: string) => `${name}.py`,
};

/** Says whether a module was there before the action was loaded, and what is in it. */
const looking = {
  nodejs:
    "const names = Object.keys(require.cache).map((name) => name.replace(/.*node_modules./, ''));\nconst main = () => ({ there: names.includes('quiet.js'), same: require('quiet') === require('quiet'), digest: require('quiet').createHash('md5').update('x').digest('hex').length });",
  python:
    "import sys\nthere = 'quiet' in sys.modules\nimport quiet\ndef main(args):\n    return {'there': there, 'same': sys.modules['quiet'] is quiet, 'digest': len(quiet.hashlib.md5(b'x').hexdigest())}\n",
};

for (const language of ["nodejs", "python"] as const)
  describe(`${language}: libraries`, () => {
    let folder: string;
    let runtime: Runtime;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), "rewhisk-libraries-"));
      put(Object.fromEntries(modules[language].map(([name, source]) => [fileOf[language](name), source])));
      rmSync(join(folder, fileOf[language]("nothere")));
      const environment = { PYTHONPATH: folder };
      runtime = new Runtime(language, interpreterOf(language), [], { folder, environment });
      await runtime.receive();
    });
    afterEach(async () => {
      await runtime.close();
      rmSync(folder, { recursive: true });
    });

    function put(files: { readonly [path: string]: string }): void {
      for (const [path, source] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), source);
      }
    }

    it("are there before an action is loaded, which finds them as they are", async () => {
      const { status, body } = await runtime.libraries(["quiet"]);
      expect([status, (body as { tookMs: number }).tookMs > 0]).to.deep.equal([200, true]);
      expect((await runtime.init({ code: looking[language] })).status).to.equal(200);
      expect((await runtime.run()).body).to.deep.equal({ there: true, same: true, digest: 32 });
    });

    it("are not there where nobody has asked", async () => {
      await runtime.init({ code: looking[language] });
      expect((await runtime.run()).body).to.deep.include({ there: false });
    });

    for (const [name, , refused] of modules[language])
      it(`${refused === undefined ? "may be" : `are refused as '${refused}'`}: ${name}`, async () => {
        const { status, body } = await runtime.libraries(["quiet", name]);
        expect(status).to.equal(refused === undefined ? 200 : 409);
        expect((body as { refused?: string }).refused).to.equal(refused);
      });

    const numpy = {
      "numpy/__init__.py": "from . import random\n",
      "numpy/random/__init__.py": "from . import mtrand\nfrom .mtrand import rand\n",
      "numpy/random/mtrand.py": `
import secrets
class _rand:
    seeds, drawn = [], 0
    def seed(): _rand.seeds.append(secrets.randbits(64))
    def get_state(): return "fake", memoryview(b"keys"), _rand.drawn
def rand():
    _rand.drawn += 1
    return _rand.seeds[-1]
_rand.seed()
`,
      "reads_numpy.py": "from numpy.random import rand\n",
      "draws_by_numpy.py": "import numpy.random\nx = numpy.random.rand()\n",
      "seeds_anew.py": "import numpy.random\nnumpy.random.mtrand._rand.drawn -= 1\n",
    };

    if (language === "python")
      it("may have a generator that can be renewed, which nobody has drawn from", async () => {
        put(numpy);
        expect((await runtime.libraries(["reads_numpy", "numpy.random"])).status).to.equal(200);
      });

    if (language === "python")
      for (const name of ["draws_by_numpy", "seeds_anew"])
        it(`are refused as 'randomness': ${name}`, async () => {
          put(numpy);
          const { status, body } = await runtime.libraries([name]);
          expect([status, (body as { refused?: string }).refused]).to.deep.equal([409, "randomness"]);
        });

    if (language === "python")
      it("whose generator can be renewed have other numbers in each activation", async () => {
        put(numpy);
        expect((await runtime.libraries(["numpy"])).status).to.equal(200);
        const code =
          "import numpy\ndef main(args):\n    return {'seeds': len(set(numpy.random.mtrand._rand.seeds))}\n";
        await runtime.init({ code });
        expect((await runtime.run()).body).to.deep.equal({ seeds: 2 });
      });
  });
