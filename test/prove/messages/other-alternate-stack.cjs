const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave(mark) {
  const stack = Buffer.alloc(24);
  stack.write(mark.slice(0, 10), 1, "hex");
  stack.writeUInt32LE(1 << 14, 16);
  return word(act("elsewhere", other, 131, put(stack)));
}

function read() {
  act("elsewhere", other, 131, 0, act("memory"));
  return [...take(24)];
}

module.exports = { leave, read };
