const fs = require("node:fs");
const places = ["/tmp", "/home/action", "/dev/shm"];

function leave(mark) {
  const at = parseInt(mark.slice(0, 8), 16);
  return places.flatMap((place) => [
    attempt("chmod", () => fs.chmodSync(place, 0o700)),
    attempt("chown", () => fs.chownSync(place, process.getuid(), process.getgid())),
    attempt("utimes", () => fs.utimesSync(place, at, at)),
    attempt("rename", () => fs.renameSync(place, `${place}2`)),
  ]);
}

function read() {
  return places.map((place) => [fs.statSync(place).mode, fs.statSync(place).uid === process.getuid()]);
}

module.exports = { leave, read };
