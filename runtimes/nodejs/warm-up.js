// Runs neutral actions through the whole proxy before READY, so that an action meets hot code; leaves no trace of it.
"use strict";

// The checkpoint is taken after this: compiled code, inline caches and loaded modules are part of it, and a rewind
// brings them back each time. Nothing here may use Math.random, randomUUID or anything else that fills a cache with
// random numbers, since those would be the same after every rewind.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");
const { Action } = require("./action.js");
const { Channel, FRAME } = require("./channel.js");
const { createPlace } = require("./load.js");
const { Server } = require("./server.js");
const { tarGzOf, zipOf } = require("./warm-up-archives.js");

/**
 * Built-in modules that actions often need; loading one later costs up to 20 ms. Not dns (1 ms): the resolver that it makes for all to
 * share draws the numbers of many questions in advance.
 */
const PRELOADED = [
  "assert",
  "async_hooks",
  "buffer",
  "child_process",
  "crypto",
  "events",
  "fs/promises",
  "http",
  "https",
  "net",
  "os",
  "perf_hooks",
  "querystring",
  "readline",
  "stream/promises",
  "string_decoder",
  "timers/promises",
  "tls",
  "url",
  "util",
  "worker_threads",
  "zlib",
]; // prettier-ignore

const ROUNDS = 120;
const ARCHIVE_ROUNDS = 12;
const NONCE_BYTES = 16;

/** Runs the warm-up in a folder of its own below `home`, which is gone again afterwards. */
async function warmUp(home, randomness) {
  for (const name of PRELOADED) require(`node:${name}`);
  const traces = rememberTraces();
  const folder = path.join(home, ".warm-up");
  fs.mkdirSync(folder);
  const silence = silenced(process.stdout);
  const silenceErrors = silenced(process.stderr);
  // Node warns once of what it calls experimental: the proxy's use of it is no concern of the action's log.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    await warmUpIn(folder, randomness);
  } finally {
    silence.end();
    silenceErrors.end();
    process.emitWarning = emitWarning;
    traces.remove(folder);
    fs.rmSync(folder, { recursive: true });
  }
}

/** All frames come out of one file, and the answers go nowhere; each INIT meets an action of its own. */
async function warmUpIn(folder, { rehearse }) {
  const frames = path.join(folder, "frames");
  fs.writeFileSync(frames, Buffer.concat(examples().flatMap(framesOf)));
  const input = fs.openSync(frames, "r");
  const sink = fs.openSync("/dev/null", "w");
  let actions = 0;
  const renewAll = () => {
    rehearse();
    process.chdir(folder);
    server.action = new Action(createPlace(folder, `code-${actions}`), console.error);
    actions += 1;
  };
  let closed;
  const end = new Promise((resolve) => {
    closed = resolve;
  });
  const channel = new Channel(input, sink);
  const watch = () => () => {};
  const randomness = { renew: renewAll };
  const server = new Server({ channel, action: undefined, randomness, watch, closed });
  server.next();
  await end;
  fs.closeSync(input);
  fs.closeSync(sink);
}

function framesOf(example, index) {
  return [initFrame(example), runFrame(index), runFrame(index)];
}

/** Neutral actions of every sort; the sources differ, else V8 would compile none but the first. */
function examples() {
  const list = [];
  for (let i = 0; i < ROUNDS; i++)
    list.push({ main: "main", binary: false, code: SOURCES[i % SOURCES.length](i) });
  const packages = [
    {
      "package.json": '{"main":"lib/start.js"}',
      "lib/start.js": 'exports.main = () => require("./text.js");',
      "lib/text.js": 'module.exports = { text: "unpacked" };',
    },
    { "index.js": "module.exports.main = async (parameters) => [parameters];", "package.json": "{}" },
  ]; // prettier-ignore
  for (let i = 0; i < ARCHIVE_ROUNDS; i++) {
    const pack = i % 3 === 2 ? tarGzOf : zipOf;
    list.push({ main: "main", binary: true, code: pack(packages[i % packages.length]) });
  }
  return list;
}

