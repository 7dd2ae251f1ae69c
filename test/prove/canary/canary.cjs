// Spreads the mark over every place that a Node process has; given pieces of a mark, looks for it instead.

const { Worker, MessageChannel } = require("node:worker_threads");
const [cp, crypto, dgram, fs, http, net, zlib] = [
  "child_process",
  "crypto",
  "dgram",
  "fs",
  "http",
  "net",
  "zlib",
].map((name) => require(`node:${name}`));

const written = "@MARK@";

/** Places are plain properties of the global object, so that nothing of them is collected. */
const kept = {};
globalThis.kept = kept;

function inHeap(mark, hex) {
  kept.narrow = `${hex}!`.split("").join("");
  kept.wide = `${hex}→`;
  kept.latin = mark.toString("latin1");
  kept.upper = hex.toUpperCase();
  kept.base64 = [0, 1, 2].map((before) => Buffer.concat([Buffer.alloc(before), mark]).toString("base64"));
  kept.url = mark.toString("base64url");
  kept.reversed = Buffer.from(mark).reverse();
  kept.reversedHex = kept.reversed.toString("hex");
  kept.slow = Buffer.allocUnsafeSlow(100_000).fill(mark);
  kept.pooled = Buffer.from(hex);
  kept.shared = new Uint8Array(new SharedArrayBuffer(4096)).fill(0);
  kept.shared.set(mark);
  kept.big = BigInt(`0x${hex}`);
  kept.numbers = Array.from({ length: 4 }, (_, i) => mark.readDoubleLE(8 * i));
  kept.map = new Map([[hex, new Set([Symbol.for(hex), kept.big])]]);
  kept[`key${hex}`] = () => hex;
  kept.deleted = Array.from({ length: 1000 }, (_, i) => ({ [`gone${i}`]: `${i}${hex}` }));
  delete kept.deleted;
  kept.error = new Error(hex);
  kept.error.stack;
}

function inCode(mark, hex) {
  const words = Array.from({ length: 8 }, (_, i) => mark.readInt32LE(4 * i));
  const hot = new Function(
    "x",
    `${words.map((word) => `x = (x ^ ${word}) | 0;`).join(" ")} return x + "${hex}".length;`,
  );
  const doubles = new Function("x", `return ${kept.numbers.map((number) => `x + ${number}`).join(" + ")};`);
  const pattern = new RegExp(`${hex}|x+y`);
  for (let i = 0; i < 100_000; i++) kept.sum = hot(i) + doubles(i);
  for (let i = 0; i < 2000; i++) pattern.test(`xx${i}`);
  Object.assign(kept, { hot, doubles, pattern });
  // A module with a data segment, and that in its memory.
  const data = [0x00, 0x41, 0x00, 0x0b, mark.length, ...mark];
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1, 11, data.length + 1, 1, ...data];
  kept.wasm = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module)));
}

function inLibraries(mark, hex) {
  kept.cipher = crypto.createCipheriv("aes-256-cbc", mark, mark.subarray(16));
  kept.hmac = crypto.createHmac("sha256", mark).update(hex);
  kept.key = crypto.createSecretKey(mark);
  kept.deflate = zlib.createDeflate({ dictionary: mark });
  kept.deflate.write(Buffer.alloc(1000).fill(mark));
  kept.intl = new Intl.PluralRules("en", { [hex]: 1 });
  kept.url = new URL(`http://${hex}.localhost/${hex}?${hex}`);
  kept.agent = new http.Agent({ name: hex });
  require("node:dns").lookup(`${hex.slice(0, 60)}.localhost`, () => {});
  process.title = hex;
  process.env.CANARY_TOO = mark.toString("base64");
  console.log(hex);
  process.stderr.write(hex);
}

function inFiles(mark, hex) {
  fs.writeFileSync("/tmp/content", mark);
  fs.writeFileSync("/dev/shm/content", kept.wide, "utf16le");
  fs.mkdirSync(`/tmp/${hex}`);
  fs.symlinkSync(hex, "/tmp/link");
  fs.writeFileSync(`/home/action/${hex}.js`, `module.exports = "${hex}";`);
  kept.module = require(`/home/action/${hex}.js`);
  fs.writeFileSync("/tmp/deleted", hex);
  kept.descriptor = fs.openSync("/tmp/deleted");
  fs.unlinkSync("/tmp/deleted");
  process.chdir(`/tmp/${hex}`);
}

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

async function inProcesses(mark, hex) {
  kept.child = cp.spawn("/bin/sleep", ["1000"], { argv0: hex, env: { CANARY: hex } });
  kept.child.stdin.write(mark);
  const worker = new Worker(
    `const mark = "${hex}"; const wide = mark + "→"; require("worker_threads").parentPort.on("message", () => {});`,
    {
      eval: true,
      name: hex,
      workerData: mark,
      env: { CANARY: hex },
    },
  );
  kept.worker = worker;
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(hex);
  kept.ports = [port1, port2];
  await Promise.all([once(worker, "online"), once(kept.child, "spawn")]);
}

async function inSockets(mark, hex) {
  const server = net.createServer((socket) => {
    kept.accepted = socket.pause();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  kept.client = net.connect(server.address().port, "127.0.0.1");
  await once(kept.client, "connect");
  kept.client.write(mark);
  const local = net
    .createServer((socket) => {
      kept.acceptedHere = socket.pause();
    })
    .listen(`/tmp/${hex.slice(0, 40)}.sock`);
  await once(local, "listening");
  kept.here = net.connect(`/tmp/${hex.slice(0, 40)}.sock`);
  await once(kept.here, "connect");
  kept.here.write(mark);
  kept.datagram = dgram.createSocket("udp4");
  await new Promise((bound) => kept.datagram.bind(0, "127.0.0.1", bound));
  kept.datagram.send(mark, kept.datagram.address().port, "127.0.0.1");
  kept.servers = [server, local];
}

function downTheStack(hex, depth) {
  const [one, two, three] = [hex, hex + depth, depth];
  return depth === 0 ? 0 : downTheStack(hex, depth - 1) + one.length + two.length - three;
}

async function spread(hex, forms, isInCode) {
  const mark = Buffer.from(hex, "hex");
  if (!isInCode) process.env.CANARY = hex;
  else if (hex !== process.env.CANARY || hex !== written) throw new Error("three different marks");
  kept.forms = forms.map((form) => Buffer.from(form, "base64"));
  inHeap(mark, hex);
  inCode(mark, hex);
  inLibraries(mark, hex);
  inFiles(mark, hex);
  await inProcesses(mark, hex);
  await inSockets(mark, hex);
  kept.depth = downTheStack(hex, 500);
  const failed = act("spread");
  if (failed !== 0) throw new Error(`place ${failed} of spread.c cannot be reached`);
  return { spread: true };
}

function look(pieces) {
  fs.writeFileSync("/tmp/pieces", Buffer.from(pieces, "base64"));
  const finds = act("seek");
  if (finds < 0) throw new Error(`cannot search: ${finds}`);
  return { finds, found: fs.readFileSync("/tmp/found", "latin1") };
}

exports.main = ({ mark, forms, isInCode, pieces }) =>
  pieces === undefined ? spread(mark, forms, isInCode) : look(pieces);
