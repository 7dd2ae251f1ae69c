const fs = require("node:fs");

function pipes() {
  return fs
    .readdirSync("/proc/self/fd")
    .map(Number)
    .filter((number) => number > 3 && isPipe(number));
}

function isPipe(number) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${number}`).startsWith("pipe:");
  } catch {
    return false;
  }
}

function leave(mark) {
  const at = parseInt(mark.slice(0, 8), 16);
  for (const number of pipes()) fs.futimesSync(number, at, at);
  console.log(mark);
  return "left";
}

function read() {
  return [1, 2, 3, ...pipes()]
    .map((number) => fs.fstatSync(number, { bigint: true }))
    .map(({ atimeNs, mtimeNs }) => [atimeNs, mtimeNs].map(String));
}

module.exports = { leave, read };
