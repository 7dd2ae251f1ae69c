/**
 * Reports everything that it can find out about the process and container it runs in. In a container that was used
 * and rewound, the report must be equal to that of a fresh one, but for the fields that hostile.json names.
 * Only JavaScript's own means are used before the built-ins have been looked at.
 */
const { spawn } = require("child_process");
const { createHash, randomBytes, randomUUID } = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");

const WRITABLE = ["/tmp", "/var/tmp", "/home/action", "/home", "/dev/shm", "/dev/mqueue", "/run", "/var", "/etc", "/usr", "/opt", "/"];
const VOLATILE_STATUS = /^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid)/;
// Spelt backwards, so that this source does not hold what it looks for.
const BACKWARDS = "NOITCA-TSAL-EHT-YB-DNIHEB-TFEL";

const digest = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);

function attempt(step) {
  try {
    return step();
  } catch (error) {
    return `failed: ${error.code ?? error.message}`;
  }
}

const read = (file) => attempt(() => fs.readFileSync(file, "utf8"));
const lines = (file) => read(file).split("\n").filter(Boolean);

function describeFunction(value) {
  const text = Function.prototype.toString.call(value);
  return text.includes("[native code]") ? "native" : digest(text);
}

function describeValue(value) {
  if (typeof value === "function") return `function ${describeFunction(value)}`;
  if (value === null || typeof value !== "object") return typeof value;
  return Array.isArray(value) ? "array" : "object";
}

/** Every property of an object with its kind, its flags and, of functions, what their code is. */
function shape(object) {
  if (object === null || (typeof object !== "object" && typeof object !== "function")) return typeof object;
  const described = Reflect.ownKeys(object).map((key) => {
    const p = attempt(() => Reflect.getOwnPropertyDescriptor(object, key));
    if (typeof p !== "object") return `${String(key)}: ${p}`;
    const flags = `${p.writable ? "w" : "-"}${p.enumerable ? "e" : "-"}${p.configurable ? "c" : "-"}`;
    const value = "value" in p ? describeValue(p.value) : `${describeValue(p.get)}/${describeValue(p.set)}`;
    return `${String(key)} ${flags} ${value}`;
  });
  return { properties: described.sort(), extensible: Object.isExtensible(object) };
}

function builtIns() {
  const found = { globalThis: shape(globalThis) };
  for (const name of Object.getOwnPropertyNames(globalThis).sort()) {
    const value = attempt(() => globalThis[name]);
    if (value === globalThis || value === null || !["object", "function"].includes(typeof value)) continue;
    found[name] = digest(JSON.stringify(shape(value)));
    if (typeof value === "function" && value.prototype) found[`${name}.prototype`] = digest(JSON.stringify(shape(value.prototype)));
  }
  for (const name of ["Object", "Array", "Function", "Promise", "JSON"]) {
    found[`${name} in full`] = [shape(globalThis[name]), shape(globalThis[name].prototype)];
  }
  for (const name of ["fs", "module", "child_process", "events", "stream", "net", "util", "buffer", "path", "os", "vm"]) {
    found[`module ${name}`] = digest(JSON.stringify(shape(attempt(() => require(name)))));
  }
  return found;
}

function walk(folder, depth, found) {
  let entries;
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    found.push(`${folder} ${error.code}`);
    return;
  }
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    const info = attempt(() => fs.lstatSync(name));
    found.push(typeof info === "string" ? `${name} ${info}` : `${name} ${info.mode.toString(8)} ${info.isFile() ? info.size : ""} ${info.nlink}`);
    if (entry.isDirectory() && depth > 0) walk(name, depth - 1, found);
  }
}

