/** Writes well-formed answers where the runtime answers: one before its own, and leaves one for the next activation. */
function frame(type, status, result) {
  const body = Buffer.from(JSON.stringify(result));
  const bytes = Buffer.alloc(4 + 16 + 1 + 2 + body.length);
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes.writeUInt8(type, 20);
  bytes.writeUInt16LE(status, 21);
  body.copy(bytes, 23);
  return bytes;
}

function main() {
  const fs = require("fs");
  fs.writeSync(3, frame(4, 200, { forged: true }));
  fs.writeSync(3, frame(3, 200, { runtime: "nodejs" }));
  fs.writeSync(3, frame(4, 200, { forged: true }));
  return { answered: true };
}
