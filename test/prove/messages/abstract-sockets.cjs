const fs = require("node:fs");
const net = require("node:net");

async function leave(mark) {
  globalThis.kept = net.createServer();
  await new Promise((resolve) => globalThis.kept.listen(`\0${mark}`, resolve));
  return "left";
}

function read() {
  return fs.readFileSync("/proc/self/net/unix", "utf8").split("\n").slice(1);
}

module.exports = { leave, read };
