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
  ],
  ruby: [
    "Random.urandom(1)",
    "require 'securerandom'\nSecureRandom.hex",
    "OpenSSL::Random.random_bytes(1)",
    "srand(42)",
    "OWN = Random.new(42)",
    "require 'fiddle'",
  ],
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

    for (const code of drawing[family])
      it(`may not be after ${code.split("\n").at(-1)}`, async () => {
        expect(await levelOf(`${code}\n${quiet[family]}`)).to.equal(undefined);
      });
  });
