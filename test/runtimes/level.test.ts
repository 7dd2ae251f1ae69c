// What the action proxies say of an init that is to be come back to: whether it has drawn random numbers.

import { expect } from "chai";
import type { Family } from "../../pool/index.ts";
import { testedFamilies } from "../again.ts";
import { endSpares, withRuntime } from "./runtime.ts";

/** Draws at init, or makes a generator there. */
const drawing: { readonly [family in Family]: readonly string[] } = {
  nodejs: [
    "Math.random();",
    "require('crypto').randomBytes(1);",
    "require('crypto').pseudoRandomBytes(1);",
    "require('crypto').randomFillSync(Buffer.alloc(1));",
    "require('crypto').randomInt(9);",
    "require('crypto').getRandomValues(new Uint8Array(1));",
    "globalThis.crypto.getRandomValues(new Uint8Array(1));",
    "globalThis.crypto.randomUUID();",
    "require('vm').createContext({});",
    "new (require('worker_threads').Worker)('', { eval: true });",
    "require('dns');",
    "process.binding('cares_wrap');",
    "(async () => { for (let i = 0; i < 50; i++) await null; Math.random(); })();",
    "(async () => { for (let i = 0; i < 50; i++) await null; require('crypto').randomBytes(1); })();",
    "process.nextTick(() => process.nextTick(() => require('crypto').randomUUID()));",
    "require('crypto').randomBytes(1, () => {});",
    "URL.createObjectURL(new Blob(['x']));",
    "require('crypto').createECDH('prime256v1').generateKeys();",
    "require('crypto').getDiffieHellman('modp14').generateKeys();",
    "require('crypto').generatePrimeSync(64);",
    "crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);",
    "require('tls').createServer();",
    "require('fs').readFile('/dev/null', () => {});",
  ],
  python: [
    "import os\nos.urandom(1)",
    "import uuid\nuuid.uuid4()",
    "import secrets\nsecrets.token_hex()",
    "import ssl\nssl.RAND_bytes(1)",
    "import random\nrandom.random()",
    "import random\nrandom.seed(42)",
    "import random\nown = random.Random(42)",
    "import ctypes",
    "import ctypes, sys\ndel sys.modules['_ctypes']",
    "import posix\nposix.urandom(1)",
    "import _ssl\n_ssl.RAND_bytes(1)",
    "import ssl\nssl.create_default_context()",
    "import _ssl\nown = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)",
    "import _ssl, ssl\nown = _ssl._SSLContext.__new__(ssl.SSLContext, ssl.PROTOCOL_TLS_CLIENT)",
    "import uuid\nuuid.uuid1()",
    "import random\nstate = random.getstate(); random.random(); random.setstate(state)",
    "import gc, random\nown = random.Random(42); gc.freeze()",
    "import _random\nown = _random.Random()",
    "import _random\n_random.Random().random()",
    "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
    "import random, sys\nclass Late:\n    def flush(self): random.random()\n    def write(self, text): pass\nsys.stderr = Late()",
  ],
  ruby: [
    "Random.urandom(1)",
    "require 'securerandom'\nSecureRandom.hex",
    "OpenSSL::Random.random_bytes(1)",
    "srand(42)",
    "OWN = Random.new(42)",
    "require 'fiddle'",
    "rand(1 << 64)",
    "(0...10).to_a.shuffle",
    "seed = Random.seed; rand; srand(seed)",
    "Random.new_seed",
    "Random.method(:urandom).unbind.bind_call(Random, 1)",
    "OpenSSL::BN.rand(64)",
    "OpenSSL::PKey::EC.generate('prime256v1')",
    "OpenSSL::Cipher.new('aes-256-cbc').random_key",
    "OpenSSL::SSL::SSLContext.new",
    "OpenSSL::SSL::SSLContext.allocate.then { |own| OWN = own }",
    "Ractor.new { rand }.take",
    "syscall(318, 'x' * 8, 8, 0)",
    "Thread.new { sleep }",
    "class Late\n  def flush = rand\n  def write(*) = 0\nend\n$stdout = Late.new",
  ],
};

/** Work that is often done at init, and draws nothing. */
const harmless: { readonly [family in Family]: string } = {
  nodejs: `const { createHash, createHmac, timingSafeEqual } = require("crypto");
createHmac("sha256", createHash("sha1").update("x").digest()).update("y").digest();
timingSafeEqual(Buffer.from("x"), Buffer.from("x"));
require("zlib").gzipSync("x"); require("stream/promises"); require("util/types"); require("http2"); new (require("https").Agent)();
const { random } = Math;
setTimeout(() => Math.random(), 1e6).unref();`,
  python: `import decimal, hashlib, hmac, logging, lzma, mmap, random, threading, urllib.request, uuid, zoneinfo
from os import urandom
hmac.new(b"x", hashlib.sha256(b"y").digest(), "sha1").hexdigest()
system = random.SystemRandom()
uuid.uuid5(uuid.NAMESPACE_URL, "x")
class Own: draw = urandom`,
  ruby: `require 'bigdecimal'; require 'digest'; require 'fiber'; require 'ripper'; require 'securerandom'; require 'set'
OpenSSL::HMAC.hexdigest('SHA256', Digest::SHA1.hexdigest('x'), OpenSSL::Digest::SHA256.hexdigest('y'))
OpenSSL::X509::Store.new.set_default_paths
JSON.parse('[1]').sum + Integer.sqrt(9)`,
};

