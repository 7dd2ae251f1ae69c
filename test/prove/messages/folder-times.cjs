const fs = require("node:fs");

function leave() {
  fs.writeFileSync("/dev/shm/file", "");
  return word(act("utimensat", -100, put("/dev/shm\0"), 0, 0));
}

function read() {
  const { mtimeNs, atimeNs } = fs.statSync("/dev/shm", { bigint: true });
  return [String(mtimeNs), String(atimeNs)];
}

module.exports = { leave, read };
