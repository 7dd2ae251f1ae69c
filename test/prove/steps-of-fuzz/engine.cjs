// Steps about V8: its heap, its code, its contexts, its built-in objects.

// step: objects of all sizes kept
function heapGrown(n, m) {
  globalThis.kept = Array.from({ length: 10 + n * 4 }, (_, i) => ({
    i,
    text: "x".repeat((i * m) % 100),
    list: new Array(i % 50),
  }));
}

// step: objects made and forgotten, young and old
function heapChurned(n, m) {
  let last = [];
  for (let i = 0; i < 2000 + n * 20; i++) last = i % (50 + m) ? [last, i] : [];
}

// step slow: the garbage collected
function garbageCollected(n) {
  require("v8").setFlagsFromString("--expose-gc");
  const gc = require("vm").runInNewContext("gc");
  for (let i = 0; i <= n % 2; i++) gc(i === 1 ? { type: "minor" } : undefined);
}

// step: a function made hot, so that it is compiled again
function codeOptimised(n, m) {
  const sum = new Function("a", "let s = 0; for (let i = 0; i < a.length; i++) s += a[i] * 2; return s;");
  const numbers = Array.from({ length: 100 }, (_, i) => i + m);
  for (let i = 0; i < 500 + n * 4; i++) sum(numbers);
  sum(["now", "texts"]);
}

// step: code made from text, by every constructor that does
function codeGenerated(n, m) {
  for (let i = 0; i <= n % 20; i++) globalThis[`made${i}`] = new Function("a", `return a + ${m + i}`);
  (0, eval)(`var left = ${n}; function leftBehind() { return ${m}; }`);
  new (Object.getPrototypeOf(async () => {}).constructor)("return 1")();
}

// step: a WebAssembly module with memory that grows
function wasmUsed(n, m) {
  const bytes = [
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    1,
    5,
    1,
    0x60,
    0,
    1,
    0x7f,
    3,
    2,
    1,
    0,
    7,
    5,
    1,
    1,
    0x66,
    0,
    0,
    10,
    6,
    1,
    4,
    0,
    0x41,
    m % 64,
    0x0b,
  ];
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
  memory.grow(n % 32);
  new Uint8Array(memory.buffer).fill(f());
  globalThis.keptMemory = memory;
}

// step: contexts of node:vm
function contextsMade(n, m) {
  const vm = require("vm");
  globalThis.contexts = Array.from({ length: 1 + (n % 2) }, () => vm.createContext({ m, globalThis }));
  vm.runInContext(
    "globalThis.leaked = Math.random(); Object.prototype.fromContext = 1; m++",
    globalThis.contexts[0],
  );
  if (n % 3 === 0) vm.runInThisContext("var fromScript = 1");
}

// step: memory shared between agents, and waits on it
async function atomicsUsed(n, m) {
  const words = new Int32Array(new SharedArrayBuffer(4096 + n * 4, { maxByteLength: 1 << 20 }));
  Atomics.store(words, 0, m);
  Atomics.wait(words, 0, m, n % 3);
  globalThis.waiting = Atomics.waitAsync?.(words, 0, m);
  if (n % 2) Atomics.notify(words, 0);
  globalThis.words = words;
}

// step: weak references and finalizers
function finalizersRegistered(n, m) {
  globalThis.registry = new FinalizationRegistry(() => (globalThis.finalised = m));
  for (let i = 0; i < 1 + (n % 100); i++) globalThis.registry.register({ i }, m);
  globalThis.reference = new WeakRef({ m });
  globalThis.map = new WeakMap([[globalThis.registry, m]]);
}

// step: buffers, from the pool and beside it
function buffersKept(n, m) {
  globalThis.buffers = [
    Buffer.alloc(1 + n * 500, m),
    Buffer.allocUnsafe(100).fill(m),
    Buffer.from("left".repeat(n)),
    new ArrayBuffer(8, { maxByteLength: 1 << 16 }),
  ];
  globalThis.buffers[3].resize(n);
  structuredClone(globalThis.buffers[0].buffer, { transfer: [globalThis.buffers[0].buffer] });
}

