/** Leaves servers listening, a connection to one of them with unread bytes, and one just closed. */
const net = require("net");
const dgram = require("dgram");

const listening = (server, where) => new Promise((resolve, reject) => server.once("error", reject).listen(where, resolve));

async function main({ marker }) {
  const left = [];
  const attempt = (name, step) => step().then(() => left.push(name), () => {});
  await attempt("tcp", async () => {
    const server = net.createServer((socket) => socket.write(marker));
    await listening(server, { port: 8080, host: "127.0.0.1" });
    await new Promise((resolve, reject) => net.connect(8080, "127.0.0.1").once("error", reject).once("connect", resolve).pause());
  });
  await attempt("closed", async () => {
    await listening(net.createServer((socket) => socket.end()), { port: 8082, host: "127.0.0.1" });
    await new Promise((resolve) => net.connect(8082, "127.0.0.1").resume().once("close", resolve));
  });
  await attempt("unix", () => listening(net.createServer(), "\0left-abstract"));
  await attempt("file", () => listening(net.createServer(), "/tmp/left.sock"));
  await attempt("udp", () => new Promise((resolve, reject) => dgram.createSocket("udp4").once("error", reject).bind(8081, "127.0.0.1", resolve)));
  return { left: left.length > 0, which: left };
}
