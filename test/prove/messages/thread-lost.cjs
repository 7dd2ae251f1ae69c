const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave() {
  return act("elsewhere", other, 60, 0);
}

function read() {
  return require("node:fs").readdirSync("/proc/self/task").length;
}

module.exports = { leave, read };
