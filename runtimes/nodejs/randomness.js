// Makes every generator of this process differ from what it was at the checkpoint.
"use strict";

// A rewound process would repeat its random numbers. OpenSSL's generators (randomBytes, randomUUID, webcrypto, TLS)
// take fresh entropy through RAND_add. Math.random's state is seeded by V8 at its first use in a context, which must
// not come before the checkpoint: then the flag --random-seed decides. The flag goes back to 0 at once, so that
// worker threads, which are new isolates, seed themselves from OpenSSL and do not repeat the main thread's numbers.
// Changing this flag does not invalidate V8's code caches; most others would.

const { setFlagsFromString } = require("node:v8");
const { loadAddon } = require("./addon.js");

const { random } = Math;

/**
 * Gives `renew`, to be called at each init before any user code, and `rehearse`, which does nearly the same but leaves
 * Math.random unseeded: for the warm-up. `reseed` mixes fresh kernel entropy into OpenSSL and returns a fresh integer in
 * 1 .. 2^31-1. Throws where it cannot be loaded: without it activations would share their secrets.
 */
function createRenewal() {
  const reseed = loadAddon("reseed", "the randomness of this process cannot be renewed");
  return {
    reseed,
    renew: () => {
      setFlagsFromString(`--random-seed=${reseed()}`);
      random();
      setFlagsFromString("--random-seed=0");
    },
    rehearse: () => {
      reseed();
      setFlagsFromString("--random-seed=0");
    },
  };
}

module.exports = { createRenewal };
