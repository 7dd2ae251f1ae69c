const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave() {
  return word(act("elsewhere", other, 14, 1 << 20));
}

function read() {
  const status = require("node:fs").readFileSync(`/proc/self/task/${other}/status`, "latin1");
  return /SigBlk.*/.exec(status)[0];
}

module.exports = { leave, read };
