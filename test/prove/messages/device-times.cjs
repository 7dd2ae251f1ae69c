const fs = require("node:fs");

function leave(mark) {
  const at = parseInt(mark.slice(0, 8), 16);
  const devices = fs.readdirSync("/dev").map((name) => `/dev/${name}`);
  return devices
    .filter((file) => fs.lstatSync(file).isCharacterDevice())
    .map((file) => attempt("utimes", () => fs.utimesSync(file, at, at)))
    .concat(
      attempt("utimensat", () => fs.futimesSync(0, at, at)),
      attempt("utimensat", 0, 0, 0, 0),
    );
}

function read() {
  return fs.fstatSync(0, { bigint: true }).mtimeNs.toString();
}

module.exports = { leave, read };
