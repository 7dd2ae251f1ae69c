// Seeds Math.random anew in every context that an action makes with node:vm.
"use strict";

// Each context has a Math.random of its own, which V8 seeds at its first use from a generator of the whole isolate. That
// generator lies in memory and cannot be reseeded, so that contexts made after a rewind would repeat the numbers of
// those made before. While the flag --random-seed is set it decides instead: it is set for the first use in each
// context, to a number of that context's own.

const Module = require("node:module");
const v8 = require("node:v8");
const vm = require("node:vm");

const { apply } = Reflect;
const { createContext, runInContext } = vm;
const { runInContext: runScriptInContext } = vm.Script.prototype;
const { setFlagsFromString } = v8;

/** Puts seeding versions in place of those functions of node:vm that make a context; `freshSeed` gives 1 .. 2^31-1. */
function seedNewContexts(freshSeed) {
  function createSeededContext(object = {}, options = {}) {
    const context = createContext(object, options);
    setFlagsFromString(`--random-seed=${freshSeed()}`);
    try {
      runInContext("Math.random()", context);
    } finally {
      setFlagsFromString("--random-seed=0");
    }
    return context;
  }

  vm.createContext = named("createContext", createSeededContext);
  vm.runInNewContext = named("runInNewContext", (code, object, options) =>
    runInContext(code, createSeededContext(object, contextOptions(options)), options),
  );
  vm.Script.prototype.runInNewContext = named("runInNewContext", function run(object, options) {
    return apply(runScriptInContext, this, [createSeededContext(object, contextOptions(options)), options]);
  });
  Module.syncBuiltinESMExports();
}

/** The options for the context among those for running a script in a new one. */
function contextOptions(options) {
  if (typeof options !== "object" || options === null) return {};
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = options;
  const chosen = {
    name: contextName,
    origin: contextOrigin,
    codeGeneration: contextCodeGeneration,
    microtaskMode,
  };
  for (const key of Object.keys(chosen)) if (chosen[key] === undefined) delete chosen[key];
  return chosen;
}

function named(name, value) {
  return Object.defineProperty(value, "name", { value: name });
}

module.exports = { seedNewContexts };
