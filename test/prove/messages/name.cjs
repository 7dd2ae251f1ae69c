function leave(mark) {
  process.title = mark;
  return "left";
}

function read() {
  const fs = require("node:fs");
  return ["comm", "cmdline"].map((name) => fs.readFileSync(`/proc/self/${name}`, "latin1"));
}

module.exports = { leave, read };
