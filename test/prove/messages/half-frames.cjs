const fs = require("node:fs");

/** The head of an answer that never comes. */
function leave(mark) {
  fs.writeSync(3, Buffer.concat([Buffer.from([0, 0, 16, 0]), Buffer.from(mark, "hex")]));
  return "left";
}

function read() {
  return "quiet";
}

module.exports = { leave, read };
