// Makes every generator of this process differ from what it was at the checkpoint.
"use strict";

// A rewound process would repeat its random numbers. OpenSSL's generators (randomBytes, randomUUID, webcrypto, TLS)
// take fresh entropy through RAND_add. Math.random's state is seeded by V8 at its first use in a context, which must
// not come before the checkpoint: then the flag --random-seed decides. The flag goes back to 0 at once, so that
// worker threads, which are new isolates, seed themselves from OpenSSL and do not repeat the main thread's numbers.
// Changing this flag does not invalidate V8's code caches; most others would.

const { setFlagsFromString } = require("node:v8");
const { loadAddon } = require("./addon.js");
const { createDrawsWatch } = require("./draws.js");

const { random } = Math;

/**
 * Gives `renew`, to be called at each init before any user code, and `rehearse`, which does nearly the same but leaves
 * Math.random unseeded: for the warm-up. `watch` begins an init that is to be come back to: Math.random is seeded by what
 * is drawn first; `watched` ends it, and says whether nothing was: then each run begins with `renew`. `reseed` mixes fresh kernel entropy into OpenSSL and returns a fresh integer in
 * 1 .. 2^31-1. Throws where it cannot be loaded: without it activations would share their secrets.
 */
function createRenewal() {
  const reseed = loadAddon("reseed", "the randomness of this process cannot be renewed");
  const renew = () => {
    setFlagsFromString(`--random-seed=${reseed()}`);
    random();
    setFlagsFromString("--random-seed=0");
  };
  const rehearse = () => {
    reseed();
    setFlagsFromString("--random-seed=0");
  };
  const draws = createDrawsWatch(renew);
  return {
    reseed: () => {
      draws.drawn();
      return reseed();
    },
    renew,
    rehearse,
    watch: () => {
      rehearse();
      draws.begin();
    },
    watched: () => draws.end(),
  };
}

module.exports = { createRenewal };
