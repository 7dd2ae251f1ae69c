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

/** One byte more in each pipe of the event loops. */
function leave(mark) {
  for (const number of pipes()) act("write", number, put(mark), 1);
  return "left";
}

function read() {
  return pipes().map((number) => {
    act("ioctl", number, 0x541b, put([0, 0, 0, 0]));
    return take(4).readUInt32LE();
  });
}

module.exports = { leave, read };