const SOURCES = [
  (i) =>
    `exports.main = async () => {\n  const { join } = await import("node:path");\n  return { path: join("a", "${i}") };\n};`,
  (i) => `function main(parameters) {\n  return { greeting: "hello " + parameters.name, count: ${i} };\n}`,
  (i) =>
    `const main = async ({ name }) => {\n  console.log("for", name, ${i});\n  return { name, list: [1, 2, ${i}] };\n};`,
  (i) =>
    `exports.main = (parameters) => Promise.resolve({ ...parameters, path: require("path").join("a", "${i}") });`,
  (i) =>
    `function main() {\n  return new Promise((resolve) => setImmediate(() => resolve({ late: ${i} })));\n}`,
  (i) =>
    `function main() {\n  console.error("warning", ${i});\n  return { at: new Date(${i}).toISOString(), text: "é".repeat(20) };\n}`,
  (i) =>
    `let count = ${i};\nfunction main(parameters) {\n  count += 1;\n  return { count, keys: Object.keys(process.env).length };\n}`,
  (i) => `async function main() {\n  throw new Error("expected ${i}");\n}`,
  (i) => `function main() {\n  throw new TypeError("expected ${i}");\n}`,
  (i) =>
    `const { createHash } = require("crypto");\nexports.main = ({ name }) => ({ digest: createHash("sha256").update(name + ${i}).digest("hex") });`,
  (i) => `function main( { return ${i}; }`,
  (i) => `function main() {\n  return "text ${i}";\n}`,
  (i) => `function main() {\n  return new Promise((resolve) => setTimeout(resolve, 0, { timer: ${i} }));\n}`,
];

function initFrame({ code, ...header }) {
  const text = Buffer.from(
    JSON.stringify({ name: "warm-up", ...header, env: { __OW_ACTION_NAME: "/_/warm-up" } }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return frame(FRAME.init, Buffer.concat([length, text, Buffer.from(code)]));
}

function runFrame(index) {
  const value = { name: `number ${index}`, list: [index, true, null, 1.5], nested: { text: "grüße" } };
  return frame(FRAME.run, Buffer.from(JSON.stringify({ value, action_name: "/_/warm-up", deadline: "0" })));
}

function frame(type, payload) {
  const head = Buffer.alloc(4 + NONCE_BYTES + 1);
  head.writeUInt32LE(NONCE_BYTES + 1 + payload.length);
  head[head.length - 1] = type;
  return Buffer.concat([head, payload]);
}

/** Writes go all the way down to the descriptor, but carry no bytes. */
function silenced(stream) {
  const { write } = stream;
  stream.write = () => write.call(stream, "");
  return {
    end: () => {
      delete stream.write;
    },
  };
}

/** What actions of the warm-up change in this process, and how it is put back. */
function rememberTraces() {
  const folder = process.cwd();
  const variables = new Set(Object.keys(process.env));
  return {
    remove: (warmUpFolder) => {
      process.chdir(folder);
      for (const name of Object.keys(process.env)) if (!variables.has(name)) delete process.env[name];
      for (const cache of [Module._cache, Module._pathCache]) {
        for (const key of Object.keys(cache)) if (key.includes(warmUpFolder)) delete cache[key];
      }
    },
  };
}

/**
 * Gives actions the global gc() that they have in OpenWhisk. The flag itself is set for a moment only: while it is
 * set, V8 takes its code caches for those of another V8, and loading a built-in module costs twice as much.
 */
function exposeGarbageCollector() {
  v8.setFlagsFromString("--expose-gc");
  const value = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  Object.defineProperty(globalThis, "gc", { value, writable: true, enumerable: false, configurable: true });
}

module.exports = { exposeGarbageCollector, warmUp };
