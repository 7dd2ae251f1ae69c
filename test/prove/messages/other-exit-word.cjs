const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave(mark) {
  return word(act("elsewhere", other, 218, Number.parseInt(mark.slice(0, 10), 16)));
}

function read() {
  act("elsewhere", other, 157, 40, act("memory"));
  return [...take(8)];
}

module.exports = { leave, read };