function files() {
  const found = {};
  for (const folder of WRITABLE) {
    const info = attempt(() => fs.statSync(folder));
    const writable = attempt(() => (fs.accessSync(folder, fs.constants.W_OK), true)) === true;
    found[folder] = { mode: info.mode?.toString(8), writable };
    if (!writable && !["/home", "/tmp", "/dev/shm", "/var/tmp"].includes(folder)) continue;
    const names = [];
    walk(folder, 5, names);
    found[folder].entries = names.sort();
    if (!writable) continue;
    const space = attempt(() => fs.statfsSync(folder));
    found[folder].used = typeof space === "string" ? space : [space.blocks - space.bfree, space.files - space.ffree, space.blocks];
  }
  return found;
}

const anonymous = (target) => target.replace(/\[\d+\]/, "[]");

function descriptors() {
  const found = {};
  for (const fd of fs.readdirSync("/proc/self/fd")) {
    const target = attempt(() => fs.readlinkSync(`/proc/self/fd/${fd}`));
    if (target.startsWith("failed") || /^\/proc\/\d+\/fd$/.test(target)) continue;
    const info = lines(`/proc/self/fdinfo/${fd}`).filter((line) => /^(flags|pos|tfd|inotify|clockid|lock|eventfd-count)/.test(line)).sort();
    found[fd] = [anonymous(target), ...info.map((line) => line.replace(/ino:\S+|sdev:\S+/g, "").replace(/\s+/g, " ").trim())];
  }
  return found;
}

function threads() {
  return fs
    .readdirSync("/proc/self/task")
    .map((id) => {
      const status = lines(`/proc/self/task/${id}/status`).filter((line) => /^(Name|Sig(Blk|Pnd)|Seccomp|NoNewPrivs|CapEff)/.test(line));
      const stat = read(`/proc/self/task/${id}/stat`).replace(/^.*\) /, "").split(" ");
      return [...status, `priority ${stat[15]} nice ${stat[16]} policy ${stat[38]}`].join(", ");
    })
    .sort();
}

