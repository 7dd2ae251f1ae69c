const fs = require("node:fs");

function leave(mark) {
  const file = act("memfd_create", put(`${mark}\0`), 0);
  fs.writeSync(file, mark);
  return word(act("dup2", file, 300));
}

function read() {
  try {
    return fs.readlinkSync("/proc/self/fd/300");
  } catch (error) {
    return error.code;
  }
}

module.exports = { leave, read };