/** What an init may do to what is watched, or see of it: the function that tells what has come of it, and what it tells. */
const untouched: { readonly [family in Family]: readonly (readonly [string, unknown])[] } = {
  nodejs: [
    ["Math.random = () => 4; const seen = () => [Math.random()];", [4]],
    ["delete Math.random; const seen = () => [typeof Math.random];", ["undefined"]],
    ["Object.prototype.get = () => 4; const seen = () => { delete Object.prototype.get; return []; };", []],
    ["Object.freeze(Math); const seen = () => [typeof Math.random()];", ["number"]],
    [
      "const { name, length } = Math.random; const all = Reflect.ownKeys(Math).length; const seen = () => [name, length, all === Reflect.ownKeys(Math).length];",
      ["random", 0, true],
    ],
    [
      "const own = Math.random; const seen = () => [own() === own(), Math.random === Math.random];",
      [false, true],
    ],
    [
      "const { createECDH } = require('crypto'); const seen = () => [createECDH.name, createECDH === require('crypto').createECDH];",
      ["createECDH", true],
    ],
  ],
  python: [
    ["import os\nos.urandom = lambda n: b'mine'\ndef seen(): return [os.urandom(1).decode()]", ["mine"]],
    [
      "import os, posix\nsame = os.urandom is posix.urandom\ndef seen(): return [same, os.urandom is posix.urandom]",
      [true, true],
    ],
    [
      "import os\nclass Own: draw = os.urandom\nlength = len(Own().draw(3))\ndef seen(): return [length, len(Own().draw(4))]",
      [3, 4],
    ],
    [
      "from os import urandom\nname, same = urandom.__name__, urandom\ndef seen():\n    import os\n    return [name, same == os.urandom, type(os.urandom).__name__]",
      ["urandom", true, "builtin_function_or_method"],
    ],
    [
      "import random, _random\ndef seen(): return [random.Random(1).random() == random.Random(1).random(), type(_random.Random.seed).__name__, type(_random.Random.__init__).__name__, random.Random(7).getrandbits(8)]",
      [true, "method_descriptor", "wrapper_descriptor", 82],
    ],
    [
      "import ssl\nclass Own(ssl.SSLContext): pass\ndef seen(): return [type(Own(ssl.PROTOCOL_TLS_CLIENT)).__name__, type(vars(ssl.SSLContext)['__new__']).__name__]",
      ["Own", "staticmethod"],
    ],
    [
      "import random\nrandom.seed(42)\nfirst = random.random()\ndef seen(): return [first]",
      [0.6394267984578837],
    ],
  ],
  ruby: [
    ["def Random.urandom(size) = 'mine'\ndef seen = [Random.urandom(1)]", ["mine"]],
    ["ARITY = Random.method(:urandom).arity\ndef seen = [ARITY, Random.method(:urandom).arity]", [1, 1]],
    [
      "HAS = OpenSSL::Random.respond_to?(:urandom)\ndef seen = [HAS, OpenSSL::Random.respond_to?(:urandom)]",
      [false, false],
    ],
    [
      "def first(one) = one.singleton_class.ancestors.first == one.singleton_class\nALL = [first(Random), first(OpenSSL::Random)]\ndef seen = ALL + [first(Random)]",
      [true, true, true],
    ],
    ["srand(42)\nFIRST = rand(100)\ndef seen = [FIRST]", [51]],
  ],
};

const asMain: { readonly [family in Family]: string } = {
  nodejs: "function main() { return { drawn: seen() }; }",
  python: "def main(args): return {'drawn': seen()}",
  ruby: "def main(args) = { drawn: seen }",
};

const quiet: { readonly [family in Family]: string } = {
  nodejs:
    "const { randomUUID } = require('crypto');\nfunction main() { return { drawn: [randomUUID(), Math.random()] }; }",
  python: "import random, secrets\ndef main(args): return {'drawn': [secrets.token_hex(), random.random()]}",
  ruby: "require 'securerandom'\ndef main(args) = { drawn: [SecureRandom.hex, rand] }",
};

after(endSpares);

for (const family of testedFamilies)
  describe(`${family}: an init that is to be come back to`, () => {
    const levelOf = (code: string, level = true): Promise<unknown> =>
      withRuntime(family, async (runtime) => {
        const { status, body } = await runtime.init({ code, level });
        expect(status).to.equal(200);
        const { drawn } = (await runtime.run()).body as { drawn: unknown[] };
        const { drawn: again } = (await runtime.run()).body as { drawn: unknown[] };
        expect(new Set([...drawn, ...again]).size).to.equal(4);
        return (body as { level?: unknown }).level;
      });

    it("may be, where it only gets hold of what draws", async () => {
      expect(await levelOf(quiet[family])).to.equal(true);
    });

    it("is not told of where nobody has asked", async () => {
      expect(await levelOf(quiet[family], false)).to.equal(undefined);
    });

    it("may be, after work that draws nothing", async () => {
      expect(await levelOf(`${harmless[family]}\n${quiet[family]}`)).to.equal(true);
    });

    for (const [code, told] of untouched[family])
      for (const level of [true, false])
        it(`${level ? "does not change" : "would do as well"}: ${code.split("\n")[0]}`, () =>
          withRuntime(family, async (runtime) => {
            expect((await runtime.init({ code: `${code}\n${asMain[family]}`, level })).status).to.equal(200);
            expect((await runtime.run()).body).to.deep.equal({ drawn: told });
          }));

    for (const code of drawing[family])
      it(`may not be after ${code.split("\n").at(-1)}`, async () => {
        expect(await levelOf(`${code}\n${quiet[family]}`)).to.equal(undefined);
      });
  });
