const fs = require("node:fs");

function leave(mark) {
  fs.writeFileSync("/tmp/file", mark);
  globalThis.kept = fs.openSync("/tmp/file");
  return word(act("dup2", globalThis.kept, 400));
}

function read() {
  try {
    return fs.readSync(400, Buffer.alloc(32));
  } catch (error) {
    return error.code;
  }
}

module.exports = { leave, read };
