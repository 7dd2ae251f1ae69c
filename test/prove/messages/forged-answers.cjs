const fs = require("node:fs");

/** Well-formed answers to a question that nobody asked. */
function leave(mark) {
  const body = Buffer.from('{"said":"forged"}'),
    head = Buffer.alloc(4);
  head.writeUInt32LE(19 + body.length);
  const frame = Buffer.concat([head, Buffer.from(mark, "hex"), Buffer.from([4, 200, 0]), body]);
  fs.writeSync(3, Buffer.concat([frame, frame, frame]));
  return "left";
}

function read() {
  return "quiet";
}

module.exports = { leave, read };
