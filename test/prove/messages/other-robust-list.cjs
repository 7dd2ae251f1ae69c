const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave(mark) {
  return word(act("elsewhere", other, 273, Number.parseInt(`${mark.slice(0, 8)}0`, 16), 24));
}

function read() {
  act("get_robust_list", other, act("memory"), act("memory") + 8);
  return [...take(16)];
}

module.exports = { leave, read };
