const fs = require("node:fs");

function leave(mark) {
  const at = parseInt(mark.slice(0, 8), 16),
    { getuid, getgid } = process;
  return [0, 1, 2, 3]
    .flatMap((number) => [
      attempt("fchmod", () => fs.fchmodSync(number, 0o700)),
      attempt("fchown", () => fs.fchownSync(number, getuid(), getgid())),
      attempt("utimensat", () => fs.futimesSync(number, at, at)),
    ])
    .concat(attempt("utimensat", 0, 0, 0, 0));
}

function read() {
  return [0, 1, 2, 3].map((number) => [
    fs.fstatSync(number).mode,
    fs.fstatSync(number).uid === process.getuid(),
  ]);
}

module.exports = { leave, read };
