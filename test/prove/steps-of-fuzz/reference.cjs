// The fixed action after each fuzzed one: reports what it sees of its world, the same in every fresh container.

const childProcess = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const vm = require("vm");
const zlib = require("zlib");

const digest = (text) => crypto.createHash("sha256").update(text).digest("hex").slice(0, 16);

function attempt(step) {
  try {
    return step();
  } catch (error) {
    return `failed: ${error.code ?? error.message}`;
  }
}

const read = (file) => attempt(() => fs.readFileSync(file, "utf8"));
const lines = (file) => read(file).split("\n").filter(Boolean);

/** The names of an object's own properties, and which of its functions are the engine's own. */
function shape(object) {
  return Reflect.ownKeys(object).map((key) => {
    const { value, get } = Reflect.getOwnPropertyDescriptor(object, key);
    const own = value ?? get;
    if (typeof own !== "function") return `${String(key)} ${typeof own}`;
    return `${String(key)} ${Function.prototype.toString.call(own).length}`;
  });
}

function builtIns() {
  const found = {
    Math: shape(Math),
    JSON: shape(JSON),
    Reflect: shape(Reflect),
    globalThis: Reflect.ownKeys(globalThis).map(String),
  };
  for (const one of [Object, Array, Function, Promise, Error, String, Map, Buffer, Uint8Array]) {
    found[one.name] = [
      ...shape(one),
      ...shape(one.prototype),
      Object.isExtensible(one),
      Object.isExtensible(one.prototype),
    ];
  }
  for (const one of [process, fs, vm, crypto, childProcess])
    found[Object.keys(found).length] = Object.keys(one);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, digest(value.join("\n"))]));
}

function descriptors() {
  const found = {};
  for (const fd of fs.readdirSync("/proc/self/fd")) {
    const target = attempt(() => fs.readlinkSync(`/proc/self/fd/${fd}`));
    if (target.startsWith("failed") || /^\/proc\/\d+\/fd$/.test(target)) continue;
    const info = lines(`/proc/self/fdinfo/${fd}`).filter((line) =>
      /^(flags|pos|tfd|lock|eventfd-count)/.test(line),
    );
    found[fd] = [
      target.replace(/\[\d+\]/, "[]"),
      ...info.map((line) => line.replace(/ino:\S+|sdev:\S+/g, "").replace(/\s+/g, " ")).sort(),
    ];
  }
  return found;
}

function threads() {
  const kept = /^(Name|Sig(Blk|Pnd)|Seccomp|CapEff)/;
  return fs.readdirSync("/proc/self/task").map((id) =>
    lines(`/proc/self/task/${id}/status`)
      .filter((line) => kept.test(line))
      .join(", "),
  );
}

function files(folder) {
  const { mode, nlink } = fs.statSync(folder);
  const space = fs.statfsSync(folder);
  return [mode, nlink, space.blocks - space.bfree, space.files - space.ffree, ...fs.readdirSync(folder)];
}

function compute() {
  const numbers = Array.from({ length: 200 }, (_, i) => (i * 7919) % 1009);
  const text = JSON.stringify({
    numbers,
    date: new Date(86_400_000 * 365.25).toISOString(),
    big: String(3n ** 80n),
  });
  const bytes = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7,
    0, 32, 0, 65, 3, 108, 11,
  ]);
  return {
    sorted: numbers.sort().slice(0, 10),
    text: digest(text.replace(/(\d)(\d)/g, "$2$1")),
    packed: digest(zlib.inflateSync(zlib.deflateSync(text)).toString("utf8")),
    sums: [numbers.reduce((a, b) => a + Math.sin(b), 0), 0.1 + 0.2, 1 / 3, Math.exp(1)],
    wasm: new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f(14),
    made: new Function("a", "return [...a].map((x) => x.toUpperCase()).join()")("left"),
    context: vm.runInNewContext("[typeof process, Object.keys(globalThis).length, 6 * 7]"),
    stack: new Error("shown").stack.split("\n").length,
  };
}

const kernel = () => ({
  status: lines("/proc/self/status").filter(
    (line) =>
      !/^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid|Threads|SigQ)/.test(
        line,
      ),
  ),
  limits: lines("/proc/self/limits"),
  timers: lines("/proc/self/timers"),
  processes: fs
    .readdirSync("/proc")
    .filter((name) => /^\d/.test(name))
    .map((pid) => read(`/proc/${pid}/comm`).trim()),
  sockets: [...lines("/proc/self/net/sockstat"), ...lines("/proc/self/net/sockstat6")].map((line) =>
    line.replace(/ (alloc|mem|orphan) \d+/g, ""),
  ),
  local: lines("/proc/self/net/unix").length,
  mappings: [
    ...new Set(
      lines("/proc/self/maps")
        .map((line) => line.split(/\s+/))
        .map((part) => `${part[1]} ${part[5]}`),
    ),
  ].sort(),
});

/** A turn of the event loop by each of its doors, a job in its pool of threads, and a rejection that is heard. */
async function turns() {
  const order = [];
  const turn = (name, start) => new Promise((resolve) => start(() => resolve(order.push(name))));
  await Promise.all([
    turn("immediate", setImmediate),
    turn("tick", process.nextTick),
    turn("job", queueMicrotask),
  ]);
  await turn("timeout", (then) => setTimeout(then, 0));
  await turn("pool", (then) => fs.stat("/", then));
  await turn("rejection", (then) => Promise.reject(new Error()).catch(then));
  return order;
}

async function main() {
  const early = {
    descriptors: descriptors(),
    threads: threads(),
    resources: process.getActiveResourcesInfo(),
  };
  return {
    ...early,
    builtIns: builtIns(),
    modules: [
      Object.keys(require.cache),
      process.moduleLoadList.length,
      Object.keys(require("module")._extensions),
      require("module").globalPaths,
    ],
    process: {
      place: [
        process.cwd(),
        process.umask(),
        process.title,
        process.exitCode ?? null,
        process.pid,
        process.ppid,
      ],
      environment: { ...process.env },
      listeners: [process, process.stdout, process.stderr].map((one) =>
        one.eventNames().map((name) => [String(name), one.listenerCount(name)]),
      ),
      unwritten: [
        process.stdout.writableLength,
        process.stderr.writableLength,
        process.hasUncaughtExceptionCaptureCallback(),
      ],
      errors: [Error.stackTraceLimit, typeof Error.prepareStackTrace],
      spawn: childProcess.spawnSync.name,
    },
    kernel: kernel(),
    files: ["/tmp", "/dev/shm", "/home/action"].map(files),
    computed: compute(),
    turns: await turns(),
    random: {
      math: Math.random(),
      bytes: crypto.randomBytes(16).toString("hex"),
      id: crypto.randomUUID(),
      context: vm.runInNewContext("Math.random()"),
    },
  };
}
