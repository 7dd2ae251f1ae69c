// Steps about Node: process, modules, the event loop, its threads and its children.

/** Resolves at the event, or at an error, which then ends nothing. */
function happened(emitter, name) {
  return new Promise((resolve) => emitter.on("error", resolve).once(name, resolve));
}

// step: the environment
function environmentSet(n, m) {
  for (let i = 0; i <= n % 20; i++) process.env[`LEFT_${i}`] = "x".repeat(m);
  if (n % 2) delete process.env.PATH;
  process.env.NODE_OPTIONS = "--trace-warnings";
}

// step: listeners of process
function listenersAdded(n, m) {
  const events = [
    "exit",
    "beforeExit",
    "uncaughtException",
    "unhandledRejection",
    "warning",
    "SIGUSR2",
    "SIGTERM",
    "multipleResolves",
  ];
  for (let i = 0; i <= n % 4; i++)
    process.on(events[(m + i) % events.length], () => (globalThis.heard = true));
}

// step: a rejection that somebody listens to, and errors that are caught
async function rejectionsHandled(n, m) {
  process.on("unhandledRejection", () => {});
  if (m % 2) process.setUncaughtExceptionCaptureCallback(() => {});
  for (let i = 0; i <= n % 5; i++) Promise.reject(new Error("left"));
  await new Promise((resolve) => setImmediate(resolve));
}

// step rare process-gone hangs: a rejection that nobody listens to
async function rejectionUnhandled(n) {
  Promise.reject(new Error(`left ${n}`));
  await new Promise((resolve) => setTimeout(resolve, 5));
}

// step: promises that are never settled
function promisesPending(n) {
  globalThis.pending = Array.from({ length: 1 + n }, () => new Promise(() => {}).then(() => {}));
}

// step: timers, intervals and immediates that nobody clears
function timersLeft(n, m) {
  for (let i = 0; i <= n % 10; i++) {
    setTimeout(() => {}, 1 + m * i);
    setInterval(() => {}, 1 + m);
    setImmediate(() => (globalThis.immediate = true));
  }
  if (n % 2) setInterval(() => {}, 1e6).unref();
}

// step: ticks and microtasks queued at the last moment
function ticksQueued(n) {
  process.nextTick(() => (globalThis.ticked = n));
  queueMicrotask(() => (globalThis.queued = n));
}

// step: turns of the event loop
async function loopTurned(n, m) {
  for (let i = 0; i <= n % 5; i++)
    await new Promise((resolve) => (m % 2 ? setImmediate(resolve) : setTimeout(resolve, 1)));
}

// step: hooks below every promise, and storage that follows them
async function asyncHooked(n, m) {
  const { AsyncLocalStorage, createHook } = require("async_hooks");
  globalThis.storage = new AsyncLocalStorage();
  globalThis.storage.enterWith(m);
  globalThis.hook = createHook({
    init: () => (globalThis.hooked = n),
    destroy() {},
    promiseResolve() {},
  }).enable();
  await null;
}

// step: working directory, umask, title and exit code
function placeChanged(n, m) {
  process.chdir(["/tmp", "/", "/dev/shm", "/home/action"][n % 4]);
  process.umask(m % 512);
  process.title = "left".repeat(n % 3);
  process.exitCode = m % 256;
}

// step breaks process-gone: the cache of modules, and how modules are found: what else is required may be another module
function modulesPatched(n, m) {
  const Module = require("module");
  const fs = require("fs");
  fs.writeFileSync("/tmp/left.js", `module.exports = ${m}; globalThis.loaded = ${n};`);
  require("/tmp/left.js");
  require.cache["/tmp/other.js"] = { exports: m };
  Module._extensions[".left"] = () => {};
  if (n % 2) Module._resolveFilename = () => "/tmp/left.js";
  Module.globalPaths.push("/tmp");
}

// step: modules of Node loaded for the first time
function modulesLoaded(n) {
  const names = [
    "dgram",
    "readline",
    "tls",
    "http2",
    "perf_hooks",
    "inspector",
    "wasi",
    "repl",
    "cluster",
    "diagnostics_channel",
    "trace_events",
    "test",
  ];
  for (let i = 0; i < 2; i++) require(`node:${names[(n + i) % names.length]}`);
}

// step slow: a module imported, from text
async function moduleImported(n, m) {
  const { left } = await import(`data:text/javascript,export const left = ${n}; globalThis.imported = ${m};`);
  globalThis.left = left;
}

// step breaks process-gone lost-descriptor replaced-descriptor channel: functions of Node's modules replaced: what is opened may be another descriptor
function nodePatched(n, m) {
  const places = [
    ["fs", "readFileSync"],
    ["fs", "openSync"],
    ["crypto", "randomBytes"],
    ["http", "request"],
    ["path", "join"],
    ["os", "hostname"],
    ["util", "inspect"],
    ["child_process", "spawn"],
    ["module", "createRequire"],
  ];
  const [name, member] = places[n % places.length];
  require(name)[member] = () => m;
  require("module").syncBuiltinESMExports();
}

