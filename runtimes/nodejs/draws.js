// Tells whether an init draws random numbers, or makes a generator whose state the proxy cannot renew.
"use strict";

// An action's own checkpoint is taken after its init. What comes back with it and would repeat itself in every activation: the
// state of Math.random in each context and each worker, the numbers that randomUUID and randomInt keep in advance, the
// pools that packages fill by node:crypto, the resolver's query ids, whatever a native addon keeps. So an init that comes near any
// of these is told of, and its action has no such checkpoint. Until it does, Math.random is not seeded: that is for the run.

const crypto = require("node:crypto");
const workers = require("node:worker_threads");

const { apply, construct } = Reflect;
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { moduleLoadList } = process;

const OF_CRYPTO = [
  ...["randomBytes", "rng", "prng", "pseudoRandomBytes", "randomFill", "randomFillSync", "randomInt"],
  ...["randomUUID", "generateKey", "generateKeyPair", "generateKeyPairSync", "generateKeySync"],
];
const OF_WEBCRYPTO = ["getRandomValues", "randomUUID"];
/** Loaded by the first use. */
const WITH_GENERATORS = ["NativeModule dns", "NativeModule sqlite"];

/** Gives `begin`, and `end`, which says whether nothing was drawn in between. `onFirst` is called before the first draw. */
function createDrawsWatch(onFirst) {
  // Some become functions by being looked at.
  for (const name of OF_CRYPTO) void crypto[name];
  const all = [
    [Math, "random"],
    [process, "dlopen"],
    [workers, "Worker"],
    ...OF_CRYPTO.map((name) => [crypto, name]),
    ...OF_WEBCRYPTO.map((name) => [getPrototypeOf(crypto.webcrypto), name]),
  ];
  const places = all.filter(
    ([object, name]) => typeof getOwnPropertyDescriptor(object, name)?.value === "function",
  );
  const originals = places.map(([object, name]) => getOwnPropertyDescriptor(object, name));
  let isWatching = false;
  let isDrawn = false;

  function drawn() {
    if (!isWatching || isDrawn) return;
    isDrawn = true;
    onFirst();
  }

  /** What user code has kept of these goes on to work, and tells nothing any more. */
  function watched(original) {
    return new Proxy(original, {
      apply: (target, self, words) => {
        drawn();
        return apply(target, self, words);
      },
      construct: (target, words, newTarget) => {
        drawn();
        return construct(target, words, newTarget);
      },
    });
  }

  return {
    drawn,
    begin: () => {
      isWatching = true;
      isDrawn = false;
      for (let i = 0; i < places.length; i++) {
        const [object, name] = places[i];
        defineProperty(object, name, { ...originals[i], value: watched(originals[i].value) });
      }
    },
    end: () => {
      isWatching = false;
      for (let i = 0; i < places.length; i++) {
        const [object, name] = places[i];
        defineProperty(object, name, originals[i]);
      }
      return !isDrawn && !WITH_GENERATORS.some((name) => moduleLoadList.includes(name));
    },
  };
}

module.exports = { createDrawsWatch };
