const { readdirSync } = require("node:fs");
const [S_IFCHR, S_IFBLK] = [0o20000, 0o60000];

function leave() {
  return [
    [S_IFBLK, 254, 0],
    [S_IFCHR, 1, 1],
    [S_IFCHR, 5, 2],
  ].map(([kind, major, minor]) => attempt("mknod", put("/tmp/node\0"), kind | 0o666, (major << 8) | minor));
}

function read() {
  return readdirSync("/dev").sort();
}

module.exports = { leave, read };