// step slow: worker threads: busy, asleep, ended
async function workersStarted(n, m) {
  const { Worker } = require("worker_threads");
  const codes = [
    "for (;;);",
    "setInterval(() => {}, 1)",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "process.exit(0)",
    "require('worker_threads').parentPort.on('message', () => {})",
  ];
  const worker = new Worker(codes[n % codes.length], { eval: true });
  await happened(worker, "online");
  if (m % 3 === 0) await worker.terminate();
}

// step: channels between ports
function portsOpened(n, m) {
  const { MessageChannel, BroadcastChannel } = require("worker_threads");
  globalThis.channel = new MessageChannel();
  globalThis.channel.port2.on("message", () => {});
  for (let i = 0; i <= n % 20; i++) globalThis.channel.port1.postMessage({ m, big: new Uint8Array(n) });
  new BroadcastChannel("left").postMessage(m);
}

// step: jobs for the pool of threads, perhaps unfinished
async function poolUsed(n, m) {
  const crypto = require("crypto");
  const jobs = Array.from(
    { length: 1 + (n % 6) },
    () => new Promise((resolve) => crypto.pbkdf2("left", "left", 1 + m * (n % 7), 64, "sha512", resolve)),
  );
  if (m % 2) await jobs[0];
}

// step breaks: threads of the pool that wait for a pipe that nobody opens, so that whoever needs one later waits too
function poolBlocked(n, m) {
  act("fifo_made", n, m);
  for (let i = 0; i <= n % 3; i++) require("fs").open(`/tmp/fifo-${m}`, () => {});
}

// step slow: children: asleep, ended, writing to the output, of a session of their own
async function childrenStarted(n, m) {
  const { spawn } = require("child_process");
  const commands = [
    ["sleep", "1000"],
    ["true"],
    ["sh", "-c", "while :; do echo left; sleep 0.01; done"],
    ["sh", "-c", "sleep 1000 & exit"],
  ];
  const [command, ...parameters] = commands[n % commands.length];
  const child = spawn(command, parameters, {
    stdio: ["pipe", "pipe", "inherit", "ipc"].slice(0, 2 + (m % 2)),
    detached: m % 3 === 0,
  });
  await happened(child, n % commands.length === 1 ? "close" : "spawn");
}

// step slow: a child waited for
function childWaitedFor(n) {
  require("child_process").spawnSync(n % 2 ? "/bin/true" : "/nowhere/at/all", ["left"]);
}

// step: signals to itself, with listeners
async function signalsSent(n, m) {
  const names = ["SIGUSR2", "SIGWINCH", "SIGHUP", "SIGINT", "SIGIO"];
  const name = names[n % names.length];
  process.on(name, () => {});
  for (let i = 0; i <= m % 4; i++) process.kill(process.pid, name);
  if (m % 2) await new Promise((resolve) => setImmediate(resolve));
}

// step: servers that listen, with connections left
async function serversLeft(n, m) {
  const net = require("net");
  const server = net.createServer({ allowHalfOpen: true }, (socket) =>
    socket.on("error", () => {}).write("left"),
  );
  const path = `/tmp/left-${n}-${m}.socket`;
  await happened(n % 2 ? server.listen(path) : server.listen(0, "127.0.0.1"), "listening");
  const client = n % 2 ? net.connect(path) : net.connect(server.address().port, "127.0.0.1");
  await happened(client, "connect");
  if (m % 3 === 1) client.end("half closed");
  if (m % 3 === 2) client.destroy();
}

// step slow: an HTTP request to itself, over a connection that is kept
async function requestMade(n, m) {
  const http = require("http");
  const server = http.createServer((request, response) => response.end("x".repeat(n)));
  await happened(server.listen(0, "127.0.0.1"), "listening");
  await new Promise((resolve, reject) =>
    http
      .get(
        { port: server.address().port, host: "127.0.0.1", agent: new http.Agent({ keepAlive: m % 2 === 0 }) },
        (response) => response.resume().on("end", resolve),
      )
      .on("error", reject),
  );
}

// step: datagrams to itself
async function datagramsSent(n, m) {
  const socket = require("dgram").createSocket("udp4");
  await happened(socket.bind(0, "127.0.0.1"), "listening");
  socket.send(Buffer.alloc(n), socket.address().port, "127.0.0.1");
  if (m % 2) socket.unref();
}

// step: streams that compress, cipher and wait
function streamsLeft(n, m) {
  const zlib = require("zlib");
  const crypto = require("crypto");
  globalThis.streams = [
    zlib.createGzip(),
    crypto.createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)),
    crypto.createHash("sha256"),
  ];
  for (const stream of globalThis.streams) stream.write(Buffer.alloc(1 + n * 20, m));
}