function processes() {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${Number(pid) <= 2 ? pid : ""} ${read(`/proc/${pid}/comm`).trim()}`.trim())
    .sort();
}

function sockets() {
  const found = {};
  for (const kind of ["tcp", "tcp6", "udp", "udp6", "raw", "packet", "netlink", "unix", "icmp"]) {
    const rows = lines(`/proc/self/net/${kind}`).slice(1).map((line) => line.trim().split(/\s+/));
    if (["tcp", "tcp6", "udp", "udp6"].includes(kind)) {
      found[kind] = rows.map((row) => row.slice(1, 5).join(" ")).sort();
    } else if (kind === "unix") {
      found[kind] = rows.map((row) => `${row[4]} ${row[5]} ${row[7] ?? ""}`).sort();
    } else found[kind] = rows.length;
  }
  found.devices = lines("/proc/self/net/dev").slice(2).map((line) => line.trim().split(":")[0]).sort();
  found.neighbours = lines("/proc/self/net/arp").slice(1);
  found.routes = lines("/proc/self/net/route").slice(1).map((line) => line.split("\t").slice(0, 4).join(" "));
  return found;
}

/** Names, rights and kinds of mappings; numbers and places of the unnamed ones depend on the collector. */
function mappings() {
  const named = lines("/proc/self/maps").map((line) => line.trim().split(/\s+/)).map((part) => `${part[1]} ${part.slice(5).join(" ")}`);
  return [...new Set(named)].sort();
}

/** How often the marker of another action lies in this process's memory. */
function markers() {
  return attempt(() => {
    const memory = fs.openSync("/proc/self/mem", "r");
    const chunk = Buffer.alloc((1 << 20) + 64);
    let found = 0;
    let bytes = 0;
    for (const line of lines("/proc/self/maps")) {
      const [range, rights] = line.split(" ");
      if (!rights.startsWith("rw") || line.includes("[v")) continue;
      const [start, end] = range.split("-").map((part) => Number.parseInt(part, 16));
      for (let at = start; at < end; at += 1 << 20) {
        const got = attempt(() => fs.readSync(memory, chunk, 0, Math.min(chunk.length, end - at), at));
        if (typeof got !== "number") continue;
        bytes += got;
        const piece = chunk.subarray(0, got).reverse();
        for (let hit = piece.indexOf(BACKWARDS); hit >= 0; hit = piece.indexOf(BACKWARDS, hit + 1)) found++;
      }
      chunk.fill(0);
    }
    fs.closeSync(memory);
    return { found, readable: bytes > 0 };
  });
}

/** How a child ends: one that cannot be started or waited for any more shows what was done to the event loop. */
function child() {
  return new Promise((resolve) => {
    const started = spawn("/bin/true", { stdio: "ignore" });
    started.on("error", (error) => resolve(error.code));
    started.on("close", (code, signal) => resolve(code ?? signal));
  });
}

async function main() {
  const early = { openDescriptors: descriptors(), resources: process.getActiveResourcesInfo().sort() };
  const listeners = (emitter) => Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]).sort());
  return {
    ...early,
    builtIns: builtIns(),
    modules: {
      cache: Object.keys(require.cache).sort(),
      loaded: [...process.moduleLoadList].sort(),
      extensions: Object.keys(require("module")._extensions ?? {}).sort(),
      paths: require("module").globalPaths,
    },
    process: {
      cwd: attempt(() => process.cwd()),
      umask: process.umask().toString(8),
      environment: { ...process.env },
      title: process.title,
      arguments: [...process.argv, ...process.execArgv],
      exitCode: process.exitCode ?? null,
      pid: process.pid,
      parent: process.ppid,
      user: [process.getuid(), process.getgid(), process.geteuid(), process.getegid(), ...process.getgroups()],
      listeners: listeners(process),
      stdout: listeners(process.stdout),
      stderr: listeners(process.stderr),
      unwritten: [process.stdout.writableLength, process.stderr.writableLength],
      captures: process.hasUncaughtExceptionCaptureCallback(),
      priority: attempt(() => os.getPriority()),
    },
    engine: {
      contexts: require("v8").getHeapStatistics().number_of_native_contexts,
      stackTraceLimit: Error.stackTraceLimit ?? null,
      prepareStackTrace: typeof Error.prepareStackTrace,
      asyncHook: require("async_hooks").executionAsyncResource()?.constructor?.name ?? null,
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      locale: Intl.DateTimeFormat().resolvedOptions().locale,
      nameServers: attempt(() => require("dns").getServers()),
    },
    kernel: {
      status: lines("/proc/self/status").filter((line) => !VOLATILE_STATUS.test(line)),
      limits: lines("/proc/self/limits"),
      timers: lines("/proc/self/timers").filter((line) => !line.startsWith("ID")),
      name: read("/proc/self/comm").trim(),
      personality: read("/proc/self/personality").trim(),
      oomScore: read("/proc/self/oom_score_adj").trim(),
      timerSlack: read("/proc/self/timerslack_ns").trim(),
      dump: read("/proc/self/coredump_filter").trim(),
      ipc: ["shm", "sem", "msg"].map((kind) => lines(`/proc/sysvipc/${kind}`).length),
      keys: lines("/proc/keys").map((line) => line.trim().split(/\s+/).slice(7).join(" ").replace(/\d+/g, "")).sort(),
      mounts: lines("/proc/self/mountinfo").map((line) => line.split(" ")).map((part) => `${part[4]} ${part[5]} ${part[part.indexOf("-") + 1]}`).sort(),
      hostname: os.hostname(),
      cgroup: read("/proc/self/cgroup"),
    },
    threads: threads(),
    processes: processes(),
    sockets: sockets(),
    files: files(),
    mappings: mappings(),
    markers: markers(),
    child: await child(),
    random: {
      math: Math.random(),
      bytes: randomBytes(16).toString("hex"),
      id: randomUUID(),
      web: Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
      webId: globalThis.crypto.randomUUID(),
    },
  };
}
