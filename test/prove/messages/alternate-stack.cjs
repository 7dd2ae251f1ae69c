function leave(mark) {
  const stack = Buffer.alloc(24);
  stack.write(`${mark.slice(0, 10)}`, 1, "hex");
  stack.writeUInt32LE(1 << 14, 16);
  return word(act("sigaltstack", put(stack), 0));
}

function read() {
  act("sigaltstack", 0, act("memory"));
  return [...take(24)];
}

module.exports = { leave, read };