// step: random values drawn from every source
function randomDrawn(n) {
  const crypto = require("crypto");
  globalThis.random = [
    Math.random(),
    crypto.randomBytes(1 + n),
    crypto.randomUUID(),
    crypto.getRandomValues(new Uint8Array(16)),
    crypto.randomInt(1000),
  ];
}

// step: keys, secrets and certificates in OpenSSL
function cryptoUsed(n, m) {
  const crypto = require("crypto");
  globalThis.keys = [crypto.createSecretKey(Buffer.alloc(32, m)), crypto.createECDH("prime256v1")];
  globalThis.keys[1].generateKeys();
  crypto.scryptSync("left", "left", 16, { N: 2 << (n % 6) });
  if (m % 5 === 0) crypto.createHash("sha3-256").update("left").digest();
}

// step: performance observed, marks set
function performanceObserved(n, m) {
  const { performance, PerformanceObserver, monitorEventLoopDelay } = require("perf_hooks");
  new PerformanceObserver(() => {}).observe({ entryTypes: ["gc", "function", "mark"] });
  for (let i = 0; i <= n % 20; i++) performance.mark(`left ${m}`);
  globalThis.delay = monitorEventLoopDelay();
  globalThis.delay.enable();
}

// step: lines and pieces of lines on stdout and stderr
function outputWritten(n, m) {
  console.log("left".repeat(n % 100));
  console.error("left %d %o", n, { m });
  process.stdout.write(`no newline ${m}`);
  if (m % 3 === 0) process.stderr.write(Buffer.from([0xff, 0xfe, n % 256]));
}

// step: more output than a pipe holds
function outputLarge(n, m) {
  process.stdout.write(`${"0123456789".repeat(7000 + n * 10)}${m % 2 ? "\n" : ""}`);
}

// step: console, stdout and stderr changed, what is printed held back
function outputPatched(n, m) {
  if (n % 3 === 0) process.stdout.write = () => true;
  if (n % 3 === 1) console.log = () => {};
  if (n % 3 === 2) process.stderr.cork();
  process.stdout.on(m % 2 ? "error" : "drain", () => {});
}

// step: files: many, oddly named, linked, in folders
function filesLeft(n, m) {
  const fs = require("fs");
  const folder = ["/tmp", "/dev/shm", "/home/action"][n % 3];
  for (let i = 0; i <= n % 30; i++)
    fs.writeFileSync(`${folder}/left ${i}\n${"n".repeat(m % 200)}`, "x".repeat(m));
  fs.mkdirSync(`${folder}/a/b/c/.d`, { recursive: true });
  fs.symlinkSync(m % 2 ? "/nowhere" : "..", `${folder}/a/link-${m}`);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x0a, 0x80])]), "");
  fs.linkSync(`${folder}/left 0\n${"n".repeat(m % 200)}`, `${folder}/a/hard-${m}`);
}

// step: descriptors, handles and folders open
async function descriptorsLeft(n, m) {
  const fs = require("fs");
  for (let i = 0; i <= n % 30; i++) fs.openSync(i % 2 ? "/etc/passwd" : "/dev/zero");
  globalThis.handle = await fs.promises.open("/etc/hosts");
  globalThis.folder = fs.opendirSync("/proc/self");
  globalThis.stream = fs.createReadStream("/etc/hosts", { start: m % 10 }).on("error", () => {});
}

// step: output of an action that returns an error
function errorReturned(n, m) {
  return () => [{ error: `left ${n}` }, { error: { left: m, statusCode: 400 } }, [1, 2], null][n % 4];
}

// step: an action that throws, rejects, or returns what cannot be said in JSON
function errorThrown(n, m) {
  return () => {
    if (n % 4 === 0) throw new Error(`left ${m}`);
    if (n % 4 === 1) return Promise.reject(m % 2 ? undefined : { left: m });
    const cycle = {};
    cycle.cycle = cycle;
    return n % 4 === 2 ? cycle : { big: 5n };
  };
}

// step: a large result
function resultLarge(n, m) {
  return () => ({ left: "é".repeat(m % 3) + "x".repeat(100_000 + n * 500) });
}

// step rare hangs: an action that never answers
function answerMissing(n, m) {
  return () => {
    if (n % 3 === 0) for (;;);
    if (m % 2) setInterval(() => {}, 1);
    return new Promise(() => {});
  };
}

// step slow: the inspector listens
function inspectorOpened(n) {
  const inspector = require("inspector");
  inspector.open(0, "127.0.0.1", false);
  if (n % 2) inspector.close();
}

// step slow: events traced
function eventsTraced(n) {
  const tracing = require("trace_events").createTracing({ categories: ["v8", "node.async_hooks"] });
  tracing.enable();
  if (n % 2) tracing.disable();
}

// step: names of hosts asked for, in vain
async function namesResolved(n) {
  const dns = require("dns");
  dns.setServers(["127.0.0.1:9"]);
  dns.setDefaultResultOrder(n % 2 ? "ipv4first" : "verbatim");
  await new Promise((resolve) => dns.lookup("localhost", resolve));
}
