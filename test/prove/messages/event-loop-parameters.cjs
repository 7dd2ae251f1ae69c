const fs = require("node:fs");
const [EPIOCSPARAMS, EPIOCGPARAMS] = [0x40088a01, 0x80088a02];

function loops() {
  return fs.readdirSync("/proc/self/fd").map(Number).filter(isLoop);
}

function isLoop(number) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${number}`) === "anon_inode:[eventpoll]";
  } catch {
    return false;
  }
}

function leave(mark) {
  const parameters = Buffer.from(`${mark.slice(0, 8)}01000000`, "hex");
  return loops().map((number) => attempt("ioctl", number, EPIOCSPARAMS, put(parameters)));
}

function read() {
  return loops().map(
    (number) => word(act("ioctl", number, EPIOCGPARAMS, put(Buffer.alloc(8)))) + take(8).toString("hex"),
  );
}

module.exports = { leave, read };
