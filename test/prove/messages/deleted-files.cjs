const fs = require("node:fs");

function leave(mark) {
  globalThis.kept = fs.openSync("/tmp/open", "w");
  fs.writeSync(globalThis.kept, mark.repeat(1000));
  fs.unlinkSync("/tmp/open");
  return "left";
}

function read() {
  const { bfree, ffree } = fs.statfsSync("/tmp");
  return [bfree, ffree];
}

module.exports = { leave, read };
