const fs = require("node:fs");

function pipe() {
  return fs
    .readdirSync("/proc/self/fd")
    .map(Number)
    .find((number) => number > 3 && isPipe(number));
}

function isPipe(number) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${number}`).startsWith("pipe:");
  } catch {
    return false;
  }
}

function leave(mark) {
  fs.fchmodSync(pipe(), parseInt(mark.slice(0, 2), 16) | 1);
  return "left";
}

function read() {
  return fs.fstatSync(pipe()).mode;
}

module.exports = { leave, read };
