function leave(mark) {
  globalThis.leftBehind = Buffer.from(mark);
  return "left";
}

function read() {
  return String(globalThis.leftBehind);
}

module.exports = { leave, read };
