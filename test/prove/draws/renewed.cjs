// One value of each generator whose state lies in the process's memory and is renewed.
const crypto = require("node:crypto");
const net = require("node:net");
const repl = require("node:repl");
const { PassThrough } = require("node:stream");
const tls = require("node:tls");
const { promisify } = require("node:util");
const vm = require("node:vm");
const { Worker } = require("node:worker_threads");
const uuid = require("uuid");

/** A key that everybody knows: only the signature's own number is random. */
const known = crypto.createECDH("prime256v1");
known.setPrivateKey(Buffer.alloc(32, 7));
const [x, y] = [1, 33].map((at) =>
  known
    .getPublicKey()
    .subarray(at, at + 32)
    .toString("base64url"),
);
const jwk = { kty: "EC", crv: "P-256", d: Buffer.alloc(32, 7).toString("base64url"), x, y };
const key = crypto.createPrivateKey({ key: jwk, format: "jwk" });

/** What a worker draws of its own. */
function worker() {
  const source = `const { parentPort } = require("node:worker_threads");
parentPort.postMessage({
  "Math.random in a worker": Math.random(),
  "Math.random in a worker's context": require("node:vm").runInNewContext("Math.random()"),
  "randomBytes in a worker": require("node:crypto").randomBytes(16).toString("hex"),
});`;
  return new Promise((resolve, reject) => {
    new Worker(source, { eval: true }).on("message", resolve).on("error", reject);
  });
}

/** Each thread of Node's pool has a generator of its own. */
function inPool() {
  return Promise.all(
    Array.from({ length: 16 }, async () => (await promisify(crypto.randomBytes)(16)).toString("hex")),
  );
}

/** A server that hands the first bytes it gets, and the connection, to `use`; what that gives. */
function served(connect, use) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {}).once("data", (bytes) => resolve(use(bytes, socket)));
      server.close();
    });
    server.listen(0, "127.0.0.1", () => connect(server.address().port, reject));
  });
}

/** The random bytes with which a TLS connection begins. */
function clientHello() {
  const connect = (port) => tls.connect({ port, host: "127.0.0.1" }).on("error", () => {});
  return served(connect, (hello, socket) => {
    socket.destroy();
    return hello.toString("hex", 11, 43);
  });
}

/** The key with which a WebSocket masks what it sends, and that of its handshake. */
function webSocketKeys() {
  const connect = (port, failed) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.onopen = () => socket.send("x");
    socket.onerror = failed;
  };
  return served(connect, async (request, socket) => {
    const [, handshake] = /sec-websocket-key: (.*)\r/i.exec(request.toString());
    const accept = crypto
      .createHash("sha1")
      .update(`${handshake}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 .\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const frame = await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    return { "handshake of a WebSocket": handshake, "mask of a WebSocket": frame.toString("hex", 2, 6) };
  });
}

async function formBoundary() {
  return new Request("http://host", { method: "POST", body: new FormData() }).headers.get("content-type");
}

function inRepl() {
  const session = repl.start({ input: new PassThrough(), output: new PassThrough() });
  const drawn = vm.runInContext("Math.random()", session.context);
  session.close();
  return drawn;
}

async function draw() {
  const { privateKey } = crypto.generateKeyPairSync("ed25519");
  return {
    ...(await worker()),
    ...(typeof WebSocket === "function" ? await webSocketKeys() : {}),
    "Math.random": Math.random(),
    "Math.random in a context": vm.runInNewContext("Math.random()"),
    "Math.random in a script's context": new vm.Script("Math.random()").runInNewContext(),
    "Math.random in a REPL": inRepl(),
    "randomBytes in the pool of threads": await inPool(),
    randomBytes: crypto.randomBytes(16).toString("hex"),
    randomInt: crypto.randomInt(2 ** 47),
    randomUUID: crypto.randomUUID(),
    "randomUUID, asked each time": crypto.randomUUID({ disableEntropyCache: true }),
    getRandomValues: Buffer.from(crypto.webcrypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    "webcrypto's key": Buffer.from(
      await crypto.subtle.exportKey(
        "raw",
        await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]),
      ),
    ).toString("hex"),
    "a pair of keys": privateKey.export({ type: "pkcs8", format: "der" }).toString("hex"),
    "Diffie-Hellman": crypto.createECDH("prime256v1").generateKeys("hex"),
    prime: crypto.generatePrimeSync(96, { bigint: true }).toString(),
    signature: crypto.sign("sha256", Buffer.from("the same"), key).toString("hex"),
    TLS: await clientHello(),
    "ticket keys of TLS": tls.createServer().getTicketKeys().toString("hex"),
    "form boundary": await formBoundary(),
    "object URL": URL.createObjectURL(new Blob(["x"])),
    uuid: uuid.v4(),
    "uuid by time, but for the time": uuid.v1().slice(19),
  };
}

module.exports = { draw };