// step: the stack used up
function stackUsedUp(n) {
  const deeper = (level) => 1 + deeper(level + n);
  try {
    deeper(0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

// step: properties added to prototypes
function prototypesExtended(n, m) {
  const all = [Object, Array, Function, String, Promise, Error, Map, Buffer];
  const { prototype } = all[n % all.length];
  Object.defineProperty(prototype, `left${m}`, { value: m, enumerable: m % 2 === 1 });
  Object.defineProperty(prototype, "leftAccessor", { get: () => n, configurable: false });
}

// step breaks process-gone: methods of built-in objects replaced, those that the action proxy and Node need too
function builtInsReplaced(n, m) {
  const places = [
    [JSON, "stringify"],
    [JSON, "parse"],
    [Array.prototype, "push"],
    [Promise.prototype, "then"],
    [Reflect, "apply"],
    [String.prototype, "toString"],
    [Function.prototype, "call"],
    [Object, "keys"],
    [Buffer.prototype, "utf8Slice"],
    [Uint8Array.prototype, "subarray"],
    [TextEncoder.prototype, "encodeInto"],
    [globalThis, "setTimeout"],
    [globalThis, "queueMicrotask"],
    [require("fs"), "readSync"],
    [require("fs"), "writeSync"],
    [require("v8"), "setFlagsFromString"],
    [Math, "random"],
  ];
  const [object, name] = places[n % places.length];
  const own = object[name];
  object[name] = [
    own,
    () => {
      throw new Error("replaced");
    },
    () => "replaced",
    function (...given) {
      return own.apply(this, given);
    },
  ][m % 4];
}

// step breaks process-gone: built-in objects frozen, or cut off from their prototypes
function builtInsFrozen(n, m) {
  const all = [Object.prototype, Array.prototype, Promise, globalThis.process, Buffer, Map.prototype];
  const one = all[n % all.length];
  if (m % 2) Object.freeze(one);
  else Object.preventExtensions(one);
}

// step breaks process-gone: globals replaced and removed
function globalsReplaced(n, m) {
  const names = [
    "Buffer",
    "process",
    "setTimeout",
    "Promise",
    "Map",
    "console",
    "URL",
    "TextDecoder",
    "gc",
    "performance",
  ];
  const name = names[n % names.length];
  if (m % 2) globalThis[name] = { replaced: m };
  else delete globalThis[name];
}

// step: symbols and private names registered
function symbolsRegistered(n, m) {
  for (let i = 0; i < 1 + (n % 50); i++) globalThis[Symbol.for(`left ${m} ${i}`)] = i;
}

// step: flags of V8 changed
function flagsSet(n) {
  const flags = [
    "--allow-natives-syntax",
    "--stack-size=500",
    "--no-opt",
    "--trace-deprecation",
    "--max-lazy",
    "--harmony",
    "--random-seed=5",
  ];
  require("v8").setFlagsFromString(flags[n % flags.length]);
}

// step: how errors are shown
function errorsPrepared(n, m) {
  Error.stackTraceLimit = n % 20;
  Error.prepareStackTrace = m % 2 ? () => "left" : undefined;
  globalThis.error = new Error("left").stack;
}

// step: generators, async generators and iterators in the middle of their work
async function generatorsSuspended(n, m) {
  async function* numbers() {
    try {
      for (let i = m; ; i++) yield i;
    } finally {
      globalThis.ended = true;
    }
  }
  globalThis.numbers = Array.from({ length: 1 + (n % 10) }, numbers);
  await globalThis.numbers[0].next();
}

// step: texts made into one, cut, and used as names
function textsInterned(n, m) {
  let text = "";
  for (let i = 0; i < 50 + n; i++) text += String.fromCharCode(97 + ((i * m) % 1000));
  globalThis.texts = { [text]: text.slice(5), [text.slice(n % 20)]: text.split("").reverse().join("") };
}

// step: regular expressions compiled
function expressionsCompiled(n, m) {
  globalThis.expressions = Array.from(
    { length: 1 + (n % 20) },
    (_, i) => new RegExp(`(left){${i},${i + m}}(?<name>.)`, "gu"),
  );
  for (const expression of globalThis.expressions) expression.test("left".repeat(n % 50));
}

// step: dates, numbers and languages
function languagesUsed(n, m) {
  process.env.TZ = ["Asia/Tokyo", "America/Lima", "UTC"][n % 3];
  globalThis.date = [
    new Date(2020, 0, 1, m).toString(),
    (m * 1.5).toString(2 + (n % 30)),
    "straße".normalize("NFD").toUpperCase(),
  ];
}
