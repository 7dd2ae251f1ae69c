const { openSync, readFileSync, writeFileSync } = require("node:fs");

function leave(mark) {
  writeFileSync("/tmp/file", mark);
  return word(act("dup2", openSync("/tmp/file", "r"), 0));
}

function read() {
  return readFileSync(0, "utf8");
}

module.exports = { leave, read };
